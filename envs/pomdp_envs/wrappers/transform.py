"""What a wrapper does to observations: a few functions on rows of a batch; the two views (`views`) do the rest."""

from abc import ABC, abstractmethod
from typing import Any

import numpy as np
from gymnasium import spaces

Observation = Any


class Transform(ABC):
    """What B columns are shown instead of what they would see.

    Rows must not be mixed. What is given may not be changed, and may change after the call; what is returned must be
    fresh arrays.

    Attributes:
        observation_space: of one observation as it is shown.
        draws: uniform numbers needed per column and observation, below 2**16.
    """

    observation_space: spaces.Space
    draws: int = 0

    def note(self, actions: Any, rewards: Any) -> None:  # noqa: B027 (most do not care)
        """Hear the actions and rewards [B] of the step that leads to the next observations."""

    @abstractmethod
    def first(self, observation: Observation, uniforms: np.ndarray, columns: np.ndarray) -> Observation:
        """Show the first observations of episodes in some columns, and forget what was kept of them.

        Args:
            observation: [n, ...].
            uniforms: float64 [draws, n].
            columns: int64 [n].
        """

    @abstractmethod
    def following(self, observation: Observation, uniforms: np.ndarray, shown: Observation) -> Observation:
        """Show the next observations of all columns; where an episode starts, `first` is called afterwards.

        Args:
            observation: [B, ...].
            uniforms: float64 [draws, B].
            shown: what was shown last, [B, ...].
        """

    def get_state(self) -> dict[str, Any]:
        """Return copies of what is kept between calls."""
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

    def following(self, observation: Observation, uniforms: np.ndarray, shown: Observation) -> Observation:
        """Show the next observations."""
        return self.show(observation, uniforms)
