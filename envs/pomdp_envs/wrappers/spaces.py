"""Observation spaces that wrappers can handle, and how single observations become rows of a batch."""

from collections.abc import Sequence
from typing import Any, TypeGuard

import numpy as np
from gymnasium import spaces
from gymnasium.vector.utils import concatenate, create_empty_array

KINDS = spaces.Box | spaces.Discrete | spaces.MultiDiscrete | spaces.MultiBinary


def leaves(space: spaces.Space) -> list[spaces.Space]:
    """Return the spaces that a space is made of, in order: itself, or the parts of a Dict or Tuple at any depth.

    Raises:
        ValueError: a part is no Box, Discrete, MultiDiscrete or MultiBinary.
    """
    if isinstance(space, spaces.Dict | spaces.Tuple):
        parts = space.spaces.values() if isinstance(space, spaces.Dict) else space.spaces
        return [leaf for part in parts for leaf in leaves(part)]
    if not isinstance(space, KINDS):
        raise ValueError(
            f"observations must be Box, Discrete, MultiDiscrete, MultiBinary, or a Dict or Tuple of these, not {space}"
        )
    return [space]


def with_zero(space: spaces.Space) -> spaces.Space:
    """Return the space, widened where zero lies outside of it."""
    if isinstance(space, spaces.Dict):
        return spaces.Dict({key: with_zero(part) for key, part in space.spaces.items()})
    if isinstance(space, spaces.Tuple):
        return spaces.Tuple([with_zero(part) for part in space.spaces])
    if isinstance(space, spaces.Box):
        low, high = np.minimum(space.low, 0), np.maximum(space.high, 0)
        return spaces.Box(low, high, space.shape, dtype_of(space))
    if isinstance(space, spaces.Discrete):
        start, end = min(space.start, 0), max(space.start + space.n, 1)
        return spaces.Discrete(end - start, start=start)
    if isinstance(space, spaces.MultiDiscrete):
        start, end = np.minimum(space.start, 0), np.maximum(space.start + space.nvec, 1)
        return spaces.MultiDiscrete(end - start, dtype=dtype_of(space), start=start)
    return space  # MultiBinary


def dtype_of(space: spaces.Space) -> Any:
    """Return the dtype of a space that is no Dict or Tuple."""
    assert space.dtype is not None
    return space.dtype.type


def batched(space: spaces.Space, rows: Sequence[Any]) -> Any:
    """Stack observations of `space` as SyncVectorEnv does: [n, ...], of the space's dtype."""
    return concatenate(space, rows, create_empty_array(space, len(rows)))


def beside(flags: np.ndarray, part: np.ndarray) -> np.ndarray:
    """Shape flags [n] so that they spread over a part [n, ...]."""
    return flags.reshape(-1, *(1,) * (part.ndim - 1))


def unbounded(space: spaces.Space) -> spaces.Space:
    """Return the space with infinite bounds wherever its numbers are floating-point."""
    if isinstance(space, spaces.Dict):
        return spaces.Dict({key: unbounded(part) for key, part in space.spaces.items()})
    if isinstance(space, spaces.Tuple):
        return spaces.Tuple([unbounded(part) for part in space.spaces])
    if is_continuous(space):
        return spaces.Box(-np.inf, np.inf, space.shape, dtype_of(space))
    return space


def is_continuous(space: spaces.Space) -> TypeGuard[spaces.Box]:
    """Say whether the space is a Box of floating-point numbers."""
    return isinstance(space, spaces.Box) and space.dtype.kind == "f"
