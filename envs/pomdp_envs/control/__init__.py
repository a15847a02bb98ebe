"""Control with hidden velocities: classic control natively batched, and Gymnasium's simulators where installed."""

from pomdp_envs.control.cartpole import CartPoleNoVel
from pomdp_envs.control.hidden_velocities import register_task
from pomdp_envs.control.mountain_car import MountainCarContinuousNoVel
from pomdp_envs.control.pendulum import PendulumNoVel
from pomdp_envs.making import register_world

__all__ = ["CartPoleNoVel", "MountainCarContinuousNoVel", "PendulumNoVel"]

register_world("CartPoleNoVel", CartPoleNoVel)
register_world("PendulumNoVel", PendulumNoVel)
register_world("MountainCarContinuousNoVel", MountainCarContinuousNoVel)

register_task("LunarLanderNoVel", "LunarLander-v3", "box2d", time_limit=1000)
register_task("BipedalWalkerNoVel", "BipedalWalker-v3", "box2d", time_limit=1600)
register_task("HopperNoVel", "Hopper-v5", "mujoco", time_limit=1000)
register_task("HalfCheetahNoVel", "HalfCheetah-v5", "mujoco", time_limit=1000)
register_task("AntNoVel", "Ant-v5", "mujoco", time_limit=1000)
register_task("WalkerNoVel", "Walker2d-v5", "mujoco", time_limit=1000)
