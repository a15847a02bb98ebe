"""Swing up a pendulum without seeing its angular velocity."""

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


class PendulumNoVel(Dynamics):
    """Gymnasium's Pendulum-v1, bit for bit, of which only [cos(angle), sin(angle)] is seen.

    Action space: Box(-2, 2, (1,), float32): a torque; one outside is clipped.
    Observation space: Box(-1, 1, (2,), float32): cosine and sine of the angle, which is 0 upright.
    Start: angle uniform in [-pi, pi), angular velocity uniform in [-1, 1).
    Reward: -(angle^2 + 0.1 velocity^2 + 0.001 torque^2), with the angle in [-pi, pi).
    End: never terminated; truncated after 200 steps.
    Hidden state: [angle, angular velocity], float64.

    Source: Pendulum-v1 of Gymnasium; hiding velocities: PendulumNoVel-v1 of RL Baselines3 Zoo (which writes a zero in
        its place).

    Versions: v0, the first.
    """

    observation_space = spaces.Box(-1.0, 1.0, (2,), np.float32)
    action_space = spaces.Box(-MAX_TORQUE, MAX_TORQUE, (1,), np.float32)
    time_limit = 200
    initial_draws = 2
    memory_span = "2 steps"

    def initial(self, uniforms: np.ndarray) -> np.ndarray:
        """Spread the angle over the circle and the velocity over [-1, 1)."""
        return (2 * uniforms - 1) * np.array([[np.pi], [1.0]])

    def transition(
        self, state: np.ndarray, action: np.ndarray, uniforms: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Take one semi-implicit Euler step of 0.05 s."""
        angle, velocity = state
        torque = np.clip(action[:, 0], -MAX_TORQUE, MAX_TORQUE)  # [B], float32
        wrapped = (angle + np.pi) % (2 * np.pi) - np.pi
        cost = np.float_power(wrapped, 2) + 0.1 * np.float_power(velocity, 2) + 0.001 * scalar_squares(torque)

        velocity = velocity + (GRAVITY_GAIN * np.sin(angle) + TORQUE_GAIN * torque) * TIME_STEP
        velocity = np.clip(velocity, -MAX_SPEED, MAX_SPEED)
        return np.stack([angle + velocity * TIME_STEP, velocity]), -cost, np.zeros(len(cost), dtype=bool)

    def observe(self, state: np.ndarray) -> np.ndarray:
        """Show [cos(angle), sin(angle)], float32 [B, 2]."""
        return np.stack([np.cos(state[0]), np.sin(state[0])], axis=1).astype(np.float32)

    def text(self, state: np.ndarray) -> str:
        """Draw the angle on a line (0, upright, is its middle), with the angular velocity."""
        angle = (state[0] + np.pi) % (2 * np.pi) - np.pi
        return f"{track(angle, -np.pi, np.pi)} angle {np.degrees(angle):+.1f} deg, {np.degrees(state[1]):+.1f} deg/s"
