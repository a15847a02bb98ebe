"""Players of the T-mazes with a deadline."""

import numpy as np

from pomdp_envs.classic.tmaze_deadline import EAST, NORTH, SOUTH, WEST
from pomdp_envs.players import Player


class TMazeDeadlineOracle(Player):
    """Fetch the sign where it is not shown at once, walk east and turn where it said; the return is 1."""

    def begin(self) -> None:
        """Remember a turn per column, WEST until the sign was seen."""
        self.turn = np.full(self.num_envs, WEST)

    def act(self, observation: np.ndarray, starts: np.ndarray) -> np.ndarray:
        """Read the sign where there is one."""
        self.turn[starts] = WEST
        behind, sign = observation.T
        read = (behind == 0) & (sign != 0)
        self.turn[read] = np.where(sign[read] > 0, NORTH, SOUTH)
        return np.where((behind == 0) & (self.turn != WEST), EAST, self.turn)


class TMazeDeadlineMemoryless(Player):
    """Walk east and always turn north; the mean return is 0.5."""

    def act(self, observation: np.ndarray, starts: np.ndarray) -> np.ndarray:
        """Turn where the corridor is behind."""
        return np.where(observation[:, 0] == 1, NORTH, EAST)
