"""Balance a pole from positions, with POPGym's rewards and episode lengths."""

import numpy as np
from gymnasium import spaces

from pomdp_envs.control.cartpole import SEEN_LIMITS, CartPole, advance, seen_positions
from pomdp_envs.dynamics import checked_count


class PositionOnlyCartPole(CartPole):
    """POPGym's PositionOnlyCartPole: Gymnasium's CartPole-v1 of which only [position, angle] is seen.

    Action space: Discrete(2): 0 pushes left, 1 right.
    Observation space: Box((2,), float32): position (m) and angle (rad).
    Start: all four variables uniform in [-0.05, 0.05).
    Reward: 1 / time_limit per step, also for the one in which the pole falls. (popgym's code has a penalty of -1 for
        that, which never applies, because Gymnasium's reward is 1 there; kept.)
    End: terminated beyond 2.4 m or 12 degrees, truncated after `time_limit` steps.
    Hidden state: [position, velocity, angle, angular velocity], float64.

    The best return is 1: two positions give the velocity between them, and that is enough to balance from every start.
    No linear policy of the current observation balances; what a nonlinear or a random one could do is not known.

    Args:
        time_limit: 200 (Easy), 400 (Medium) or 600 (Hard).

    Raises:
        ValueError: a time limit that is no integer, or below 1.

    Source: popgym 1.0.7, after the stateless cart-pole of RLlib.

    Versions: v0, the first.
    """

    observation_space = spaces.Box(-SEEN_LIMITS, SEEN_LIMITS)
    memory_span = "2 steps"
    optimal_return = 1.0

    def __init__(self, time_limit: int = 200) -> None:
        steps = self.time_limit = checked_count("time_limit", time_limit)
        self.step_reward = 1.0 / steps

    def transition(
        self, state: np.ndarray, action: np.ndarray, uniforms: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Take one Euler step of 0.02 s."""
        following, terminated = advance(state, action)
        return following, np.full(len(action), self.step_reward), terminated

    def observe(self, state: np.ndarray) -> np.ndarray:
        """Show [position, angle], float32 [B, 2]."""
        return seen_positions(state)
