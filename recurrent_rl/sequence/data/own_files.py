"""A user's own sequences from a CSV or NPZ file."""

import csv
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recurrent_rl.sequence.batch import Array
from recurrent_rl.sequence.data.cut import Cut
from recurrent_rl.sequence.data.errors import DataError
from recurrent_rl.sequence.data.own import DEFAULT_CUT, OwnData, from_arrays
from recurrent_rl.sequence.data.own_targets import Kind


@dataclass(frozen=True, kw_only=True)
class Columns:
    """The names of the columns of a CSV file.

    Args:
        sequence: Which sequence a line belongs to, any string.
        features: Numbers of a step; or
        symbol: one symbol of a step, any string. Give one of both.
        time: A number that orders the lines of a sequence; None for the order of the file.
        target: Equal on all lines of a sequence (one label or number) or one label for each step; None for the next symbol.
        group: The speaker, subject or document, equal on all lines of a sequence; None where all are unrelated.
    """

    sequence: str = "sequence"
    features: tuple[str, ...] = ()
    symbol: str | None = None
    time: str | None = None
    target: str | None = None
    group: str | None = None

    def __post_init__(self) -> None:
        if bool(self.features) == (self.symbol is not None):
            raise DataError("Columns: give either features or a symbol.")

    @property
    def names(self) -> list[str]:
        """Return all of them."""
        single = (self.sequence, self.symbol, self.time, self.target, self.group)
        return [*self.features, *(name for name in single if name is not None)]


def from_csv(path: str | Path, columns: Columns, *, cut: Cut = DEFAULT_CUT, kind: Kind | None = None) -> OwnData:
    """Return the sequences of a CSV file in long format: a header, then a line for each step of each sequence.

        sequence,time,x,y,label
        walk-1,0,0.3,0.1,left
        walk-1,1,0.4,0.0,left
        walk-2,0,0.1,0.9,right

    Targets that are whole numbers or strings are labels, others numbers; see `from_arrays`.

    Raises:
        DataError: The file cannot be read, a column is missing, a cell is not a number, or as `from_arrays`.
    """
    lines = _lines(Path(path), columns)
    sequences = _by_sequence(lines, columns)
    inputs = [_inputs(steps, columns) for steps in sequences]
    targets = None if columns.target is None else _targets(sequences, columns.target, kind)
    groups = None if columns.group is None else [_one(steps, columns.group) for steps in sequences]
    return from_arrays(inputs, targets, groups, cut=cut, kind=kind)


def from_npz(path: str | Path, *, cut: Cut = DEFAULT_CUT, kind: Kind | None = None) -> OwnData:
    """Return the sequences of an NPZ file.

    inputs     [N, T] or [N, T, F]; or all sequences one after another, [sum of lengths] or [sum of lengths, F], with
    lengths    [N] whole numbers
    targets    [N], [N, h], or [N, T]; one after another [sum of lengths]. It may be missing; see `from_arrays`
    groups     [N]. It may be missing

    Raises:
        DataError: The file cannot be read, `inputs` is missing, lengths do not add up, or as `from_arrays`.
    """
    arrays = _arrays(Path(path))
    if "inputs" not in arrays:
        raise DataError(f"{path} has no array `inputs`; it has {', '.join(arrays) or 'none'}.")
    inputs, lengths, targets = arrays["inputs"], arrays.get("lengths"), arrays.get("targets")
    if lengths is None:
        return from_arrays(list(inputs), targets, arrays.get("groups"), cut=cut, kind=kind)
    if lengths.dtype.kind not in "iu" or lengths.ndim != 1 or lengths.sum() != len(inputs):
        raise DataError(f"{path}: lengths must be whole numbers that add up to the {len(inputs)} steps of inputs.")
    cuts = np.cumsum(lengths)[:-1]
    per_step = targets is not None and len(targets) == len(inputs) != len(lengths)
    wanted = np.split(targets, cuts) if targets is not None and per_step else targets
    return from_arrays(np.split(inputs, cuts), wanted, arrays.get("groups"), cut=cut, kind=kind)


def _arrays(path: Path) -> dict[str, NDArray[Any]]:
    try:
        with np.load(path, allow_pickle=False) as file:
            return {name: file[name] for name in file.files}
    except (OSError, ValueError, TypeError, EOFError, zipfile.BadZipFile) as error:
        raise DataError(f"{path} cannot be read as an NPZ file of plain arrays: {error}.") from error


def _lines(path: Path, columns: Columns) -> list[dict[str, str]]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            lines, found = list(reader), reader.fieldnames or []
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path} cannot be read as CSV: {error}.") from error
    if missing := [name for name in columns.names if name not in found]:
        raise DataError(f"{path} has no column {', '.join(missing)}; it has {', '.join(found) or 'none'}.")
    for number, line in enumerate(lines, start=2):
        if empty := [name for name in columns.names if not line[name]]:
            raise DataError(f"{path}, line {number}: {', '.join(empty)} is missing.")
    return lines


def _by_sequence(lines: list[dict[str, str]], columns: Columns) -> list[list[dict[str, str]]]:
    """Return the lines of each sequence sorted by time; sequences in the order of their first lines in the file."""
    time = columns.time
    ordered = lines if time is None else sorted(lines, key=lambda line: _number(line, time))
    sequences: dict[str, list[dict[str, str]]] = {line[columns.sequence]: [] for line in lines}
    for line in ordered:
        sequences[line[columns.sequence]].append(line)
    return list(sequences.values())


def _inputs(steps: Sequence[dict[str, str]], columns: Columns) -> Array:
    if columns.symbol is not None:
        return np.array([step[columns.symbol] for step in steps])
    return np.array([[_number(step, name) for name in columns.features] for step in steps])


def _targets(sequences: list[list[dict[str, str]]], name: str, kind: Kind | None) -> list[Any]:
    """Return a target for each sequence: the one that all its lines have, unless some sequence has several."""
    texts = [[step[name] for step in steps] for steps in sequences]
    value = _value_of(text for row in texts for text in row)
    if kind != "tagging" and all(len(set(row)) == 1 for row in texts):
        return [value(row[0]) for row in texts]
    if value is float:
        raise DataError(
            f"Column {name} has numbers that change within a sequence: give one number for each sequence, or labels."
        )
    return [np.array([value(text) for text in row]) for row in texts]


def _value_of(texts: Iterator[str]) -> Callable[[str], Any]:
    """Return the narrowest of int, float and str that reads all texts."""
    found: Callable[[str], Any] = int
    for text in texts:
        while not _reads(found, text):
            found = {int: float, float: str}[found]  # type: ignore[index]
    return found


def _reads(value: Callable[[str], Any], text: str) -> bool:
    try:
        value(text)
    except ValueError:
        return False
    return True


def _one(steps: Sequence[dict[str, str]], name: str) -> str:
    if len({step[name] for step in steps}) > 1:
        raise DataError(
            f"A sequence has several values of {name}, {steps[0][name]!r} among them: give one for each sequence."
        )
    return steps[0][name]


def _number(step: dict[str, str], name: str) -> float:
    if not _reads(float, step[name]):
        raise DataError(f"Column {name} has {step[name]!r}, which is not a number.")
    return float(step[name])
