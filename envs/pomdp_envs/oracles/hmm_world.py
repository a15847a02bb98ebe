"""Players of HMM world."""

import numpy as np

from pomdp_envs.players import Player


class HMMOracle(Player):
    """Filter the symbols and guess the most probable state."""

    def begin(self) -> None:
        """Remember a belief [K, B] before the symbol is seen."""
        self.prior = np.repeat(self.dynamics.start[:, None], self.num_envs, axis=1)

    def act(self, observation: np.ndarray, starts: np.ndarray) -> np.ndarray:
        """Take in the symbols and guess."""
        self.prior[:, starts] = self.dynamics.start[:, None]
        belief = self.dynamics.corrected(self.prior, observation)
        self.prior = self.dynamics.predicted(belief)
        return (self.prior if self.dynamics.next_state else belief).argmax(axis=0)


class HMMMemoryless(Player):
    """Guess the state that most often goes with the symbol seen."""

    def begin(self) -> None:
        """Find the guess for each symbol [M]."""
        self.guess = self.dynamics.guess_table().argmax(axis=1)

    def act(self, observation: np.ndarray, starts: np.ndarray) -> np.ndarray:
        """Look the symbol up."""
        return self.guess[observation]
