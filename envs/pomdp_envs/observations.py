"""Rows of observations that are one array [B, ...], or a tuple or dict of observations (Tuple and Dict spaces)."""

from collections.abc import Callable
from typing import Any

import numpy as np

Places = np.ndarray | tuple[np.ndarray, ...]


def map_parts(function: Callable[..., Any], first: Any, *others: Any) -> Any:
    """Apply a function to the arrays of observations of one structure, and keep that structure."""
    if isinstance(first, tuple):
        return tuple(map_parts(function, *parts) for parts in zip(first, *others, strict=True))
    if isinstance(first, dict):
        return {key: map_parts(function, part, *(other[key] for other in others)) for key, part in first.items()}
    return function(first, *others)


def take(observation: Any, places: Places) -> Any:
    """Return copies of the rows of columns [n]; of two index arrays [n], what stands at (column, place)."""
    return map_parts(lambda part: part[places], observation)


def put(observation: Any, places: Places, rows: Any) -> None:
    """Write `rows` [n, ...] where `take` reads them, in place."""

    def write(part: np.ndarray, part_rows: np.ndarray) -> None:
        part[places] = part_rows

    map_parts(write, observation, rows)


def row(observation: Any, column: int) -> Any:
    """Return one column's observation: an array, a number, or a tuple or dict of them."""
    if isinstance(observation, np.ndarray):  # the most frequent
        return observation[column]
    return map_parts(lambda part: part[column], observation)


def scatter(observation: Any, columns: np.ndarray, num_envs: int) -> np.ndarray:
    """Lay out the rows [n] of columns [n] as SyncVectorEnv does final observations: object array [B], else None."""
    scattered = np.full(num_envs, None, dtype=object)
    for column, one in zip(columns.tolist(), _rows(observation), strict=True):
        scattered[column] = one
    return scattered


def _rows(observation: Any) -> list[Any]:
    """Return the rows of [n, ...] as n observations."""
    if isinstance(observation, tuple):
        return list(zip(*map(_rows, observation), strict=True))
    if isinstance(observation, dict):
        parts = zip(*map(_rows, observation.values()), strict=True)
        return [dict(zip(observation, values, strict=True)) for values in parts]
    return list(observation)
