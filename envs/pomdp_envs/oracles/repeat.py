"""Players of RepeatFirst, RepeatPrevious and Autoencode."""

from typing import Any

import numpy as np

from pomdp_envs.players import Player
from pomdp_envs.popgym.autoencode import WATCH


class RepeatFirstOracle(Player):
    """Remember the first suit; the return is 1."""

    def begin(self) -> None:
        """Remember one suit per column."""
        self.first = np.zeros(self.num_envs, dtype=np.int64)

    def act(self, observation: np.ndarray, starts: np.ndarray) -> np.ndarray:
        """Name the first suit."""
        self.first[starts] = observation[starts]
        return self.first.copy()


class RepeatFirstMemoryless(Player):
    """Name the suit that is seen."""

    def act(self, observation: np.ndarray, starts: np.ndarray) -> np.ndarray:
        """Name what is seen."""
        return observation.copy()


class RepeatPreviousOracle(Player):
    """Remember the last k suits; the return is 1."""

    def begin(self) -> None:
        """Remember k suits per column, the newest first; what is older than the episode does not count."""
        self.last = np.zeros((self.dynamics.back + 1, self.num_envs), dtype=np.int64)

    def act(self, observation: np.ndarray, starts: np.ndarray) -> np.ndarray:
        """Name the oldest."""
        self.last = np.roll(self.last, 1, axis=0)
        self.last[0] = observation
        return self.last[-1].copy()


class RepeatPreviousMemoryless(Player):
    """Name a suit other than the one that is seen."""

    def act(self, observation: np.ndarray, starts: np.ndarray) -> np.ndarray:
        """Name the next suit (the one that is seen where it is asked for)."""
        return observation.copy() if self.dynamics.back == 0 else (observation + 1) % 4


class AutoencodeOracle(Player):
    """Remember all suits; the return is 1."""

    def begin(self) -> None:
        """Stack up the suits of each column."""
        self.stack = np.zeros((self.dynamics.cards, self.num_envs), dtype=np.int64)
        self.height = np.zeros(self.num_envs, dtype=np.int64)
        self.playing = np.zeros(self.num_envs, dtype=bool)

    def act(self, observation: Any, starts: np.ndarray) -> np.ndarray:
        """Put a card on the stack as long as cards are dealt, then take one off."""
        mode, suit = observation
        columns = np.arange(self.num_envs)
        self.height[starts] = 0
        self.playing[starts] = False
        seen = np.flatnonzero(~self.playing)
        self.stack[self.height[seen], seen] = suit[seen]
        self.height[seen] += 1
        self.playing = mode != WATCH
        self.height -= self.playing
        return self.stack[np.maximum(self.height, 0), columns]


class AutoencodeMemoryless(Player):
    """Name the suit that is seen."""

    def act(self, observation: Any, starts: np.ndarray) -> np.ndarray:
        """Name what is seen."""
        return observation[1].copy()
