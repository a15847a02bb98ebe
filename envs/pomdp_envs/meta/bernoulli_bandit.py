"""Find the arm that pays most often, within a fixed number of pulls."""

import numpy as np

from pomdp_envs.meta.bandit import Bandit

OPTIMA = {(2, 10): 6.0217857142857145, (2, 100): 64.91842065102297}  # by arms and pulls


class BernoulliBandit(Bandit):
    """Every arm pays 1 with a probability of its own, which stays for the whole trial and is drawn anew for the next.

    Action space: Discrete(arms): the arm to pull.
    Observation space: Box(float32, (arms + 2,)): the previous pull one-hot, what it paid, and whether an episode ended
        (1 from the first pull on, since a pull is an episode); all 0 at the start.
    Start: the probabilities are independent and uniform in [0, 1).
    Reward: 1 with the arm's probability, otherwise 0.
    End: a trial terminates after `pulls` pulls; it is never truncated.
    Hidden state: [each arm's probability (arms entries), steps in this episode, pulls, ended, previous pull, previous
        reward], float64.

    For two arms the best return is computed by dynamic programming over the counts of ones and zeros (a uniform prior
    makes them sufficient): 64.92 within 100 pulls, 6.02 within 10 (`oracles.bernoulli_bandit.best_return`). For more arms it
    is not known in closed form. A policy without memory sees the last pull and what it paid; the best of those is not
    known, and to stay with an arm until it fails is a good one.

    Args:
        arms: 2 unless given.
        pulls: 100 unless given.
        tasks: "all", "train" or "held-out": which probabilities are drawn. The first arm's is an even multiple of 2^-53 in
            training and an odd one when held out.

    Raises:
        ValueError: no positive integer, or an unknown `tasks`.

    Source: Wang et al. (2016), "Learning to reinforcement learn", section 3.1.1 (two independent arms, 100 pulls); Duan et
        al. (2016), "RL^2", section 3.1 (more arms).

    Versions: v0, the first.
    """

    advance_draws = 1

    def __init__(self, arms: int = 2, pulls: int = 100, tasks: str = "all") -> None:
        self.task_draws = arms
        super().__init__(arms, pulls, tasks)
        self.optimal_return = OPTIMA.get((self.arms, self.pulls))

    def sample_task(self, uniforms: np.ndarray) -> np.ndarray:
        """Take the uniform numbers as the probabilities."""
        return uniforms

    def advance(
        self, task: np.ndarray, world: np.ndarray, action: np.ndarray, uniforms: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Pull."""
        paid = uniforms[0] < task[action, np.arange(len(action))]
        return world, paid.astype(np.float64), np.ones(len(action), dtype=bool)
