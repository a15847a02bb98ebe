"""A user's targets: what is wanted, told by their shape and type, and labels as numbers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np

from recurrent_rl.sequence.batch import Array
from recurrent_rl.sequence.data.cut import Parts
from recurrent_rl.sequence.data.errors import DataError

Kind = Literal["classification", "tagging", "next-step", "regression"]


@dataclass(frozen=True)
class Targets:
    """Checked targets.

    Args:
        kind: What is wanted.
        rows: For each sequence a label, [T] labels, or [h] float32; None for each where the next step is wanted.
        labels: What the numbers stand for, once labels are numbers.
    """

    kind: Kind
    rows: Sequence[Any]
    labels: tuple[Any, ...] = ()


def as_targets(targets: Sequence[Any] | Array | None, inputs: Sequence[Array], kind: Kind | None = None) -> Targets:
    """Return what a user wants, checked.

    Raises:
        DataError: Counts or lengths are unequal, NaN is among the targets, or their kind cannot be told.
    """
    if kind is not None and kind not in get_args(Kind):
        raise DataError(f"kind must be one of {', '.join(get_args(Kind))}, not {kind!r}.")
    if targets is not None and kind == "next-step":
        raise DataError("Next-step modelling wants the inputs themselves, one step later: give no targets.")
    if targets is None and kind not in (None, "next-step"):
        raise DataError(f"{kind} wants a target for each sequence; there are none.")
    if targets is None:
        return Targets("next-step", [None] * len(inputs))
    if len(targets) != len(inputs):
        raise DataError(f"There are {len(inputs)} sequences but {len(targets)} targets: give one for each.")
    rows = [_row(number, target) for number, target in enumerate(targets)]
    return _CHECKS[kind or _told(rows, inputs)](rows, inputs)


def with_numbers(targets: Targets, parts: Parts) -> Targets:
    """Return targets whose labels are numbers from 0, in the order of the labels of training.

    Raises:
        DataError: A label of validation or test is not in training.
    """
    if targets.kind in ("next-step", "regression"):
        return targets
    labels = np.unique(np.concatenate([np.ravel(targets.rows[int(index)]) for index in parts[0]]))
    for name, part in zip(("validation", "test"), parts[1:], strict=True):
        for index in part:
            if len(strange := np.setdiff1d(targets.rows[int(index)], labels)):
                raise DataError(
                    f"Sequence {index}, in {name}, has the label {strange.tolist()[0]!r}, which training lacks: give more "
                    "sequences of it, leave it out, or cut with another seed."
                )
    rows = [np.minimum(np.searchsorted(labels, row), len(labels) - 1).astype(np.int64) for row in targets.rows]
    return Targets(targets.kind, rows, tuple(labels.tolist()))


def _row(number: int, target: Any) -> Array:
    try:
        array = np.asarray(target)
    except ValueError as error:
        raise DataError(
            f"The target of sequence {number} is ragged: give a label, or a list of labels or floats."
        ) from error
    if array.ndim > 1 or array.dtype.kind not in "iubfU" or array.size == 0:
        raise DataError(
            f"The target of sequence {number} must be a label, or [T] labels, or floats, not {array.dtype} {array.shape}."
        )
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise DataError(f"The target of sequence {number} is NaN or infinite: leave the sequence out.")
    return array


def _told(rows: list[Array], inputs: Sequence[Array]) -> Kind:
    """Return the kind that the first target looks like; the checks look at the others."""
    if any(row.dtype.kind == "f" for row in rows):
        return "regression"
    return "classification" if rows[0].ndim == 0 else "tagging"


def _classification(rows: list[Array], inputs: Sequence[Array]) -> Targets:
    _require_labels(rows)
    for number, row in enumerate(rows):
        if row.ndim != 0:
            raise DataError(f"The target of sequence {number} is {row.size} labels, where the others' is one.")
    return Targets("classification", rows)


def _tagging(rows: list[Array], inputs: Sequence[Array]) -> Targets:
    _require_labels(rows)
    for number, (row, steps) in enumerate(zip(rows, inputs, strict=True)):
        if row.shape != (len(steps),):
            raise DataError(f"Sequence {number} has {len(steps)} steps but {row.size} labels: give one for each step.")
    return Targets("tagging", rows)


def _regression(rows: list[Array], inputs: Sequence[Array]) -> Targets:
    for number, row in enumerate(rows):
        if row.dtype.kind == "U":
            raise DataError(f"The target of sequence {number} is a string, where the others are floats.")
        if row.size != rows[0].size:
            raise DataError(
                f"Targets are floats, {rows[0].size} for sequence 0 but {row.size} for {number}: give as many for each "
                "sequence. Floats for each step of sequences of unequal length are not a problem that is known here."
            )
    return Targets("regression", [row.astype(np.float32).reshape(-1) for row in rows])


def _require_labels(rows: list[Array]) -> None:
    kinds = {"U" if row.dtype.kind == "U" else "f" if row.dtype.kind == "f" else "i" for row in rows}
    if "f" in kinds:
        raise DataError("Labels must be whole numbers or strings; some are floats.")
    if len(kinds) > 1:
        raise DataError("Some labels are strings and some are numbers: give one kind.")


_CHECKS = {"classification": _classification, "tagging": _tagging, "regression": _regression}
