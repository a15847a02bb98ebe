"""Swing up a pendulum: Gymnasium's, and the same without seeing its angular velocity."""

import numpy as np
from gymnasium import spaces

from pomdp_envs.control.rounding import scalar_squares
from pomdp_envs.control.track import track
from pomdp_envs.dynamics import Dynamics

TIME_STEP = 0.05
MAX_SPEED = 8
MAX_TORQUE = 2.0
GRAVITY_GAIN = 3 * 10.0 / (2 * 1.0)  # 3 g / (2 l)
TORQUE_GAIN = 3.0 / (1.0 * 1.0**2)  # 3 / (m l^2)
SPREAD = np.array([[np.pi], [1.0]])  # of the start


class Pendulum(Dynamics):
    """Gymnasium's Pendulum-v1, bit for bit; the worlds made from it say what is seen.

    The first two rows of the state are [angle, angular velocity], float64.
    """

    action_space = spaces.Box(-MAX_TORQUE, MAX_TORQUE, (1,), np.float32)
    initial_draws = 2

    def initial(self, uniforms: np.ndarray) -> np.ndarray:
        """Spread the angle over the circle and the velocity over [-1, 1)."""
        return (2 * uniforms - 1) * SPREAD

    def transition(
        self, state: np.ndarray, action: np.ndarray, uniforms: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Take one semi-implicit Euler step of 0.05 s."""
        following, cost = advance(state, action)
        return following, -cost, np.zeros(len(cost), dtype=bool)

    def text(self, state: np.ndarray) -> str:
        """Draw the angle on a line (0, upright, is its middle), with the angular velocity."""
        angle = (state[0] + np.pi) % (2 * np.pi) - np.pi
        return f"{track(angle, -np.pi, np.pi)} angle {np.degrees(angle):+.1f} deg, {np.degrees(state[1]):+.1f} deg/s"


class PendulumNoVel(Pendulum):
    """Gymnasium's Pendulum-v1, bit for bit, of which only [cos(angle), sin(angle)] is seen.

    Action space: Box(-2, 2, (1,), float32): a torque; one outside is clipped.
    Observation space: Box(-1, 1, (2,), float32): cosine and sine of the angle, which is 0 upright.
    Start: angle uniform in [-pi, pi), angular velocity uniform in [-1, 1).
    Reward: -(angle^2 + 0.1 velocity^2 + 0.001 torque^2), with the angle in [-pi, pi).
    End: never terminated; truncated after 200 steps.
    Hidden state: [angle, angular velocity], float64.

    The optimal return is not known in closed form; to pump energy by the sign of the velocity and then to hold gets about
    -160. Neither is the best memoryless one; the best that is linear in the observation gets about -1030.

    Source: Pendulum-v1 of Gymnasium; hiding velocities: PendulumNoVel-v1 of RL Baselines3 Zoo (which writes a zero in
        its place).

    Versions: v0, the first.
    """

    observation_space = spaces.Box(-1.0, 1.0, (2,), np.float32)
    time_limit = 200
    memory_span = "2 steps"

    def observe(self, state: np.ndarray) -> np.ndarray:
        """Show [cos(angle), sin(angle)], float32 [B, 2]."""
        return seen_direction(state)


def advance(state: np.ndarray, action: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Take one semi-implicit Euler step of 0.05 s.

    The order of the floating-point operations is Gymnasium's: exact agreement depends on it.

    Args:
        state: [angle, angular velocity], float64 [2, B].
        action: a torque, float32 [B, 1].

    Returns:
        The next state [2, B] and the cost of this step, float64 [B].
    """
    angle, velocity = state
    torque = np.clip(action[:, 0], -MAX_TORQUE, MAX_TORQUE)  # [B], float32
    wrapped = (angle + np.pi) % (2 * np.pi) - np.pi
    # Gymnasium squares scalars, which is the C library's pow; so is `float_power` on arrays, for float64.
    cost = np.float_power(wrapped, 2) + 0.1 * np.float_power(velocity, 2) + 0.001 * scalar_squares(torque)

    velocity = velocity + (GRAVITY_GAIN * np.sin(angle) + TORQUE_GAIN * torque) * TIME_STEP
    velocity = np.clip(velocity, -MAX_SPEED, MAX_SPEED)
    return np.stack([angle + velocity * TIME_STEP, velocity]), cost


def seen_direction(state: np.ndarray) -> np.ndarray:
    """Return [cos(angle), sin(angle)], float32 [B, 2], of states [2 or more, B]."""
    return np.stack([np.cos(state[0]), np.sin(state[0])], axis=1).astype(np.float32)
