"""Players of Recall."""

import numpy as np

from pomdp_envs.players import Player


class RecallOracle(Player):
    """Write the items down and read them off at the cues; the return is 1."""

    def begin(self) -> None:
        """Remember num_items items per column, and how many were written and read."""
        self.items = np.zeros((self.dynamics.num_items, self.num_envs), dtype=np.int64)
        self.written = np.zeros(self.num_envs, dtype=np.int64)
        self.read = np.zeros(self.num_envs, dtype=np.int64)

    def act(self, observation: np.ndarray, starts: np.ndarray) -> np.ndarray:
        """Write what is an item, and answer a cue with the next one."""
        self.written[starts] = self.read[starts] = 0
        shown = np.flatnonzero(observation < self.dynamics.num_symbols)
        self.items[self.written[shown], shown] = observation[shown]
        self.written[shown] += 1
        answer = self.items[self.read, np.arange(self.num_envs)]
        self.read += observation == self.dynamics.cue
        return answer


class RecallMemoryless(Player):
    """Always answer 0, since the cue tells nothing; the mean return is 1 / num_symbols."""

    def act(self, observation: np.ndarray, starts: np.ndarray) -> np.ndarray:
        """Answer 0."""
        return np.zeros(self.num_envs, dtype=np.int64)
