"""Swing up a pendulum from its direction, with POPGym's rewards and episode lengths."""

import numpy as np
from gymnasium import spaces

from pomdp_envs.control.pendulum import Pendulum, advance, seen_direction
from pomdp_envs.dynamics import checked_count

WORST_REWARD = -16.2736044  # of Gymnasium's: pi^2 + 0.1 * 8^2 + 0.001 * 2^2
MIDDLE = (0 - WORST_REWARD) / 2


class PositionOnlyPendulum(Pendulum):
    """POPGym's PositionOnlyPendulum: Gymnasium's Pendulum-v1 of which only the direction is seen.

    Action space: Box(-2, 2, (1,), float32): a torque; one outside is clipped.
    Observation space: Box(-1, 1, (2,), float32): cosine and sine of the angle, which is 0 upright.
    Start: angle uniform in [-pi, pi), angular velocity uniform in [-1, 1).
    Reward: (1 - cost / 8.1368022) / time_limit, in [-1, 1] / time_limit, where cost = angle^2 + 0.1 velocity^2 + 0.001
        torque^2 with the angle in [-pi, pi).
    End: never terminated; truncated after `time_limit` steps. (That is shorter where popgym calls it harder; kept.)
    Hidden state: [angle, angular velocity], float64.

    The return is below 1. The optimal one is not known in closed form, nor is the best memoryless one; to pump energy by the
    sign of the velocity and then to hold gets 0.90, 0.87 and 0.81 in the three difficulties, the best linear policy of the
    current observation 0.34 to 0.37.

    Args:
        time_limit: 200 (Easy), 150 (Medium) or 100 (Hard).

    Raises:
        ValueError: a time limit that is no integer, or below 1.

    Source: popgym 1.0.7, after the stateless pendulum of RLlib.

    Versions: v0, the first.
    """

    observation_space = spaces.Box(-1.0, 1.0, (2,), np.float32)
    memory_span = "2 steps"

    def __init__(self, time_limit: int = 200) -> None:
        self.time_limit = self.steps = checked_count("time_limit", time_limit)

    def transition(
        self, state: np.ndarray, action: np.ndarray, uniforms: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Take one semi-implicit Euler step of 0.05 s."""
        following, cost = advance(state, action)
        return following, scaled_reward(cost, self.steps), np.zeros(len(cost), dtype=bool)

    def observe(self, state: np.ndarray) -> np.ndarray:
        """Show [cos(angle), sin(angle)], float32 [B, 2]."""
        return seen_direction(state)


def scaled_reward(cost: np.ndarray, steps: int) -> np.ndarray:
    """Map costs [B] between 0 and 16.27 to rewards between +1 / steps and -1 / steps."""
    return (-cost + MIDDLE) / MIDDLE / steps
