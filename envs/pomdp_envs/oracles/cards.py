"""Players of CountRecall and HigherLower."""

import numpy as np

from pomdp_envs.players import Player
from pomdp_envs.popgym.cards import RANKS, SUITS
from pomdp_envs.popgym.higher_lower import HIGHER, LOWER


class CountRecallOracle(Player):
    """Count every kind; the return is 1."""

    def begin(self) -> None:
        """Keep a count per kind and column."""
        self.counts = np.zeros((self.num_envs, self.dynamics.kinds), dtype=np.int64)

    def act(self, observation: np.ndarray, starts: np.ndarray) -> np.ndarray:
        """Count the card, and answer."""
        columns = np.arange(self.num_envs)
        self.counts[starts] = 0
        self.counts[columns, observation[:, 0]] += 1
        return self.counts[columns, observation[:, 1]]


class CountRecallMemoryless(Player):
    """Give the likeliest count, one where the card dealt is of the kind asked for and one where not."""

    def act(self, observation: np.ndarray, starts: np.ndarray) -> np.ndarray:
        """Look whether the two are the same."""
        same, other = self.dynamics.memoryless_counts
        return np.where(observation[:, 0] == observation[:, 1], same, other)


class HigherLowerOracle(Player):
    """Count the cards that are left, and guess the likelier side."""

    def begin(self) -> None:
        """Keep how many cards of each rank are left, per column."""
        self.left = np.zeros((self.num_envs, RANKS), dtype=np.int64)

    def act(self, observation: np.ndarray, starts: np.ndarray) -> np.ndarray:
        """Take the card out of those that are left, and compare both sides."""
        columns = np.arange(self.num_envs)
        self.left[starts] = SUITS * self.dynamics.cards // (SUITS * RANKS)
        self.left[columns, observation] -= 1
        up_to = self.left.cumsum(axis=1)
        higher = up_to[:, -1] - up_to[columns, observation]
        lower = up_to[columns, observation] - self.left[columns, observation]
        return np.where(higher > lower, HIGHER, LOWER)


class HigherLowerMemoryless(Player):
    """Guess "higher" below the middle rank."""

    def act(self, observation: np.ndarray, starts: np.ndarray) -> np.ndarray:
        """Compare with the middle rank."""
        return np.where(observation < RANKS // 2, HIGHER, LOWER)
