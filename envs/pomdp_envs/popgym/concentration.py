"""Find the pairs among cards that lie face down."""

import math

import numpy as np
from gymnasium import spaces

from pomdp_envs.dynamics import Dynamics, checked_count
from pomdp_envs.popgym.cards import COLOR_MARKS, COLORS, DECK, RANK_MARKS, RANKS, colors, deal, ranks

KINDS = {"colors": (COLORS, colors, COLOR_MARKS), "ranks": (RANKS, ranks, RANK_MARKS)}
NONE = -1


class Concentration(Dynamics):
    """n cards lie face down; the agent turns one a step, and two in a row that are of one kind stay face up.

    Action space: Discrete(n): the place of the card to turn.
    Observation space: MultiDiscrete([kinds + 1] * n): the kind of each card that is seen (face up, or just turned), or
        `kinds` where it lies face down.
    Start: n = 52 num_decks cards in random order, face down.
    Reward: 2 / n for the second card of a pair. -1 / L per card turned where the pair does not match, or where one of them
        lies face up already (at once, even if it is the first of the two); L is the time limit. 0 for a first card.
    End: terminated when all cards lie face up; truncated after L = ceil(2n - n / (2n - 1)) steps.
    Hidden state: [kind of each card (n entries), whether it lies face up (n), the place of the first card of the present
        pair (-1: none), the places of the one or two cards that were turned last (-1: none)], int16.

    The best return is not known in closed form. Without memory nothing is known of the cards that lie face down: the best
    is to turn any of them by chance.

    Args:
        num_decks: 1 (Easy, Hard) or 2 (Medium) in the suite.
        deck_type: "colors" (Easy, Medium) or "ranks" (Hard): what a kind is.

    Raises:
        ValueError: no positive integer, or another deck type.

    Source: POPGym 1.0.7, Concentration.

    Versions: v0, the first.
    """

    memory_span = "the whole episode"

    def __init__(self, num_decks: int = 1, deck_type: str = "colors") -> None:
        self.cards = self.initial_draws = DECK * checked_count("num_decks", num_decks)
        if deck_type not in KINDS:
            raise ValueError(f"deck_type must be one of {sorted(KINDS)}, not {deck_type!r}")
        self.kinds, self._kind_of, self._marks = KINDS[deck_type]
        self.time_limit = math.ceil(2 * self.cards - self.cards / (2 * self.cards - 1))
        self.observation_space = spaces.MultiDiscrete(np.full(self.cards, self.kinds + 1))
        self.action_space = spaces.Discrete(self.cards)
        self._success, self._failure = 1 / (self.cards // 2), -1 / self.time_limit

    def initial(self, uniforms: np.ndarray) -> np.ndarray:
        """Shuffle, and turn all cards face down."""
        kinds = self._kind_of(deal(uniforms))
        turned = np.full((3, kinds.shape[1]), NONE, dtype=np.int16)
        return np.concatenate([kinds, np.zeros_like(kinds), turned])  # [2n + 3, B]

    def transition(
        self, state: np.ndarray, action: np.ndarray, uniforms: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Turn a card, and judge the pair or a card that was face up already."""
        columns = np.arange(len(action))
        face_up, turned = state[self.cards : 2 * self.cards], state[2 * self.cards :]
        first = turned[0].copy()  # [B]
        second = first != NONE
        already = face_up[action, columns] == 1
        same_kind = state[first, columns] == state[action, columns]  # of no meaning where there is no first card
        pair = second & ~already & same_kind & (first != action)
        over = second | already
        reward = np.where(pair, self._success, np.where(second, 2 * self._failure, self._failure))
        reward[~over] = 0.0
        turned[1] = np.where(second, first, action)
        turned[2] = np.where(second, action, NONE)
        turned[0] = np.where(over, NONE, action)
        won = columns[pair]
        face_up[first[won], won] = 1
        face_up[action[won], won] = 1
        terminated = np.zeros(len(action), dtype=bool)
        terminated[won] = face_up[:, won].all(axis=0)
        return state, reward, terminated

    def observe(self, state: np.ndarray) -> np.ndarray:
        """Show the cards that are face up or were turned last, int64 [B, n]."""
        columns = np.arange(state.shape[1])
        kinds, face_up, turned = state[: self.cards], state[self.cards : 2 * self.cards], state[2 * self.cards :]
        seen = np.where(face_up == 1, kinds, np.int16(self.kinds))
        for place in turned[1:]:
            there = columns[place != NONE]
            seen[place[there], there] = kinds[place[there], there]
        return seen.T.astype(np.int64, order="C")  # [B, n]

    def text(self, state: np.ndarray) -> str:
        """Write all cards, those that lie face down in brackets, 13 a line."""
        up = state[self.cards : 2 * self.cards]
        cells = [
            f" {self._marks[kind]} " if up[i] else f"({self._marks[kind]})"
            for i, kind in enumerate(state[: self.cards].tolist())
        ]
        return "\n".join("".join(cells[i : i + RANKS]) for i in range(0, self.cards, RANKS))
