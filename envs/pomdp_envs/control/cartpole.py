"""Balance a pole on a cart: Gymnasium's, and the same without seeing velocities."""

import math

import numpy as np
from gymnasium import spaces

from pomdp_envs.control.track import track
from pomdp_envs.dynamics import Dynamics

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
SEEN_LIMITS = np.array([POSITION_LIMIT * 2, ANGLE_LIMIT * 2], dtype=np.float32)


class CartPole(Dynamics):
    """Gymnasium's CartPole-v1, bit for bit; the worlds made from it say what is seen.

    The first four rows of the state are [position, velocity, angle, angular velocity], float64.
    """

    action_space = spaces.Discrete(2)
    initial_draws = 4

    def initial(self, uniforms: np.ndarray) -> np.ndarray:
        """Spread the four variables over [-0.05, 0.05)."""
        return uniforms * 0.1 - 0.05

    def transition(
        self, state: np.ndarray, action: np.ndarray, uniforms: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Take one Euler step of 0.02 s."""
        following, terminated = advance(state, action)
        return following, np.ones(len(action)), terminated

    def text(self, state: np.ndarray) -> str:
        """Draw the cart on its track, with all four numbers."""
        return (
            f"{track(state[0], -POSITION_LIMIT, POSITION_LIMIT)} position {state[0]:+.3f} m, {state[1]:+.3f} m/s; "
            f"angle {math.degrees(state[2]):+.2f} deg, {math.degrees(state[3]):+.2f} deg/s"
        )


class CartPoleNoVel(CartPole):
    """Gymnasium's CartPole-v1, bit for bit, of which only [position, angle] is seen.

    Action space: Discrete(2): 0 pushes left, 1 right.
    Observation space: Box((2,), float32): position (m) and angle (rad).
    Start: all four variables uniform in [-0.05, 0.05).
    Reward: 1 per step.
    End: terminated beyond 2.4 m or 12 degrees, truncated after 500 steps.
    Hidden state: [position, velocity, angle, angular velocity], float64.

    The best return is 500: two positions give the velocity between them, and that is enough to balance from every start.
    No linear policy of the current observation balances (the best gets about 45); what a nonlinear or a random one could
    do is not known.

    Source: Barto, Sutton and Anderson (1983), "Neuronlike adaptive elements that can solve difficult learning control
        problems"; hiding velocities: CartPoleNoVel-v1 of RL Baselines3 Zoo (which writes zeros in their place).

    Versions: v0, the first.
    """

    observation_space = spaces.Box(-SEEN_LIMITS, SEEN_LIMITS)
    time_limit = 500
    memory_span = "2 steps"
    optimal_return = 500.0

    def observe(self, state: np.ndarray) -> np.ndarray:
        """Show [position, angle], float32 [B, 2]."""
        return seen_positions(state)


def advance(state: np.ndarray, action: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Take one Euler step of 0.02 s.

    The order of the floating-point operations is Gymnasium's: exact agreement depends on it.

    Args:
        state: [position, velocity, angle, angular velocity], float64 [4, B].
        action: int64 [B].

    Returns:
        The next state, a fresh array [4, B], and where it is beyond a limit, bool [B].
    """
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
    return following, np.logical_or(*(np.abs(following[0::2]) > LIMITS))


def seen_positions(state: np.ndarray) -> np.ndarray:
    """Return [position, angle], float32 [B, 2], of states [4 or more, B]."""
    return state[0:4:2].T.astype(np.float32, order="C")  # [B, 2]
