"""Players of the multi-armed bandit."""

import numpy as np

from pomdp_envs.players import Player


class BanditOracle(Player):
    """Pull the arm with the best mean plus a bonus for what is not yet known about it, which shrinks towards the end.

    The belief about an arm is a Beta(paid + 1, pulled - paid + 1) distribution; the index is its mean plus CAUTION
    standard deviations times the square root of the remaining share of the episode.
    """

    CAUTION = 1.7  # the best of 0.6 to 2.0 in all three difficulties

    def begin(self) -> None:
        """Count pulls and payouts per arm, [num_bandits, B]."""
        self.pulled = np.zeros((self.dynamics.num_bandits, self.num_envs))
        self.paid = np.zeros_like(self.pulled)
        self.arm = np.zeros(self.num_envs, dtype=np.int64)

    def act(self, observation: np.ndarray, starts: np.ndarray) -> np.ndarray:
        """Book the last outcome and choose the best index."""
        columns = np.arange(self.num_envs)
        self.pulled[self.arm, columns] += 1
        self.paid[self.arm, columns] += observation
        self.pulled[:, starts] = self.paid[:, starts] = 0
        mean = (self.paid + 1) / (self.pulled + 2)
        deviation = np.sqrt(mean * (1 - mean) / (self.pulled + 3))
        remaining = 1 - self.pulled.sum(axis=0) / self.dynamics.time_limit
        self.arm = (mean + self.CAUTION * np.sqrt(np.maximum(remaining, 0)) * deviation).argmax(axis=0)
        return self.arm


class BanditMemoryless(Player):
    """Pull arm 0 after a payout and any other arm, at random, after none.

    One arm alone pays half of the time, and so, in the long run, does every pair of arms (one after a payout, one after
    none). To stay with one arm while it pays, and to leave it for a mixture of the others, pays more.
    """

    def begin(self) -> None:
        """Bring dice."""
        self.rng = np.random.default_rng(0)

    def act(self, observation: np.ndarray, starts: np.ndarray) -> np.ndarray:
        """Stay with arm 0 as long as it pays."""
        others = self.rng.integers(1, self.dynamics.num_bandits, self.num_envs)
        return np.where(observation == 1, 0, others)
