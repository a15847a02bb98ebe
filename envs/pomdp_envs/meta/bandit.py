"""What both bandits share: a world without a state, in which one pull is an episode."""

import numpy as np
from gymnasium import spaces

from pomdp_envs.dynamics import checked_count
from pomdp_envs.meta.trials import TrialDynamics

NOTHING = spaces.Box(0.0, 1.0, (0,), np.float32)


class Bandit(TrialDynamics):
    """Arms that pay by chance; the task is one number per arm.

    Args:
        arms: How many.
        pulls: Episodes of one step each.
        tasks: See `TrialDynamics`.

    Raises:
        ValueError: no positive integer, or an unknown `tasks`.
    """

    world_size = 0

    def __init__(self, arms: int, pulls: int, tasks: str) -> None:
        self.arms = self.task_size = checked_count("arms", arms)
        self.pulls = checked_count("pulls", pulls)
        super().__init__(NOTHING, spaces.Discrete(self.arms), episodes=self.pulls, episode_steps=1, tasks=tasks)

    def start(self, task: np.ndarray, uniforms: np.ndarray) -> np.ndarray:
        """Return no rows: [0, B]."""
        return np.empty((0, task.shape[1]))

    def see(self, task: np.ndarray, world: np.ndarray) -> np.ndarray:
        """Show nothing, float32 [B, 0]; the pull and what it paid are the trial's."""
        return np.empty((task.shape[1], 0), dtype=np.float32)

    def sketch(self, task: np.ndarray, world: np.ndarray) -> str:
        """Write the number of every arm."""
        return "  ".join(f"arm {arm}: {number:.3f}" for arm, number in enumerate(task.tolist()))
