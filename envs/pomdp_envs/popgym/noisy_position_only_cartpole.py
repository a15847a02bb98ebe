"""Balance a pole from noisy positions, with POPGym's rewards and episode lengths."""

import numpy as np
from gymnasium import spaces

from pomdp_envs.control.cartpole import SEEN_LIMITS, CartPole, advance, seen_positions
from pomdp_envs.dynamics import checked_count, checked_deviation
from pomdp_envs.popgym.noise import with_noise
from pomdp_envs.random import normals


class NoisyPositionOnlyCartPole(CartPole):
    """POPGym's NoisyPositionOnlyCartPole: PositionOnlyCartPole with normal noise on both numbers.

    Action space: Discrete(2): 0 pushes left, 1 right.
    Observation space: Box((2,), float32): position (m) and angle (rad), each with noise of standard deviation
        `noise_sigma` (in metres and in radians), clipped to +-4.8 m and +-24 degrees. The first one is noisy, too.
    Start: all four variables uniform in [-0.05, 0.05).
    Reward: 1 / time_limit per step, also for the one in which the pole falls. (popgym's code has a penalty of -1 for
        that, which never applies; kept.)
    End: terminated beyond 2.4 m or 12 degrees, truncated after `time_limit` steps (200 in all three difficulties).
    Hidden state: [position, velocity, angle, angular velocity, noise of the position, noise of the angle (both in
        standard deviations)], float64.

    The best return is at most 1; how near one can come to it through the noise is not known, neither with memory nor
    without. The noise of one observation is about as large as the angle at which the episode ends (0.21 rad), so that a
    policy has to average many of them. An extended Kalman filter with a linear switch gets 0.99, 0.59 and 0.34 in the three
    difficulties, the best linear policy of the current observation 0.24, 0.20 and 0.17.

    Args:
        noise_sigma: 0.1 (Easy), 0.2 (Medium) or 0.3 (Hard).
        time_limit: An episode's greatest length.

    Raises:
        ValueError: a standard deviation that is negative or no finite number, or a time limit that is no integer of at
            least 1.

    Source: popgym 1.0.7.

    Versions: v0, the first.
    """

    observation_space = spaces.Box(-SEEN_LIMITS, SEEN_LIMITS)
    initial_draws = 6
    transition_draws = 2
    memory_span = "the whole episode"

    def __init__(self, noise_sigma: float = 0.1, time_limit: int = 200) -> None:
        self.noise_sigma = checked_deviation("noise_sigma", noise_sigma)
        steps = self.time_limit = checked_count("time_limit", time_limit)
        self.step_reward = 1.0 / steps

    def initial(self, uniforms: np.ndarray) -> np.ndarray:
        """Spread the four variables over [-0.05, 0.05) and draw the first noise: float64 [6, B]."""
        return np.concatenate([super().initial(uniforms[:4]), normals(uniforms[4:])])

    def transition(
        self, state: np.ndarray, action: np.ndarray, uniforms: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Take one Euler step of 0.02 s and draw noise."""
        state[:4], terminated = advance(state[:4], action)
        state[4:] = normals(uniforms)
        return state, np.full(len(action), self.step_reward), terminated

    def observe(self, state: np.ndarray) -> np.ndarray:
        """Show [position, angle] through the noise, float32 [B, 2]."""
        return with_noise(seen_positions(state), state[4:], self.noise_sigma, SEEN_LIMITS)

    def text(self, state: np.ndarray) -> str:
        """Draw the cart on its track, with all four numbers and what is seen."""
        position, angle = self.observe(state[:, None])[0]
        return f"{super().text(state)}; seen: {position:+.3f} m, {np.degrees(angle):+.2f} deg"
