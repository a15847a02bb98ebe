"""Worlds with a task to find out: each trial samples one, and the learner adapts to it within the trial (RL^2)."""

from pomdp_envs.making import register_world
from pomdp_envs.meta.bernoulli_bandit import BernoulliBandit
from pomdp_envs.meta.dark_room import DarkRoom
from pomdp_envs.meta.gaussian_bandit import GaussianBandit
from pomdp_envs.meta.same_start import SameStart
from pomdp_envs.meta.tabular_mdp import TabularMDP
from pomdp_envs.meta.trials import TrialDynamics

__all__ = ["BernoulliBandit", "DarkRoom", "GaussianBandit", "SameStart", "TabularMDP", "TrialDynamics"]

register_world("BernoulliBandit", BernoulliBandit)
register_world("GaussianBandit", GaussianBandit)
register_world("TabularMDP", TabularMDP)
register_world("DarkRoom", DarkRoom)
