"""Say the suit of the card that was dealt k cards ago."""

import numpy as np
from gymnasium import spaces

from pomdp_envs.dynamics import Dynamics, checked_count
from pomdp_envs.popgym.cards import DECK, MOST_DECKS, SUIT_MARKS, SUITS, deal, marks, suits


class RepeatPrevious(Dynamics):
    """A deck is dealt face up, one card a step; the agent names the suit of the k-th card from the end.

    Action space: Discrete(4): a suit.
    Observation space: Discrete(4): the suit of the card that was dealt last.
    Start: n = 52 num_decks cards in random order, of which the first is dealt.
    Reward: 0 as long as fewer than k cards are dealt; then 1 / (n - k) for the suit of the card k - 1 before the last one
        (the last one itself for k = 1; popgym's text says k = 0, its code does this; kept), -1 / (n - k) for another.
    End: terminated when the deck is empty, after n - 1 steps; never truncated.
    Hidden state: [suit of each card in the order of dealing (n entries), cards dealt - 1], int16.

    The best return is 1. Without memory (k > 1) the best policy names a suit other than the one that it sees, which is
    right with probability (n / 4) / (n - 1).

    Args:
        num_decks: 1 (Easy), 2 (Medium) or 3 (Hard) in the suite.
        k: 4, 32 or 64.

    Raises:
        ValueError: no positive integer, more than 630 decks, or k is no less than the number of cards.

    Source: POPGym 1.0.7, RepeatPrevious.

    Versions: v0, the first.
    """

    observation_space = spaces.Discrete(SUITS)
    action_space = spaces.Discrete(SUITS)
    time_limit = None
    optimal_return = 1.0

    def __init__(self, num_decks: int = 1, k: int = 4) -> None:
        self.cards = self.initial_draws = DECK * checked_count("num_decks", num_decks, most=MOST_DECKS)
        self.episode_length = self.cards - 1
        self.back = checked_count("k", k) - 1
        if k >= self.cards:
            raise ValueError(f"k={k} must be less than the {self.cards} cards; take more decks or a smaller k")
        self._reward = 1 / (self.cards - k)
        self.memory_span = f"{self.back} steps"
        self.memoryless_return = 1.0 if k == 1 else 2 * (self.cards / SUITS) / (self.cards - 1) - 1

    def initial(self, uniforms: np.ndarray) -> np.ndarray:
        """Shuffle, and deal the first card."""
        return np.concatenate([suits(deal(uniforms)), np.zeros((1, uniforms.shape[1]), dtype=np.int16)])  # [n + 1, B]

    def transition(
        self, state: np.ndarray, action: np.ndarray, uniforms: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Compare with the card in question and deal the next one."""
        position = state[-1]
        asked = state[np.maximum(position - self.back, 0), np.arange(len(action))]
        reward = np.where(action == asked, self._reward, -self._reward)
        reward[position < self.back] = 0.0
        position += 1
        return state, reward, position == self.cards - 1

    def observe(self, state: np.ndarray) -> np.ndarray:
        """Show the last card's suit, int64 [B]."""
        return state[state[-1], np.arange(state.shape[1])].astype(np.int64)

    def text(self, state: np.ndarray) -> str:
        """Write the cards that were dealt, the one in question in brackets."""
        dealt, asked = marks(SUIT_MARKS, state[: state[-1] + 1]), int(state[-1]) - self.back
        return dealt if asked < 0 else f"{dealt[:asked]}[{dealt[asked]}]{dealt[asked + 1 :]}"
