"""Say the suit of the first card at every step."""

import numpy as np
from gymnasium import spaces

from pomdp_envs.dynamics import Dynamics, checked_count
from pomdp_envs.popgym.cards import DECK, MOST_DECKS, SUIT_MARKS, SUITS, deal, marks, suits


class RepeatFirst(Dynamics):
    """A deck is dealt face up, one card a step; the agent names the suit of the first card, again and again.

    Action space: Discrete(4): a suit.
    Observation space: Discrete(4): the suit of the card that was dealt last.
    Start: n = 52 num_decks cards in random order, of which the first is dealt.
    Reward: 1 / (n - 1) for the first card's suit, -1 / (n - 1) for another.
    End: terminated when the deck is empty, after n - 1 steps; never truncated.
    Hidden state: [suit of each card in the order of dealing (n entries), cards dealt - 1], int16.

    The best return is 1. Without memory the best policy names the suit that it sees: it is right at the first step, and
    later with probability (n / 4 - 1) / (n - 1), less often than with another suit, which loses more at the first step.

    Args:
        num_decks: 1 (Easy), 8 (Medium) or 16 (Hard) in the suite.

    Raises:
        ValueError: no integer from 1 to 630.

    Source: POPGym 1.0.7, RepeatFirst.

    Versions: v0, the first.
    """

    observation_space = spaces.Discrete(SUITS)
    action_space = spaces.Discrete(SUITS)
    time_limit = None
    memory_span = "the whole episode"
    optimal_return = 1.0

    def __init__(self, num_decks: int = 1) -> None:
        self.cards = self.initial_draws = DECK * checked_count("num_decks", num_decks, most=MOST_DECKS)
        self.episode_length = self.cards - 1
        self._reward = 1 / (self.cards - 1)
        chance = (self.cards / SUITS - 1) / (self.cards - 1)  # of the same suit at a later step
        self.memoryless_return = self._reward * (1 + (self.cards - 2) * (2 * chance - 1))

    def initial(self, uniforms: np.ndarray) -> np.ndarray:
        """Shuffle, and deal the first card."""
        return np.concatenate([suits(deal(uniforms)), np.zeros((1, uniforms.shape[1]), dtype=np.int16)])  # [n + 1, B]

    def transition(
        self, state: np.ndarray, action: np.ndarray, uniforms: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Compare with the first card and deal the next one."""
        reward = np.where(action == state[0], self._reward, -self._reward)
        position = state[-1]
        position += 1
        return state, reward, position == self.cards - 1

    def observe(self, state: np.ndarray) -> np.ndarray:
        """Show the last card's suit, int64 [B]."""
        return state[state[-1], np.arange(state.shape[1])].astype(np.int64)

    def text(self, state: np.ndarray) -> str:
        """Write the cards that were dealt, the last one after a bar."""
        dealt = marks(SUIT_MARKS, state[: state[-1] + 1])
        return f"{dealt[:-1]}|{dealt[-1]}"
