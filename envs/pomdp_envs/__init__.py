"""Partially observable Gymnasium environments, natively batched.

Importing this package registers `pomdp_envs/<Name>-v0` for `gymnasium.make` and `gymnasium.make_vec`.
"""

from gymnasium.envs.registration import register

from pomdp_envs.batched import BatchedEnv
from pomdp_envs.cartpole import CartPoleDynamics, CartPoleNoVel, CartPoleNoVelVector
from pomdp_envs.dynamics import Dynamics
from pomdp_envs.mountain_car import (
    MountainCarContinuousDynamics,
    MountainCarContinuousNoVel,
    MountainCarContinuousNoVelVector,
)
from pomdp_envs.pendulum import PendulumDynamics, PendulumNoVel, PendulumNoVelVector
from pomdp_envs.previous_action_reward import PreviousActionReward, VectorPreviousActionReward
from pomdp_envs.single import SingleEnv
from pomdp_envs.tmaze import TMaze, TMazeDynamics, TMazeVector

__all__ = [
    "BatchedEnv",
    "CartPoleDynamics",
    "CartPoleNoVel",
    "CartPoleNoVelVector",
    "Dynamics",
    "MountainCarContinuousDynamics",
    "MountainCarContinuousNoVel",
    "MountainCarContinuousNoVelVector",
    "PendulumDynamics",
    "PendulumNoVel",
    "PendulumNoVelVector",
    "PreviousActionReward",
    "SingleEnv",
    "TMaze",
    "TMazeDynamics",
    "TMazeVector",
    "VectorPreviousActionReward",
]

# The time limits are inside the dynamics: with `max_episode_steps` here, `make` would wrap a second one around them.
register(
    "pomdp_envs/CartPoleNoVel-v0",
    entry_point="pomdp_envs.cartpole:CartPoleNoVel",
    vector_entry_point="pomdp_envs.cartpole:CartPoleNoVelVector",
)
register(
    "pomdp_envs/PendulumNoVel-v0",
    entry_point="pomdp_envs.pendulum:PendulumNoVel",
    vector_entry_point="pomdp_envs.pendulum:PendulumNoVelVector",
)
register(
    "pomdp_envs/MountainCarContinuousNoVel-v0",
    entry_point="pomdp_envs.mountain_car:MountainCarContinuousNoVel",
    vector_entry_point="pomdp_envs.mountain_car:MountainCarContinuousNoVelVector",
)
register(
    "pomdp_envs/TMaze-v0",
    entry_point="pomdp_envs.tmaze:TMaze",
    vector_entry_point="pomdp_envs.tmaze:TMazeVector",
)
