"""Players of Tiger."""

import numpy as np

from pomdp_envs.classic.tiger import HEARD_LEFT, LISTEN, SILENCE, best_plan
from pomdp_envs.players import Player


class TigerOracle(Player):
    """Count steps and hearings and act by the optimal plan."""

    def begin(self) -> None:
        """Remember the steps left, and how much more often the tiger was heard on the left, per column."""
        self.plan = best_plan(self.dynamics.horizon)
        self.left = np.zeros(self.num_envs, dtype=np.int64)
        self.difference = np.zeros(self.num_envs, dtype=np.int64)

    def act(self, observation: np.ndarray, starts: np.ndarray) -> np.ndarray:
        """Count, where silence begins afresh, and look up."""
        self.left = np.where(starts, self.dynamics.horizon, self.left - 1)
        self.difference += np.where(observation == HEARD_LEFT, 1, -1)
        self.difference[starts | (observation == SILENCE)] = 0
        return self.plan.action[self.left, self.dynamics.horizon + self.difference]


class TigerMemoryless(Player):
    """Always listen; the return is -horizon."""

    def act(self, observation: np.ndarray, starts: np.ndarray) -> np.ndarray:
        """Listen."""
        return np.full(self.num_envs, LISTEN)
