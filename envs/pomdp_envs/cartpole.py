"""Balance a pole without seeing velocities."""

import math

import numpy as np
from gymnasium import spaces
from gymnasium.vector import AutoresetMode

from pomdp_envs.batched import BatchedEnv
from pomdp_envs.dynamics import Dynamics
from pomdp_envs.single import SingleEnv

GRAVITY = 9.8
POLE_MASS = 0.1
TOTAL_MASS = POLE_MASS + 1.0
HALF_LENGTH = 0.5
POLE_MOMENT = POLE_MASS * HALF_LENGTH
FORCE = 10.0
TIME_STEP = 0.02
ANGLE_LIMIT = 12 * 2 * math.pi / 360
POSITION_LIMIT = 2.4
FORCES = np.array([-FORCE, FORCE])
LIMITS = np.array([[POSITION_LIMIT], [ANGLE_LIMIT]])


class CartPoleDynamics(Dynamics):
    """Gymnasium's CartPole-v1, bit for bit, of which only [position, angle] is seen.

    State: position, velocity, angle, angular velocity, each uniform in [-0.05, 0.05) at the start. Actions: 0 pushes
    left, 1 right. Reward 1 per step. The episode ends beyond 2.4 m or 12 degrees and is cut after 500 steps, so the
    best return is 500.

    The order of the floating-point operations is Gymnasium's: exact agreement depends on it.

    Source: Barto, Sutton and Anderson (1983), "Neuronlike adaptive elements that can solve difficult learning control
    problems"; hiding velocities: CartPoleNoVel-v1 of RL Baselines3 Zoo (which writes zeros in their place).
    """

    observation_space = spaces.Box(
        -np.array([POSITION_LIMIT * 2, ANGLE_LIMIT * 2], dtype=np.float32),
        np.array([POSITION_LIMIT * 2, ANGLE_LIMIT * 2], dtype=np.float32),
    )
    action_space = spaces.Discrete(2)
    time_limit = 500
    initial_draws = 4

    def initial(self, uniforms: np.ndarray) -> np.ndarray:
        """Spread the four variables over [-0.05, 0.05)."""
        return uniforms * 0.1 - 0.05

    def transition(
        self, state: np.ndarray, action: np.ndarray, uniforms: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Take one Euler step of 0.02 s."""
        velocities, angle, angular_velocity = state[1::2], state[2], state[3]
        cos, sin = np.cos(angle), np.sin(angle)
        push = (FORCES[action] + POLE_MOMENT * np.square(angular_velocity) * sin) / TOTAL_MASS
        derivative = np.empty_like(state)
        derivative[0::2] = velocities
        angular_acceleration = np.divide(
            GRAVITY * sin - cos * push,
            HALF_LENGTH * (4.0 / 3.0 - POLE_MASS * np.square(cos) / TOTAL_MASS),
            out=derivative[3],
        )
        np.subtract(push, POLE_MOMENT * angular_acceleration * cos / TOTAL_MASS, out=derivative[1])
        derivative *= TIME_STEP
        following = np.add(state, derivative, out=derivative)
        terminated = np.logical_or(*(np.abs(following[0::2]) > LIMITS))
        return following, np.ones(len(angle)), terminated

    def observe(self, state: np.ndarray) -> np.ndarray:
        """Show [position, angle], float32 [B, 2]."""
        return state[0::2].T.astype(np.float32, order="C")  # [B, 2]


class CartPoleNoVelVector(BatchedEnv):
    """B cart-poles with hidden velocities; see `CartPoleDynamics`."""

    def __init__(self, num_envs: int = 1, autoreset_mode: AutoresetMode | str = AutoresetMode.SAME_STEP) -> None:
        super().__init__(CartPoleDynamics(), num_envs, autoreset_mode)


class CartPoleNoVel(SingleEnv):
    """One cart-pole with hidden velocities; see `CartPoleDynamics`."""

    def __init__(self) -> None:
        super().__init__(CartPoleDynamics())
