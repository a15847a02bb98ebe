"""Players of the mountain car."""

import numpy as np

from pomdp_envs.players import Player


class MountainCarOracle(Player):
    """Push along the last move, which pumps energy until the car is over the hill."""

    def begin(self) -> None:
        """Remember the last position."""
        self.before = np.zeros(self.num_envs)

    def act(self, observation: np.ndarray, starts: np.ndarray) -> np.ndarray:
        """Push right at the start."""
        position = observation[:, 0].astype(np.float64)
        moved = np.where(starts, 0.0, position - self.before)
        self.before = position
        return np.where(moved >= 0, 1.0, -1.0)[:, None].astype(np.float32)  # [B, 1]


class MountainCarMemoryless(Player):
    """Do nothing, which costs nothing: no linear policy of the position reaches the goal, and any force costs."""

    def act(self, observation: np.ndarray, starts: np.ndarray) -> np.ndarray:
        """Rest."""
        return np.zeros((self.num_envs, 1), dtype=np.float32)
