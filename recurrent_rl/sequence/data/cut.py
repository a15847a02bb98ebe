"""Cutting records into training, validation and test; related ones stay together, equal ones count once."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recurrent_rl.sequence.batch import Array, Examples
from recurrent_rl.sequence.data.errors import DataError
from recurrent_rl.sequence.task import Splits

Indices = NDArray[np.int64]
Parts = tuple[Indices, Indices, Indices]
"""Indices of training, validation and test."""


@dataclass(frozen=True, kw_only=True)
class Cut:
    """How records are dealt out at random.

    Args:
        validation: Share for validation, within (0, 1).
        test: Share for the test, within (0, 1); both together less than 1.
        seed: Of the shuffle; the same seed gives the same parts.
    """

    validation: float = 0.15
    test: float = 0.15
    seed: int = 0

    def __post_init__(self) -> None:
        if not (self.validation > 0 and self.test > 0 and self.validation + self.test < 1):
            raise DataError(f"{self}: validation and test must be above 0, and their sum below 1.")

    def by_label(self, labels: Sequence[Any] | Array) -> Parts:
        """Return indices of training, validation and test, with each label's share in each part.

        A label with few records may be in training alone; one label for all gives a plain random cut.
        """
        rest, test = hold_out(labels, self.test, self.seed)
        kept, held = hold_out(np.asarray(labels)[rest], self.validation / (1 - self.test), self.seed + 1)
        return rest[kept], rest[held], test

    def by_group(self, groups: Sequence[Any] | Array) -> Parts:
        """Return indices of training, validation and test, no group in two parts.

        Groups in random order fill the test, then validation, until a part has its share; the rest is training.

        Raises:
            DataError: There are fewer than three groups, or the first two parts took them all.
        """
        names, member = np.unique(np.asarray(groups), return_inverse=True)
        if len(names) < 3:
            raise DataError(f"Three groups at least are needed, one for each part; there are {len(names)}.")
        order = np.random.default_rng(self.seed).permutation(len(names))
        sizes = np.bincount(member)[order]
        test = _enough(sizes, self.test * len(member))
        validation = test + _enough(sizes[test:], self.validation * len(member))
        if validation >= len(names):
            raise DataError(f"{self} leaves none of {len(names)} groups for training: ask for smaller shares.")
        dealt = (order[validation:], order[test:validation], order[:test])
        train, held, tested = (np.flatnonzero(np.isin(member, part)) for part in dealt)
        return train, held, tested


def hold_out(labels: Sequence[Any] | Array, share: float, seed: int) -> tuple[Indices, Indices]:
    """Return indices kept and held out, sorted, with a share of each label's records held out.

    A label with n records gives n * share of them, rounded up or down by chance, so that the shares are right on average;
    at least one is kept. If no label gave one, the most frequent gives one.
    """
    _, member, counts = np.unique(np.asarray(labels), return_inverse=True, return_counts=True)
    rng = np.random.default_rng(seed)
    taken = np.minimum(np.floor(counts * share + 1e-9 + rng.random(len(counts)) * (1 - 1e-8)), counts - 1).astype(int)
    if taken.sum() == 0:
        taken[np.argmax(counts)] = min(1, counts.max() - 1)
    held = [rng.permutation(np.flatnonzero(member == label))[:take] for label, take in enumerate(taken)]
    chosen = np.sort(np.concatenate(held))
    return np.setdiff1d(np.arange(len(member)), chosen), chosen


def _enough(sizes: Indices, records: float) -> int:
    """Return how many of the first groups it takes to hold so many records, one at least."""
    return int(np.sum(np.cumsum(sizes) < records - 1e-9)) + 1


def first_of_equals(inputs: Sequence[Array]) -> Indices:
    """Return indices of inputs that no earlier one equals, in order; equal records in two parts would give answers away."""
    firsts: dict[tuple[tuple[int, ...], str, bytes], int] = {}
    for index, row in enumerate(inputs):
        firsts.setdefault((row.shape, row.dtype.str, row.tobytes()), index)
    return np.array(list(firsts.values()), dtype=np.int64)


def splits_of(examples: Examples, parts: Parts) -> Splits:
    """Return the splits of examples whose indices in training, validation and test are given."""
    train, validation, test = (examples.select(part) for part in parts)
    return Splits(train, validation, test)


def standardised(splits: Splits) -> Splits:
    """Return splits whose features have mean 0 and deviation 1 over all steps of training; constant ones become 0."""
    steps = np.concatenate([np.asarray(row, dtype=np.float64) for row in splits.train.inputs])
    mean, deviation = steps.mean(axis=0), steps.std(axis=0)
    scale = np.where(deviation > 1e-12 * np.maximum(1.0, np.abs(mean)), deviation, np.inf)

    def scaled(examples: Examples) -> Examples:
        inputs = [((np.asarray(row, dtype=np.float64) - mean) / scale).astype(np.float32) for row in examples.inputs]
        return Examples(inputs, examples.targets, examples.groups)

    longer = {name: scaled(examples) for name, examples in splits.longer.items()}
    return Splits(scaled(splits.train), scaled(splits.validation), scaled(splits.test), longer)
