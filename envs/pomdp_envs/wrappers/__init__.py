"""Wrappers that change what an agent sees, for single and for vector environments."""

from pomdp_envs.wrappers.previous_action_reward import PreviousActionReward, VectorPreviousActionReward
from pomdp_envs.wrappers.trials import Trials

__all__ = ["PreviousActionReward", "Trials", "VectorPreviousActionReward"]
