"""A user's inputs: symbols or features, told by what they are."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from recurrent_rl.sequence.batch import Array
from recurrent_rl.sequence.data.errors import DataError


@dataclass(frozen=True)
class Inputs:
    """Checked inputs.

    Args:
        rows: For each sequence [T, F] float32 features, or [T] symbols, int64 or strings.
        features: F; None for symbols.
        symbols: Number of symbols once numbered; None for features, or before.
    """

    rows: list[Array]
    features: int | None = None
    symbols: int | None = None


def as_inputs(inputs: Sequence[Any]) -> Inputs:
    """Return what a user gave, checked; features in float32.

    Raises:
        DataError: There is no sequence, one is empty, they differ in features or kind, or hold NaN.
    """
    if len(inputs) == 0:
        raise DataError("There are no sequences: the list of inputs is empty.")
    rows = [_row(number, row) for number, row in enumerate(inputs)]
    sizes = {row.shape[1:] for row in rows}
    if len(sizes) > 1:
        first = next(number for number, row in enumerate(rows) if row.shape[1:] != rows[0].shape[1:])
        raise DataError(f"Sequences differ in features: {_size(rows[0])} in 0, {_size(rows[first])} in {first}.")
    if rows[0].ndim == 1 and all(row.dtype.kind == "U" for row in rows):
        return Inputs(rows)
    if any(row.dtype.kind == "U" for row in rows):
        raise DataError("Some sequences are strings and some are numbers: give one kind.")
    if rows[0].ndim == 1 and all(row.dtype.kind in "iub" for row in rows):
        return Inputs([_symbols(number, row) for number, row in enumerate(rows)])
    return Inputs([_features(number, row) for number, row in enumerate(rows)], features=int(np.prod(rows[0].shape[1:])))


def with_symbols(inputs: Inputs, train: Array) -> Inputs:
    """Return inputs whose symbols are int64 below `symbols`; features are left.

    Whole numbers stay. Strings are numbered from 1 in the order of those of training; 0 is any that training lacks.
    """
    if inputs.features is not None:
        return inputs
    if inputs.rows[0].dtype.kind != "U":
        return Inputs(inputs.rows, symbols=1 + max(int(row.max()) for row in inputs.rows))
    strings = np.unique(np.concatenate([inputs.rows[int(index)] for index in train]))
    numbers = {str(string): number for number, string in enumerate(strings, start=1)}
    rows: list[Array] = [np.array([numbers.get(str(s), 0) for s in row], dtype=np.int64) for row in inputs.rows]
    return Inputs(rows, symbols=len(strings) + 1)


def _row(number: int, row: Any) -> Array:
    """Return a sequence as an array of numbers or strings, with one step at least."""
    try:
        array = np.array(list(row)) if isinstance(row, str) else np.asarray(row)
    except ValueError as error:  # lists of unequal lengths
        raise DataError(f"Sequence {number} is ragged: each of its steps must have as many features.") from error
    if array.ndim not in (1, 2) or (array.size and array.dtype.kind not in "iubfU"):
        raise DataError(
            f"Sequence {number} must be [T] or [T, F] numbers, or [T] strings, not {array.dtype} {array.shape}."
        )
    if array.size == 0:
        raise DataError(f"Sequence {number} is empty: leave it out.")
    return (
        np.array(array.tolist()) if array.dtype.kind == "U" else array
    )  # no wider than it must be, so equals are equal


def _symbols(number: int, row: Array) -> Array:
    if row.astype(np.int64).min() < 0:
        raise DataError(f"Sequence {number} has a symbol below 0; give features as floats, symbols from 0.")
    return row.astype(np.int64)


def _features(number: int, row: Array) -> Array:
    if not np.isfinite(row.astype(np.float64)).all():
        raise DataError(f"Sequence {number} has inputs that are NaN or infinite: fill them in, or leave it out.")
    return row.reshape(len(row), -1).astype(np.float32)  # [T, F]


def _size(row: Array) -> str:
    return "none" if row.ndim == 1 else str(row.shape[1])
