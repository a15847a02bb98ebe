"""Players of the T-maze."""

import numpy as np

from pomdp_envs.classic.tmaze import CODES, EAST, JUNCTION, NORTH, SIGN_NORTH, SOUTH
from pomdp_envs.players import Player


def seen(observation: np.ndarray) -> np.ndarray:
    """Return the number of the code [B] that each observation [B, 3] shows."""
    return (observation[:, None] == CODES).all(axis=-1).argmax(axis=1)


class TMazeOracle(Player):
    """Walk east and turn at the junction where the sign said; the return is 4."""

    def begin(self) -> None:
        """Remember a turn per column."""
        self.turn = np.full(self.num_envs, NORTH)

    def act(self, observation: np.ndarray, starts: np.ndarray) -> np.ndarray:
        """Read the sign at the start."""
        code = seen(observation)
        self.turn[starts] = np.where(code[starts] == SIGN_NORTH, NORTH, SOUTH)
        return np.where(code == JUNCTION, self.turn, EAST)


class TMazeMemoryless(Player):
    """Walk east and always turn north, since the junction looks the same for both goals."""

    def act(self, observation: np.ndarray, starts: np.ndarray) -> np.ndarray:
        """Turn at the junction only."""
        return np.where(seen(observation) == JUNCTION, NORTH, EAST)
