"""Count how often each kind of card was dealt."""

import functools
import math

import numpy as np
from gymnasium import spaces

from pomdp_envs.dynamics import Dynamics, checked_count
from pomdp_envs.popgym.cards import (
    COLOR_MARKS,
    COLORS,
    DECK,
    MOST_DECKS,
    RANK_MARKS,
    RANKS,
    SUIT_MARKS,
    SUITS,
    colors,
    deal,
    ranks,
    suits,
)

KINDS = {
    "colors": (COLORS, colors, COLOR_MARKS),
    "suits": (SUITS, suits, SUIT_MARKS),
    "ranks": (RANKS, ranks, RANK_MARKS),
}


class CountRecall(Dynamics):
    """Two decks are dealt in parallel, one card of each a step: how many cards of the second's kind has the first shown?

    Action space: Discrete(n / kinds + 1): a count.
    Observation space: MultiDiscrete([kinds, kinds]): the kinds of the card that was dealt and of the card that is asked for.
    Start: two decks of n = 52 num_decks cards in random order, of which the first cards are dealt.
    Reward: 1 / (n - 1) for the number of cards dealt so far (the last one included) that have the kind that is asked for,
        -1 / (n - 1) for another number, however close (popgym's `error_clamp` has no effect; left out).
    End: terminated when the decks are empty, after n - 1 steps; never truncated.
    Hidden state: [kind of each card of the first deck (n entries), of the second (n), cards dealt - 1, how many of each
        kind were dealt (kinds)], int16.

    The best return is 1. Without memory the best count depends on whether the two kinds that are seen are the same: it is
    the mode of the number of cards of a kind among those dealt, over all steps of an episode (`memoryless_counts`).

    Args:
        num_decks: 1 (Easy), 2 (Medium) or 4 (Hard) in the suite.
        deck_type: "colors", "suits" or "ranks": what a kind is.

    Raises:
        ValueError: no integer from 1 to 630, or another deck type.

    Source: POPGym 1.0.7, CountRecall.

    Versions: v0, the first.
    """

    time_limit = None
    memory_span = "the whole episode"
    optimal_return = 1.0

    def __init__(self, num_decks: int = 1, deck_type: str = "colors") -> None:
        self.cards = DECK * checked_count("num_decks", num_decks, most=MOST_DECKS)
        self.episode_length = self.cards - 1
        if deck_type not in KINDS:
            raise ValueError(f"deck_type must be one of {sorted(KINDS)}, not {deck_type!r}")
        self.kinds, self._kind_of, self._marks = KINDS[deck_type]
        self.initial_draws = 2 * self.cards
        self.observation_space = spaces.MultiDiscrete([self.kinds] * 2)
        self.action_space = spaces.Discrete(self.cards // self.kinds + 1)
        self._reward = 1 / (self.cards - 1)
        self.memoryless_counts, chance = memoryless_counts(self.cards, self.kinds)
        self.memoryless_return = 2 * chance - 1

    def initial(self, uniforms: np.ndarray) -> np.ndarray:
        """Shuffle both decks, and deal their first cards."""
        shown, asked = (self._kind_of(deal(numbers)) for numbers in np.split(uniforms, 2))
        counts = np.arange(self.kinds, dtype=np.int16)[:, None] == shown[0]
        return np.concatenate([shown, asked, np.zeros_like(shown[:1]), counts.astype(np.int16)])  # [2n + 1 + kinds, B]

    def transition(
        self, state: np.ndarray, action: np.ndarray, uniforms: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Compare with the count, and deal the next cards."""
        columns = np.arange(len(action))
        position, counts = state[2 * self.cards], state[2 * self.cards + 1 :]
        asked = state[self.cards + position, columns]
        reward = np.where(action == counts[asked, columns], self._reward, -self._reward)
        position += 1
        counts[state[position, columns], columns] += 1
        return state, reward, position == self.cards - 1

    def observe(self, state: np.ndarray) -> np.ndarray:
        """Show the last card of either deck, int64 [B, 2]."""
        position, columns = state[2 * self.cards], np.arange(state.shape[1])
        seen = np.empty((state.shape[1], 2), dtype=np.int64)
        seen[:, 0] = state[position, columns]
        seen[:, 1] = state[self.cards + position, columns]
        return seen

    def text(self, state: np.ndarray) -> str:
        """Write the last card, the one that is asked for, and how many of each kind were dealt."""
        position, counts = state[2 * self.cards], state[2 * self.cards + 1 :]
        shown, asked = self._marks[state[position]], self._marks[state[self.cards + position]]
        tally = " ".join(f"{mark}:{count}" for mark, count in zip(self._marks, counts.tolist(), strict=True))
        return f"dealt {shown}, how many {asked}? {tally}"


@functools.cache
def memoryless_counts(cards: int, kinds: int) -> tuple[tuple[int, int], float]:
    """Return the best answers where the card dealt is of the kind asked for and where not, and how often they are right.

    Any of the n - 1 observations is equally likely to be the one at hand. With t further cards dealt, the count is
    hypergeometric: t of n - 1 cards, of which n / kinds are of the kind (one less, and one more counted, if the last is).
    """
    of_a_kind = cards // kinds
    right, answers = 0.0, []
    for same, chance in ((1, 1 / kinds), (0, 1 - 1 / kinds)):
        ways = [0.0] * (of_a_kind + 1)
        for t in range(cards - 1):
            total = math.comb(cards - 1, t)
            for drawn in range(min(t, of_a_kind - same) + 1):
                others = cards - 1 - (of_a_kind - same)
                ways[drawn + same] += math.comb(of_a_kind - same, drawn) * math.comb(others, t - drawn) / total
        answers.append(max(range(len(ways)), key=ways.__getitem__))
        right += chance * max(ways) / (cards - 1)
    return (answers[0], answers[1]), right
