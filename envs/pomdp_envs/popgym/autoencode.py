"""Watch a deck being dealt, then name its suits from the last card to the first."""

import numpy as np
from gymnasium import spaces

from pomdp_envs.dynamics import Dynamics, checked_count
from pomdp_envs.popgym.cards import DECK, MOST_DECKS, SUIT_MARKS, SUITS, deal, marks, suits

PLAY, WATCH = 0, 1


class Autoencode(Dynamics):
    """n cards are dealt face up; then the agent names their suits in the opposite order.

    Action space: Discrete(4): a suit.
    Observation space: Tuple(Discrete(2), Discrete(4)): 1 while cards are dealt and 0 from the last card on, when the agent
        is to answer; the suit of the card that was dealt last. Once an answer was given the suit is always 0 (popgym
        shows the deck's first card then; kept).
    Start: n = 52 num_decks cards in random order, of which the first is dealt.
    Reward: 0 while cards are dealt; then 1 / n for the right suit, -1 / n for another.
    End: terminated after the answer to the first card, after 2n - 1 steps; never truncated.
    Hidden state: [suit of each card in the order of dealing (n entries), cards dealt, answers given], int16.

    The best return is 1. Without memory the first answer is certain all the same, as the last card is still seen; the best
    is to name the suit that is seen, which afterwards is suit 0 for ever: n / 4 + 3 / 4 right answers on average.

    Args:
        num_decks: 1 (Easy), 2 (Medium) or 3 (Hard) in the suite.

    Raises:
        ValueError: no integer from 1 to 630.

    Source: POPGym 1.0.7, Autoencode.

    Versions: v0, the first.
    """

    observation_space = spaces.Tuple((spaces.Discrete(2), spaces.Discrete(SUITS)))
    action_space = spaces.Discrete(SUITS)
    time_limit = None
    optimal_return = 1.0

    def __init__(self, num_decks: int = 1) -> None:
        self.cards = self.initial_draws = DECK * checked_count("num_decks", num_decks, most=MOST_DECKS)
        self.episode_length = 2 * self.cards - 1
        self._reward = 1 / self.cards
        self.memory_span = f"{2 * self.cards - 2} steps"
        self.memoryless_return = 2 * (self.cards / SUITS + 0.75) / self.cards - 1

    def initial(self, uniforms: np.ndarray) -> np.ndarray:
        """Shuffle, and deal the first card."""
        counts = np.zeros((2, uniforms.shape[1]), dtype=np.int16)
        counts[0] = 1
        return np.concatenate([suits(deal(uniforms)), counts])  # [n + 2, B]

    def transition(
        self, state: np.ndarray, action: np.ndarray, uniforms: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Deal the next card, or take the answer to the last one that is left."""
        dealt, answered = state[-2:]
        playing = dealt == self.cards
        asked = state[self.cards - 1 - answered, np.arange(len(action))]
        reward = np.where(action == asked, self._reward, -self._reward)
        reward[~playing] = 0.0
        dealt += ~playing
        answered += playing
        return state, reward, answered == self.cards

    def observe(self, state: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Show whether to watch and the last card's suit, int64 [B] each."""
        dealt, answered = state[-2:]
        suit = state[dealt - 1, np.arange(state.shape[1])].astype(np.int64)
        suit[answered > 0] = 0
        return (dealt < self.cards).astype(np.int64), suit

    def text(self, state: np.ndarray) -> str:
        """Write the cards that are not yet answered, a bar, and those that are."""
        dealt, answered = state[-2:]
        return f"{marks(SUIT_MARKS, state[: dealt - answered])}|{marks(SUIT_MARKS, state[dealt - answered : dealt])}"
