"""Partially observable Gymnasium environments, natively batched.

Importing this package registers `pomdp_envs/<Name>-v0` for `gymnasium.make` and `gymnasium.make_vec`.
"""

from pomdp_envs import classic, control, meta, popgym
from pomdp_envs.batched import BatchedEnv
from pomdp_envs.dynamics import Dynamics
from pomdp_envs.making import dynamics_of, ids, register_world
from pomdp_envs.single import SingleEnv
from pomdp_envs.wrappers import PreviousActionReward, Trials, VectorPreviousActionReward

__all__ = [
    "BatchedEnv",
    "Dynamics",
    "PreviousActionReward",
    "SingleEnv",
    "Trials",
    "VectorPreviousActionReward",
    "classic",
    "control",
    "dynamics_of",
    "ids",
    "meta",
    "popgym",
    "register_world",
]
