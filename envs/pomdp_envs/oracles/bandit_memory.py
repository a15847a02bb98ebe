"""What the players of both bandits remember."""

import numpy as np

from pomdp_envs.meta.bandit import Bandit
from pomdp_envs.players import Player


class BanditPlayer(Player):
    """Count the pulls of every arm and add up what they paid."""

    dynamics: Bandit

    def begin(self) -> None:
        """Keep the numbers of pulls and the sums of rewards, per column and arm."""
        self.pulls = np.zeros((self.num_envs, self.dynamics.arms), dtype=np.int64)
        self.sums = np.zeros((self.num_envs, self.dynamics.arms))

    def look(self, observation: np.ndarray, starts: np.ndarray) -> None:
        """Add the last pull and its reward."""
        _, pulled, reward, _ = self.dynamics.split_observation(observation)
        self.pulls[starts], self.sums[starts] = 0, 0.0
        self.pulls += pulled > 0  # all zero at a start
        self.sums += pulled * reward[:, None]


class StayOrGo(Player):
    """Pull the same arm again if it paid more than `least`, otherwise the next one: without memory."""

    dynamics: Bandit
    least = 0.0

    def act(self, observation: np.ndarray, starts: np.ndarray) -> np.ndarray:
        """Read the last pull and its reward; begin with arm 0."""
        _, pulled, reward, _ = self.dynamics.split_observation(observation)
        action = (pulled.argmax(axis=1) + (reward <= self.least)) % self.dynamics.arms
        return np.where(starts, 0, action)


def refuse_other_than_two_arms(arms: int, instead: str) -> None:
    """Raise ValueError: the exact table is for two arms only."""
    if arms != 2:
        raise ValueError(f"the optimum is known for 2 arms only, not {arms}; use {instead}")
