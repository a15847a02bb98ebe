"""Find the arm with the highest mean under noise, within a fixed number of pulls."""

import numpy as np

from pomdp_envs.dynamics import checked_count
from pomdp_envs.meta.bandit import Bandit
from pomdp_envs.random import normals

OPTIMA = {(2, 10): 3.84561, (2, 100): 52.31353}  # by arms and pulls


class GaussianBandit(Bandit):
    """Every arm pays normal numbers around a mean of its own, which stays for the whole trial and is then drawn anew.

    Action space: Discrete(arms): the arm to pull.
    Observation space: Box(float32, (arms + 2,)): the previous pull one-hot, what it paid, and whether an episode ended
        (1 from the first pull on, since a pull is an episode); all 0 at the start.
    Start: the means are independent and standard normal.
    Reward: normal around the arm's mean with variance 1.
    End: a trial terminates after `pulls` pulls; it is never truncated.
    Hidden state: [each arm's mean (arms entries), steps in this episode, pulls, ended, previous pull, previous reward],
        float64.

    For two arms the best return is computed by dynamic programming over the posterior: 52.3135 within 100 pulls,
    3.8456 within 10 (`oracles.gaussian_bandit.best_return`; the difference of the two posterior means is on a grid). For
    more arms it is not known. A policy without memory sees the last pull and what it paid; the best of those is not known,
    and to stay with an arm as long as it pays more than nothing is a good one.

    Args:
        arms: 2 unless given.
        pulls: 100 unless given.
        tasks: "all", "train" or "held-out": which means are drawn; they are made of a uniform number that is an even
            multiple of 2^-53 in training and an odd one when held out.

    Raises:
        ValueError: no positive integer, or an unknown `tasks`.

    Source: Sutton and Barto (2018), "Reinforcement learning: an introduction", section 2.3 (means and noise; their testbed
        has 10 arms).

    Versions: v0, the first.
    """

    advance_draws = 2

    def __init__(self, arms: int = 2, pulls: int = 100, tasks: str = "all") -> None:
        arms = checked_count("arms", arms)
        self.task_draws = arms + arms % 2
        super().__init__(arms, pulls, tasks)
        self.optimal_return = OPTIMA.get((self.arms, self.pulls))

    def sample_task(self, uniforms: np.ndarray) -> np.ndarray:
        """Draw the means."""
        return normals(uniforms)[: self.arms]

    def advance(
        self, task: np.ndarray, world: np.ndarray, action: np.ndarray, uniforms: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Pull."""
        reward = task[action, np.arange(len(action))] + normals(uniforms)[0]
        return world, reward, np.ones(len(action), dtype=bool)
