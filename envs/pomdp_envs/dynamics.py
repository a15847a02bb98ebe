"""What one environment is: pure functions on a batch of hidden states."""

from abc import ABC, abstractmethod

import numpy as np
from gymnasium import spaces


class Dynamics(ABC):
    """A partially observable world as four pure functions; the two views (`batched`, `single`) do the rest.

    The hidden state is one array [S, B] with a row per variable, so that every row is contiguous. No method may
    keep anything between calls, mix columns, or change its arguments in place.

    Attributes:
        observation_space: space of one observation, a Box or Discrete.
        action_space: space of one action; Discrete (from 0) or Box.
        time_limit: an episode is truncated when it has lasted this many steps.
        initial_draws: uniform numbers that `initial` needs per column.
        transition_draws: uniform numbers that `transition` needs per column and step.
    """

    observation_space: spaces.Box
    action_space: spaces.Discrete | spaces.Box
    time_limit: int
    initial_draws: int
    transition_draws: int = 0

    @abstractmethod
    def initial(self, uniforms: np.ndarray) -> np.ndarray:
        """Make initial states [S, B] from uniform numbers [initial_draws, B]."""

    @abstractmethod
    def transition(
        self, state: np.ndarray, action: np.ndarray, uniforms: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Advance by one step.

        Args:
            state: [S, B].
            action: [B] int64 for Discrete, [B, ...] for Box.
            uniforms: float64 [transition_draws, B].

        Returns:
            The next state [S, B], the reward float64 [B] and terminated bool [B]; fresh arrays.
        """

    @abstractmethod
    def observe(self, state: np.ndarray) -> np.ndarray:
        """Show what the agent sees of states [S, B]: a fresh array [B, ...] of the observation space's dtype."""


def checked_count(name: str, count: object) -> int:
    """Return a number of steps, places or columns as an int.

    Raises:
        ValueError: it is no integer, or below 1.
    """
    if not isinstance(count, int | np.integer) or count < 1:
        raise ValueError(f"{name} must be an integer of at least 1, not {count!r}")
    return int(count)


def checked_actions(space: spaces.Discrete | spaces.Box, actions: np.ndarray, num_envs: int) -> np.ndarray:
    """Return actions as an array [B, ...] of the space's dtype, or say what is wrong with them.

    Box actions may lie outside the bounds: the dynamics clip them, as Gymnasium's do.

    Raises:
        ValueError: a wrong shape, a Discrete action outside the space, or NaN.
    """
    actions = np.asarray(actions)
    shape = (num_envs, *(space.shape or ()))
    if actions.shape != shape:
        raise ValueError(f"actions have shape {actions.shape}, but {num_envs} environments with {space} need {shape}")
    if isinstance(space, spaces.Box):
        actions = actions.astype(space.dtype, copy=False)
        _refuse(np.isnan(actions), actions, space)
        return actions
    if actions.dtype.kind not in "iu":
        raise ValueError(f"actions for {space} must be integers, not {actions.dtype}")
    unsigned = actions.astype(np.uint64, copy=False) if actions.dtype != np.int64 else actions.view(np.uint64)
    if unsigned.max() >= space.n:  # a negative action becomes a huge one
        _refuse(unsigned >= space.n, actions, space)
    return actions.astype(np.int64, copy=False)


def _refuse(wrong: np.ndarray, actions: np.ndarray, space: spaces.Space) -> None:
    """Raise if any entry of wrong [B, ...] is set, naming the first column."""
    if wrong.any():
        column = int(np.argwhere(wrong)[0, 0])
        raise ValueError(f"action {actions[column]} in column {column} is outside {space}")
