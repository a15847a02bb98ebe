"""Players of Concentration."""

import functools
from typing import NamedTuple

import numpy as np

from pomdp_envs.players import Player
from pomdp_envs.popgym.cards import COLORS


class TwoColours(NamedTuple):
    """The best play with two colours and no time limit.

    Attributes:
        gambles: bool [u, o, k, l], whether the first card is better followed by one that was never seen than by a known one
            of its colour. Before it was turned u cards of its colour and o of the other were never seen, and k and l were
            known and lay face down.
        failures: how many pairs do not match in a game, on average.
    """

    gambles: np.ndarray
    failures: float


@functools.cache
def two_colours(cards_of_a_colour: int) -> TwoColours:
    """Solve the game of the player that always turns a card first that was never seen, backwards over u, o, k, l."""
    n = cards_of_a_colour
    gambles = np.zeros((n + 1,) * 4, dtype=bool)
    failures = {(0, 0): np.zeros((n + 1, n + 1))}  # by (u, o): [n - u + 1, n - o + 1], over k and l

    def after(u: int, o: int) -> np.ndarray:
        """Return the failures to come, [n - u + 1, n - o + 1], once a card has been turned that is one of the u."""
        known = np.full((n - u + 1, n - o + 1), np.inf)
        known[1:] = failures[u - 1, o][:-2]
        unseen = np.zeros_like(known) if u + o > 1 else known
        if u > 1:
            unseen = unseen + (u - 1) / (u + o - 1) * failures[u - 2, o][: n - u + 1]
        if o > 0:
            unseen = unseen + o / (u + o - 1) * (1 + failures[u - 1, o - 1][1:, 1:])
        gambles[u, o, : n - u + 1, : n - o + 1] = unseen < known
        return np.minimum(unseen, known)

    for u, o in sorted(np.ndindex(n + 1, n + 1), key=sum)[1:]:
        mean = np.zeros((n - u + 1, n - o + 1))
        if u:
            mean += u / (u + o) * after(u, o)
        if o:
            mean += o / (u + o) * after(o, u).T
        failures[u, o] = mean
    return TwoColours(gambles, float(failures[n, n][0, 0]))


class ConcentrationOracle(Player):
    """Remember every card; turn a new one, then a known one of its kind, or another new one where that is better."""

    def begin(self) -> None:
        """Keep each card's kind (`kinds`: never seen), which cards lie face up, and the cards of the present pair."""
        shape = self.num_envs, self.dynamics.cards
        self.known, self.up = np.full(shape, self.dynamics.kinds), np.zeros(shape, dtype=bool)
        self.pair = np.full((2, self.num_envs), -1)  # -1: not turned yet
        self.of_a_kind = self.dynamics.cards // self.dynamics.kinds

    def act(self, observation: np.ndarray, starts: np.ndarray) -> np.ndarray:
        """Look at what was turned, then choose the first or the second card of a pair."""
        self.known[starts], self.up[starts], self.pair[:, starts] = self.dynamics.kinds, False, -1
        self.known = np.minimum(self.known, observation)
        self._keep_pairs()
        unseen = self.known == self.dynamics.kinds
        first, down = self.pair[0], ~self.up
        new_card = np.where(unseen.any(axis=1), unseen.argmax(axis=1), down.argmax(axis=1))
        columns, second = np.arange(self.num_envs), first >= 0
        partners = down & (self.known == self.known[columns, first][:, None])
        partners[columns, first] = False
        takes = second & partners.any(axis=1)
        if self.dynamics.kinds == COLORS:
            pairs = np.flatnonzero(takes)
            takes[pairs] = ~self._gambles(pairs, partners[pairs])
        chosen = np.where(takes, partners.argmax(axis=1), new_card)
        self.pair[second.astype(np.int64), columns] = chosen
        return chosen

    def _keep_pairs(self) -> None:
        """Note which pairs are complete, and begin the next ones."""
        over = np.flatnonzero(self.pair[1] >= 0)
        first, second = self.pair[:, over]
        same = self.known[over, first] == self.known[over, second]
        self.up[over[same], first[same]] = self.up[over[same], second[same]] = True
        self.pair[:, over] = -1

    def _gambles(self, columns: np.ndarray, partners: np.ndarray) -> np.ndarray:
        """Say where a new card is better than a partner.

        Args:
            columns: int64 [n], where a first card of two colours is turned.
            partners: bool [n, cards], which cards of its colour are known and lie face down.

        Returns:
            bool [n].
        """
        known, first = self.known[columns], self.pair[0, columns]
        other_colour = 1 - known[np.arange(len(columns)), first][:, None]
        same, other = known == 1 - other_colour, known == other_colour
        u, o = self.of_a_kind - same.sum(axis=1) + 1, self.of_a_kind - other.sum(axis=1)
        known_others = (other & ~self.up[columns]).sum(axis=1)
        any_left = u + o > 1
        u = np.minimum(u, self.of_a_kind)  # where none is left, the first card was no new one
        return two_colours(self.of_a_kind).gambles[u, o, partners.sum(axis=1), known_others] & any_left


class ConcentrationMemoryless(Player):
    """Turn any card that is not seen."""

    def begin(self) -> None:
        """Choose by chance."""
        self.rng = np.random.default_rng(0)

    def act(self, observation: np.ndarray, starts: np.ndarray) -> np.ndarray:
        """Choose among the cards that lie face down."""
        hidden = observation == self.dynamics.kinds
        return (self.rng.random(hidden.shape) * hidden).argmax(axis=1)
