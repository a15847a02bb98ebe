"""Rows of observations that are one array [B, ...] or a tuple of them (a Tuple space)."""

from typing import Any

import numpy as np

from pomdp_envs.dynamics import Observation


def take(observation: Observation, columns: np.ndarray) -> Observation:
    """Return copies of the rows of `columns` [n]."""
    if isinstance(observation, tuple):
        return tuple(part[columns] for part in observation)
    return observation[columns]


def put(observation: Observation, columns: np.ndarray, rows: Observation) -> None:
    """Write `rows` [n, ...] into the rows of `columns` [n], in place."""
    if isinstance(observation, tuple):
        for part, part_rows in zip(observation, rows, strict=True):
            part[columns] = part_rows
    else:
        observation[columns] = rows


def row(observation: Observation, column: int) -> Any:
    """Return one column's observation: an array, a number, or a tuple of them."""
    if isinstance(observation, tuple):
        return tuple(part[column] for part in observation)
    return observation[column]
