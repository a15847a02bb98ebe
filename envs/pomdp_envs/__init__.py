"""Partially observable Gymnasium environments, natively batched.

Importing this package registers `pomdp_envs/<Name>-v0` for `gymnasium.make` and `gymnasium.make_vec`.
"""

from gymnasium.envs.registration import register

from pomdp_envs.batched import BatchedEnv
from pomdp_envs.cartpole import CartPoleDynamics, CartPoleNoVel, CartPoleNoVelVector
from pomdp_envs.dynamics import Dynamics
from pomdp_envs.single import SingleEnv

__all__ = [
    "BatchedEnv",
    "CartPoleDynamics",
    "CartPoleNoVel",
    "CartPoleNoVelVector",
    "Dynamics",
    "SingleEnv",
]

# The time limits are inside the dynamics: with `max_episode_steps` here, `make` would wrap a second one around them.
register(
    "pomdp_envs/CartPoleNoVel-v0",
    entry_point="pomdp_envs.cartpole:CartPoleNoVel",
    vector_entry_point="pomdp_envs.cartpole:CartPoleNoVelVector",
)
