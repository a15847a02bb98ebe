"""Japanese vowels: which of nine speakers says /ae/? 12 LPC cepstra at each of 7 to 29 steps."""

from collections.abc import Sequence

import numpy as np

from recurrent_rl.sequence.batch import Array, Examples
from recurrent_rl.sequence.data.archive import read_members
from recurrent_rl.sequence.data.cut import hold_out, standardised
from recurrent_rl.sequence.data.errors import DataError
from recurrent_rl.sequence.data.manifest import JAPANESE_VOWELS
from recurrent_rl.sequence.task import Splits

FEATURES, CLASSES = 12, 9
HELD_OUT = 1 / 6
"""Of the official training set, for validation: 5 of each speaker's 30 utterances, chosen by a fixed seed."""


def load(seed: int = 0) -> Splits:
    """Return 225 / 45 / 370 utterances, standardised by those of training; the official test, the same for each seed.

    Source: Kudo, Toyama, Shimbo 1999, Multidimensional Curve Classification Using Passing-Through Regions.
    """
    train, test = (
        parse(content.decode()) for content in read_members(JAPANESE_VOWELS, JAPANESE_VOWELS.members).values()
    )
    return official(train, test, HELD_OUT)


def official(train: Examples, test: Examples, share: float) -> Splits:
    """Return splits with validation cut from training by label, standardised."""
    assert train.targets is not None
    kept, held = hold_out(np.asarray(train.targets), share, seed=0)
    return standardised(Splits(train.select(kept), train.select(held), test))


def parse(text: str) -> Examples:
    """Return the sequences of a file in the .ts format: [T, F] float32, and labels numbered in the header's order.

    A line after @data is one sequence: dimensions parted by colons, each with its values over time parted by commas, and
    the label after the last colon. The header's @classLabel line lists the labels.

    Raises:
        DataError: A dimension's length differs from the others', or the header lacks a label.
    """
    header, _, body = text.partition("@data")
    labels = _labels(header)
    rows = [line.strip().split(":") for line in body.splitlines() if line.strip()]
    for number, row in enumerate(rows):
        if row[-1] not in labels:
            raise DataError(f"Sequence {number} has the label {row[-1]!r}, which @classLabel does not list.")
    inputs = [_sequence(number, row[:-1]) for number, row in enumerate(rows)]
    return Examples(inputs, np.array([labels[row[-1]] for row in rows], dtype=np.int64))


def _labels(header: str) -> dict[str, int]:
    for line in header.splitlines():
        if line.lower().startswith("@classlabel true"):
            return {label: number for number, label in enumerate(line.split()[2:])}
    raise DataError("The .ts file has no line `@classLabel true ...` before @data.")


def _sequence(number: int, dimensions: Sequence[str]) -> Array:
    columns = [np.array(dimension.split(","), dtype=np.float32) for dimension in dimensions]
    if len({len(column) for column in columns}) != 1:
        raise DataError(f"Sequence {number} has dimensions of unequal length.")
    return np.stack(columns, axis=1)  # [T, F]
