"""Players of CountRecall, HigherLower and Concentration."""

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


class ConcentrationOracle(Player):
    """Remember every card; take a known pair where there is one, otherwise turn a card that was never seen.

    Not proven to be the best, but it never turns a card in vain that it knows.
    """

    def begin(self) -> None:
        """Keep each card's kind (-1: never seen), which cards lie face up, and the first card of the present pair."""
        shape = self.num_envs, self.dynamics.cards
        self.known, self.up = np.full(shape, -1), np.zeros(shape, dtype=bool)
        self.first, self.last = np.full((2, self.num_envs), -1)

    def act(self, observation: np.ndarray, starts: np.ndarray) -> np.ndarray:
        """Look at what was turned, then choose the first or the second card of a pair."""
        self._look(observation, starts)
        columns, kinds = np.arange(self.num_envs), self.dynamics.kinds
        free = (self.known[:, :, None] == np.arange(kinds)) & ~self.up[:, :, None]  # [B, n, kinds]: known, face down
        chosen = self._unseen()
        of_a_kind = free.sum(axis=1)  # [B, kinds]
        has_pair = (of_a_kind >= 2).any(axis=1)
        pair_card = free[columns, :, (of_a_kind >= 2).argmax(axis=1)].argmax(axis=1)
        second = self.first >= 0
        chosen = np.where(~second & has_pair, pair_card, chosen)
        partners = free[columns, :, np.maximum(self.known[columns, self.first], 0)]  # [B, n]
        partners[columns, self.first] = False
        chosen = np.where(second & partners.any(axis=1), partners.argmax(axis=1), chosen)
        self.last = chosen
        return chosen

    def _look(self, observation: np.ndarray, starts: np.ndarray) -> None:
        self.known[starts], self.up[starts], self.first[starts], self.last[starts] = -1, False, -1, -1
        shown = observation < self.dynamics.kinds
        self.known[shown] = observation[shown]
        turned = np.flatnonzero(self.last >= 0)
        pairs = turned[self.first[turned] >= 0]
        for place in (self.first, self.last):
            same = self.known[pairs, self.first[pairs]] == self.known[pairs, self.last[pairs]]
            self.up[pairs[same], place[pairs[same]]] = True
        following = np.where(self.first >= 0, -1, self.last)
        self.first = following

    def _unseen(self) -> np.ndarray:
        """Return the first card [B] that was never seen; where there is none, one that lies face down."""
        unseen = self.known < 0
        return np.where(unseen.any(axis=1), unseen.argmax(axis=1), (~self.up).argmax(axis=1))


class ConcentrationMemoryless(Player):
    """Turn any card that is not seen."""

    def begin(self) -> None:
        """Choose by chance."""
        self.rng = np.random.default_rng(0)

    def act(self, observation: np.ndarray, starts: np.ndarray) -> np.ndarray:
        """Choose among the cards that lie face down."""
        hidden = observation == self.dynamics.kinds
        return (self.rng.random(hidden.shape) * hidden).argmax(axis=1)
