"""Find the pairs among cards that lie face down."""

import math

import numpy as np
from gymnasium import spaces

from pomdp_envs.dynamics import Dynamics, checked_count
from pomdp_envs.pictures import tiles
from pomdp_envs.popgym.cards import COLOR_MARKS, COLORS, DECK, MOST_DECKS, RANK_MARKS, RANKS, colors, deal, ranks

# How often a perfect player turns two cards that do not match, by deck type and number of decks.
OPTIMAL_FAILURES = {
    ("colors", 1): 8.670579347399087,
    ("colors", 2): 17.334135279817062,
    ("ranks", 1): 13.917183345946398,
}
KINDS = {"colors": (COLORS, colors, COLOR_MARKS), "ranks": (RANKS, ranks, RANK_MARKS)}
NONE = -1


class Concentration(Dynamics):
    """n cards lie face down; the agent turns one a step, and two in a row that are of one kind stay face up.

    Action space: Discrete(n): the place of the card to turn.
    Observation space: MultiDiscrete([kinds + 1] * n): the kind of each card that is seen (face up, or just turned), or
        `kinds` where it lies face down.
    Start: n = 52 num_decks cards in random order, face down.
    Reward: 2 / n for the second card of a pair. -1 / L per card turned where the pair does not match, or where one of them
        lies face up already (at once, even if it is the first of the two); L is the time limit. 0 for a first card. (Turning
        one card twice is a pair that does not match.)
    End: terminated when all cards lie face up; truncated after L = ceil(2n - n / (2n - 1)) steps.
    Hidden state: [kind of each card (n entries), the same where it lies face up for good and `kinds` where not (n), pairs
        found, the place of the first card of the present pair (-1: none), the places of the one or two cards that were
        turned last (-1: none)], int16.

    The best return is 1 - E[failures] / n, where failures are pairs that do not match: 0.8333 (Easy, Medium) and 0.7324
    (Hard). It is reached by turning a card that was never seen first, and then one of its kind that was, or another one
    that was never seen. Among 13 ranks the known card is always the better choice; with two colours some situations
    call for the gamble, as it may spare the known card. The figures are the solution of the game without its
    time limit (backwards over how many cards of each kind were never seen and how many are known and lie face down),
    and the time limit takes nothing away: a failure of this policy shows two new cards, so there are at most n / 2 of
    them, and n / 2 pairs and n / 2 failures fit into L = 2n steps. For other numbers of decks the figure is not stated.

    The best return without memory is not known. Turning cards that lie face down by chance is one such policy; it gets
    about 0.44, 0.47 and -0.82 in the three ids. It may not be the best: the observation shows the cards that were turned
    last, so a policy may tell itself something by where it turns the next one.

    Args:
        num_decks: 1 (Easy, Hard) or 2 (Medium) in the suite.
        deck_type: "colors" (Easy, Medium) or "ranks" (Hard): what a kind is.

    Raises:
        ValueError: no integer from 1 to 630, or another deck type.

    Source: POPGym 1.0.7, Concentration.

    Versions: v0, the first.
    """

    memory_span = "the whole episode"
    draws_pictures = True

    def __init__(self, num_decks: int = 1, deck_type: str = "colors") -> None:
        self.cards = self.initial_draws = DECK * checked_count("num_decks", num_decks, most=MOST_DECKS)
        if deck_type not in KINDS:
            raise ValueError(f"deck_type must be one of {sorted(KINDS)}, not {deck_type!r}")
        self.kinds, self._kind_of, self._marks = KINDS[deck_type]
        self._colours = colours(self.kinds)
        self.time_limit = math.ceil(2 * self.cards - self.cards / (2 * self.cards - 1))
        self.observation_space = spaces.MultiDiscrete(np.full(self.cards, self.kinds + 1))
        self.action_space = spaces.Discrete(self.cards)
        failure = -1 / self.time_limit
        self._rewards = np.array([0.0, failure, 2 * failure, 1 / (self.cards // 2)])
        failures = OPTIMAL_FAILURES.get((deck_type, self.cards // DECK))
        self.optimal_return = None if failures is None else 1 - failures / self.cards

    def initial(self, uniforms: np.ndarray) -> np.ndarray:
        """Shuffle, and turn all cards face down."""
        kinds = self._kind_of(deal(uniforms))
        places = np.full((4, kinds.shape[1]), NONE, dtype=np.int16)
        places[0] = 0  # pairs
        return np.concatenate([kinds, np.full_like(kinds, self.kinds), places])  # [2n + 4, B]

    def transition(
        self, state: np.ndarray, action: np.ndarray, uniforms: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Turn a card, and judge the pair or a card that was face up already."""
        columns = np.arange(len(action))
        up, pairs, turned = state[self.cards : 2 * self.cards], state[-4], state[-3:]
        kind = state[action, columns]
        first = turned[0].copy()  # [B]
        second = first != NONE
        already = up[action, columns] != self.kinds
        same_kind = state[first, columns] == kind  # of no meaning where there is no first card
        pair = second & ~already & same_kind & (first != action)
        over = second | already
        turned[0] = np.where(over, NONE, action)
        turned[1] = np.where(second, first, action)
        turned[2] = np.where(second, action, NONE)
        found = np.flatnonzero(pair)
        up[first[found], found] = up[action[found], found] = kind[found]
        pairs += pair
        worth = over.astype(np.int64) + second + pair  # nothing, one card or two in vain, a pair
        return state, self._rewards[worth], pairs == self.cards // 2

    def observe(self, state: np.ndarray) -> np.ndarray:
        """Show the cards that are face up or were turned last, int64 [B, n]."""
        seen = state[self.cards : 2 * self.cards].T.astype(np.int64, order="C")  # [B, n]
        for place in state[-2:]:
            there = np.flatnonzero(place != NONE)
            seen[there, place[there]] = state[place[there], there]
        return seen

    def text(self, state: np.ndarray) -> str:
        """Write all cards, 13 a line, those that lie face down in brackets."""
        seen = self.observe(state[:, None])[0] < self.kinds
        names = [self._marks[kind] for kind in state[: self.cards].tolist()]
        cells = [f" {name} " if is_seen else f"({name})" for name, is_seen in zip(names, seen, strict=True)]
        return "\n".join("".join(cells[i : i + RANKS]) for i in range(0, self.cards, RANKS))

    def picture(self, state: np.ndarray) -> np.ndarray:
        """Draw the cards as tiles, 13 a row: green face down, otherwise in the colour of their kind."""
        return tiles(self._colours[self.observe(state[:, None]).reshape(-1, RANKS)], gap=1)


def colours(kinds: int) -> np.ndarray:
    """Return uint8 [kinds + 1, 3]: a colour for each kind, from black over red to yellow, and green for a card's back."""
    shade = np.linspace(0, 1, kinds)
    red, green = np.minimum(40 + 430 * shade, 230), np.where(kinds > COLORS, 230 * np.maximum(2 * shade - 1, 0), 30)
    faces = np.stack([red, green, np.full(kinds, 40)], axis=1)
    return np.concatenate([faces, [[40, 120, 70]]]).astype(np.uint8)
