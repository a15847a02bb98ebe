"""Classic control with hidden velocities."""

from pomdp_envs.control.cartpole import CartPoleNoVel
from pomdp_envs.control.mountain_car import MountainCarContinuousNoVel
from pomdp_envs.control.pendulum import PendulumNoVel
from pomdp_envs.making import register_world

__all__ = ["CartPoleNoVel", "MountainCarContinuousNoVel", "PendulumNoVel"]

register_world("CartPoleNoVel", CartPoleNoVel)
register_world("PendulumNoVel", PendulumNoVel)
register_world("MountainCarContinuousNoVel", MountainCarContinuousNoVel)
