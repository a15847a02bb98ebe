"""Guess whether the next card is higher or lower, better so by counting the cards."""

import numpy as np
from gymnasium import spaces

from pomdp_envs.dynamics import Dynamics, checked_count
from pomdp_envs.popgym.cards import DECK, MOST_DECKS, RANK_MARKS, RANKS, deal, marks, ranks

HIGHER, LOWER = 0, 1


class HigherLower(Dynamics):
    """A deck is dealt face up, one card a step; the agent says whether the next rank will be higher or lower.

    Action space: Discrete(2): 0 higher, 1 lower.
    Observation space: Discrete(13): the rank of the card that was dealt last, the ace being the lowest.
    Start: n = 52 num_decks cards in random order, of which the first is dealt.
    Reward: 1 / n for a right guess, -1 / n for a wrong one, 0 for an equal rank.
    End: terminated when the deck is empty, after n - 1 steps; never truncated.
    Hidden state: [rank of each card in the order of dealing (n entries), cards dealt - 1], int16.

    The best policy counts which cards are left and guesses the likelier side; its return is the sum over the steps of
    E|higher left - lower left| / (cards left) / n, a sum of hypergeometric expectations (0.5276, 0.5161 and 0.5115 for
    1, 2 and 3 decks, computed in a test; for other numbers of decks it is not stated). Without memory the best is to
    say "higher" below the middle rank: the next card is any of the other n - 1, which gives 84 / 169 = 0.4970.

    Args:
        num_decks: 1 (Easy), 2 (Medium) or 3 (Hard) in the suite.

    Raises:
        ValueError: no integer from 1 to 630.

    Source: POPGym 1.0.7, HigherLower.

    Versions: v0, the first.
    """

    observation_space = spaces.Discrete(RANKS)
    action_space = spaces.Discrete(2)
    time_limit = None
    memory_span = "the whole episode"
    memoryless_return = 84 / 169

    def __init__(self, num_decks: int = 1) -> None:
        self.cards = self.initial_draws = DECK * checked_count("num_decks", num_decks, most=MOST_DECKS)
        self.episode_length = self.cards - 1
        self._reward = 1 / self.cards
        self.optimal_return = {1: 0.527599707903648, 2: 0.516103070673926, 3: 0.511459061048433}.get(num_decks)

    def initial(self, uniforms: np.ndarray) -> np.ndarray:
        """Shuffle, and deal the first card."""
        return np.concatenate([ranks(deal(uniforms)), np.zeros((1, uniforms.shape[1]), dtype=np.int16)])  # [n + 1, B]

    def transition(
        self, state: np.ndarray, action: np.ndarray, uniforms: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Deal the next card and compare."""
        position, columns = state[-1], np.arange(len(action))
        before = state[position, columns]
        position += 1
        change = state[position, columns] - before
        right = (change > 0) == (action == HIGHER)
        reward = np.where(right, self._reward, -self._reward)
        reward[change == 0] = 0.0
        return state, reward, position == self.cards - 1

    def observe(self, state: np.ndarray) -> np.ndarray:
        """Show the last card's rank, int64 [B]."""
        return state[state[-1], np.arange(state.shape[1])].astype(np.int64)

    def text(self, state: np.ndarray) -> str:
        """Write the cards that were dealt, a bar, and those that come."""
        dealt = state[-1] + 1
        return f"{marks(RANK_MARKS, state[:dealt])}|{marks(RANK_MARKS, state[dealt:-1])}"
