"""What a batch of actions must look like, and what is said when it does not."""

import numpy as np
from gymnasium import spaces

from pomdp_envs.dynamics import ActionSpace


def checked_actions(space: ActionSpace, actions: np.ndarray, num_envs: int, name: str) -> np.ndarray:
    """Return actions as an array [B, ...] of int64 (Discrete, MultiDiscrete) or of the Box's dtype.

    Box actions may lie outside the bounds: the dynamics clip them, as Gymnasium's do.

    Args:
        space: space of one action.
        actions: [B, ...].
        num_envs: B.
        name: of the environment, for the message.

    Raises:
        ValueError: a wrong shape, an action outside a Discrete or MultiDiscrete space, or NaN.
    """
    actions = np.asarray(actions)
    shape = (num_envs, *(space.shape or ()))
    if actions.shape != shape:
        raise ValueError(f"{name}: actions have shape {actions.shape}, but {num_envs} columns of {space} need {shape}")
    if isinstance(space, spaces.Box):
        actions = actions.astype(space.dtype, copy=False)
        _refuse(np.isnan(actions), actions, space, name)
        return actions
    if actions.dtype.kind not in "iu":
        raise ValueError(f"{name}: actions for {space} must be integers in every column, not {actions.dtype}")
    choices = space.n if isinstance(space, spaces.Discrete) else space.nvec
    # A negative action becomes a huge one.
    unsigned = actions.view(np.uint64) if actions.dtype == np.int64 else actions.astype(np.uint64)
    outside = (
        unsigned >= np.uint64(choices) if isinstance(space, spaces.Discrete) else unsigned >= choices.view(np.uint64)
    )
    if outside.any():
        _refuse(outside, actions, space, name)
    return actions.astype(np.int64, copy=False)


def without_ignored(actions: np.ndarray, ignored: np.ndarray) -> np.ndarray:
    """Return actions [B, ...] with zeros in the columns that `ignored` [B] marks: whatever stands there is allowed."""
    actions = np.array(actions)
    if actions.shape[:1] == ignored.shape:
        actions[ignored] = 0
    return actions


def _refuse(wrong: np.ndarray, actions: np.ndarray, space: spaces.Space, name: str) -> None:
    """Raise if any entry of wrong [B, ...] is set, naming the environment and the first column."""
    if wrong.any():
        column = int(np.argwhere(wrong)[0, 0])
        raise ValueError(f"{name}: action {actions[column]} in column {column} is outside {space}")
