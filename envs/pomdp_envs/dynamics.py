"""What one environment is: pure functions on a batch of hidden states."""

from abc import ABC, abstractmethod
from typing import ClassVar

import numpy as np
from gymnasium import spaces

ObservationSpace = spaces.Box | spaces.Discrete | spaces.MultiDiscrete | spaces.Tuple
ActionSpace = spaces.Discrete | spaces.MultiDiscrete | spaces.Box
Observation = np.ndarray | tuple[np.ndarray, ...]


class Dynamics(ABC):
    """A partially observable world as a few pure functions; the two views (`batched`, `single`) do the rest.

    The hidden state is one array [S, B] with a row per variable, so that every row is contiguous; it is all that the
    future depends on, besides the random numbers and, where there is a time limit, how long the episode has lasted
    (`get_state` has both). No method may keep anything between calls or mix columns.

    Attributes:
        observation_space: space of one observation: Box, Discrete, MultiDiscrete, or a Tuple of those.
        action_space: space of one action: Discrete or MultiDiscrete (both from 0), or Box.
        time_limit: an episode is truncated when it has lasted this many steps; None: never.
        episode_length: how many steps an episode lasts at most, where the world itself ends it; None: the time limit.
        initial_draws: uniform numbers that `initial` needs per column.
        transition_draws: uniform numbers that `transition` needs per column and step.
        memory_span: how far back an optimal policy must look, in words, for the table of environments.
        optimal_return: the mean return of the best policy with memory, None where unknown.
        memoryless_return: the mean return of the best policy that sees the current observation only, None where unknown.
        draws_pictures: whether `picture` is there (render mode "rgb_array").
        frames_per_second: for videos of those pictures.
    """

    observation_space: ObservationSpace
    action_space: ActionSpace
    time_limit: int | None
    episode_length: int | None = None
    initial_draws: int
    transition_draws: int = 0
    memory_span: str = ""
    optimal_return: float | None = None
    memoryless_return: float | None = None
    draws_pictures: ClassVar[bool] = False
    frames_per_second: ClassVar[int] = 10

    @abstractmethod
    def initial(self, uniforms: np.ndarray) -> np.ndarray:
        """Make initial states [S, B] from uniform numbers [initial_draws, B]; always of the same dtype."""

    @abstractmethod
    def transition(
        self, state: np.ndarray, action: np.ndarray, uniforms: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Advance by one step; never called on an episode that is over.

        Args:
            state: [S, B], given away: it may be changed in place and returned.
            action: [B] int64 for Discrete, [B, K] int64 for MultiDiscrete, [B, ...] for Box; not to be changed.
            uniforms: float64 [transition_draws, B].

        Returns:
            The next state [S, B], the reward float64 [B] and terminated bool [B].
        """

    @abstractmethod
    def observe(self, state: np.ndarray) -> Observation:
        """Show what the agent sees of states [S, B]: a fresh array [B, ...] (or a tuple of them) of the space's dtype."""

    @abstractmethod
    def text(self, state: np.ndarray) -> str:
        """Draw one state [S] with characters, the hidden parts too (render mode "ansi")."""

    def picture(self, state: np.ndarray) -> np.ndarray:
        """Draw one state [S] as uint8 [height, width, 3] (render mode "rgb_array")."""
        raise NotImplementedError(f"{type(self).__name__} draws no pictures")

    def truncated(self, step: np.ndarray, terminated: np.ndarray) -> np.ndarray:
        """Say which episodes the clock cuts, bool [B]; as Gymnasium's TimeLimit, also where the world has ended.

        Args:
            step: int64 [B], how many steps the episode has lasted, this one included.
            terminated: bool [B].
        """
        return np.zeros_like(terminated) if self.time_limit is None else step >= self.time_limit


def checked_count(name: str, count: object, least: int = 1, most: float = np.inf) -> int:
    """Return a number of steps, places or columns as an int.

    Raises:
        ValueError: it is no integer, below `least` or above `most`.
    """
    if not isinstance(count, int | np.integer) or isinstance(count, bool) or not least <= count <= most:
        limits = f"of at least {least}" if most == np.inf else f"from {least} to {most}"
        raise ValueError(f"{name} must be an integer {limits}, not {count!r}")
    return int(count)


def checked_deviation(name: str, deviation: object) -> float:
    """Return a standard deviation as a float.

    Raises:
        ValueError: it is no finite number, or negative.
    """
    if not isinstance(deviation, float | int | np.floating | np.integer) or not 0 <= deviation < np.inf:
        raise ValueError(f"{name} must be a finite number of at least 0, not {deviation!r}")
    return float(deviation)


def checked_probability(name: str, probability: object) -> float:
    """Return a probability as a float.

    Raises:
        ValueError: it is no number within [0, 1].
    """
    if not isinstance(probability, float | int | np.floating | np.integer) or not 0 <= probability <= 1:
        raise ValueError(f"{name} must be a number within [0, 1], not {probability!r}")
    return float(probability)
