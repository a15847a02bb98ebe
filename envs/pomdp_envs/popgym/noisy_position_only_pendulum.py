"""Swing up a pendulum from its direction seen through noise, with POPGym's rewards and episode lengths."""

import numpy as np
from gymnasium import spaces

from pomdp_envs.control.pendulum import Pendulum, advance, seen_direction
from pomdp_envs.dynamics import checked_count, checked_deviation
from pomdp_envs.popgym.noise import with_noise
from pomdp_envs.popgym.position_only_pendulum import scaled_reward
from pomdp_envs.random import normals


class NoisyPositionOnlyPendulum(Pendulum):
    """POPGym's NoisyPositionOnlyPendulum: PositionOnlyPendulum with normal noise on both numbers.

    Action space: Box(-2, 2, (1,), float32): a torque; one outside is clipped.
    Observation space: Box(-1, 1, (2,), float32): cosine and sine of the angle, which is 0 upright, each with noise of
        standard deviation `noise_sigma`, clipped to +-1. The first one is noisy, too.
    Start: angle uniform in [-pi, pi), angular velocity uniform in [-1, 1).
    Reward: (1 - cost / 8.1368022) / time_limit, in [-1, 1] / time_limit, where cost = angle^2 + 0.1 velocity^2 + 0.001
        torque^2 with the angle in [-pi, pi).
    End: never terminated; truncated after `time_limit` steps (200 in all three difficulties).
    Hidden state: [angle, angular velocity, noise of the cosine, noise of the sine (both in standard deviations)],
        float64.

    The return is below 1. The optimal one is not known, nor is the best memoryless one; a swing up by what an extended
    Kalman filter believes gets 0.87, 0.71 and 0.63 in the three difficulties, a linear policy of the current observation
    0.32 to 0.30.

    Args:
        noise_sigma: 0.1 (Easy), 0.2 (Medium) or 0.3 (Hard).
        time_limit: The length of an episode.

    Raises:
        ValueError: a standard deviation that is negative or no finite number, or a time limit that is no integer of at
            least 1.

    Source: popgym 1.0.7.

    Versions: v0, the first.
    """

    observation_space = spaces.Box(-1.0, 1.0, (2,), np.float32)
    initial_draws = 4
    transition_draws = 2
    memory_span = "the whole episode"

    def __init__(self, noise_sigma: float = 0.1, time_limit: int = 200) -> None:
        self.noise_sigma = checked_deviation("noise_sigma", noise_sigma)
        self.time_limit = self.steps = checked_count("time_limit", time_limit)

    def initial(self, uniforms: np.ndarray) -> np.ndarray:
        """Spread angle and velocity, and draw the first noise: float64 [4, B]."""
        return np.concatenate([super().initial(uniforms[:2]), normals(uniforms[2:])])

    def transition(
        self, state: np.ndarray, action: np.ndarray, uniforms: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Take one semi-implicit Euler step of 0.05 s and draw noise."""
        state[:2], cost = advance(state[:2], action)
        state[2:] = normals(uniforms)
        return state, scaled_reward(cost, self.steps), np.zeros(len(cost), dtype=bool)

    def observe(self, state: np.ndarray) -> np.ndarray:
        """Show [cos(angle), sin(angle)] through the noise, float32 [B, 2]."""
        return with_noise(seen_direction(state), state[2:], self.noise_sigma, 1.0)

    def text(self, state: np.ndarray) -> str:
        """Draw the angle on a line, with the angular velocity and what is seen."""
        cos, sin = self.observe(state[:, None])[0]
        return f"{super().text(state)}; seen: ({cos:+.3f}, {sin:+.3f})"
