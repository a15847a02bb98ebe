"""What a wrapper does to observations: a few functions on rows of a batch; the two views (`views`) do the rest."""

from abc import ABC, abstractmethod
from typing import Any

import numpy as np
from gymnasium import spaces

Observation = Any


class Transform(ABC):
    """What B columns are shown instead of what they would see.

    Rows come as [n, ...] with the columns [n] that they belong to, in episodes of their own; rows must not be mixed.
    Nothing that is given may be changed, nothing that is returned may change later.

    Attributes:
        observation_space: of one observation as it is shown.
        draws: uniform numbers needed per column and observation, below 2**16.
    """

    observation_space: spaces.Space
    draws: int = 0

    @abstractmethod
    def first(self, observation: Observation, uniforms: np.ndarray, columns: np.ndarray) -> Observation:
        """Show the first observations of episodes.

        Args:
            observation: [n, ...].
            uniforms: float64 [draws, n].
            columns: int64 [n].
        """

    @abstractmethod
    def following(
        self, observation: Observation, uniforms: np.ndarray, columns: np.ndarray, shown: Observation
    ) -> Observation:
        """Show the next observations of episodes that go on, the last ones too.

        Args:
            observation: [n, ...].
            uniforms: float64 [draws, n].
            columns: int64 [n].
            shown: what these columns were shown last, [n, ...].
        """

    def get_state(self) -> dict[str, Any]:
        """Return copies of what is kept between calls, each with B leading."""
        return {}

    def set_state(self, state: dict[str, Any]) -> None:  # noqa: B027 (most keep nothing)
        """Take over copies of what `get_state` returned."""


class Pointwise(Transform):
    """A transform of each observation by itself."""

    @abstractmethod
    def show(self, observation: Observation, uniforms: np.ndarray) -> Observation:
        """Show observations [n, ...], with uniforms [draws, n]."""

    def first(self, observation: Observation, uniforms: np.ndarray, columns: np.ndarray) -> Observation:
        """Show the first observations of episodes."""
        return self.show(observation, uniforms)

    def following(
        self, observation: Observation, uniforms: np.ndarray, columns: np.ndarray, shown: Observation
    ) -> Observation:
        """Show the next observations of episodes."""
        return self.show(observation, uniforms)
