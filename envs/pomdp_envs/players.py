"""Scripted players: oracles with memory, and the best that can be done without; and how an episode is played."""

from abc import ABC, abstractmethod
from typing import Any

import numpy as np

from pomdp_envs.batched import BatchedEnv


class Player(ABC):
    """A scripted policy for B columns at once, which sees what an agent sees and nothing else.

    Its memory is in its attributes, one entry per column; where `starts` is set, a column's memory begins afresh.

    Args:
        dynamics: The rules of the world (its sizes and probabilities; a player must not look at hidden states).
        num_envs: B.
    """

    def __init__(self, dynamics: Any, num_envs: int) -> None:
        self.dynamics = dynamics
        self.num_envs = num_envs
        self.begin()

    def begin(self) -> None:  # noqa: B027 (most players without memory need nothing)
        """Make room for the memory of `num_envs` columns."""

    @abstractmethod
    def act(self, observation: Any, starts: np.ndarray) -> np.ndarray:
        """Choose actions.

        Args:
            observation: [B, ...], or a tuple of such arrays.
            starts: bool [B], where the observation is an episode's first.

        Returns:
            Actions [B, ...].
        """


def play(env: BatchedEnv, player: Player, seed: int = 0) -> np.ndarray:
    """Play one episode in every column.

    Args:
        env: in mode SAME_STEP. (Columns that have ended play on, uncounted, until the last one ends.)
        player: new, or one whose memory begins afresh at starts.
        seed: of column 0.

    Returns:
        The return of every column's first episode, float64 [B].
    """
    observation, _ = env.reset(seed=seed)
    starts = np.ones(env.num_envs, dtype=bool)
    alive, returns = starts.copy(), np.zeros(env.num_envs)
    while alive.any():
        observation, rewards, terminated, truncated, _ = env.step(player.act(observation, starts))
        returns += rewards * alive
        starts = terminated | truncated
        alive &= ~starts
    return returns
