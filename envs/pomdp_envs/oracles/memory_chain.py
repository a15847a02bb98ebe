"""Players of the memory chain."""

import numpy as np

from pomdp_envs.players import Player


class MemoryChainOracle(Player):
    """Remember all bits; the return is 1."""

    def begin(self) -> None:
        """Remember num_bits bits per column."""
        self.bits = np.zeros((self.num_envs, self.dynamics.num_bits), dtype=np.int64)

    def act(self, observation: np.ndarray, starts: np.ndarray) -> np.ndarray:
        """Answer with the bit that the observation names."""
        self.bits[starts] = observation[starts, 2:] > 0
        return self.bits[np.arange(self.num_envs), observation[:, 1].astype(np.int64)]


class MemoryChainMemoryless(Player):
    """Always answer 1, since the last observation tells nothing; the mean return is 0."""

    def act(self, observation: np.ndarray, starts: np.ndarray) -> np.ndarray:
        """Answer 1."""
        return np.ones(self.num_envs, dtype=np.int64)
