"""Made-up data: the splits are drawn by a seed, from streams that have nothing in common."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from recurrent_rl.sequence.batch import Array, Examples
from recurrent_rl.sequence.task import Splits

Draw = Callable[[np.random.Generator, int], Examples]
"""Returns so many examples."""


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """Sequences in each split.

    Raises:
        ValueError: One of them is below 1.
    """

    train: int
    validation: int = 1000
    test: int = 1000

    def __post_init__(self) -> None:
        if min(self.train, self.validation, self.test) < 1:
            raise ValueError(f"{self}: each split needs one sequence or more.")


def draw_splits(draw: Draw, sizes: Sizes, seed: int) -> Splits:
    """Return three splits of the same distribution."""
    train, validation, test = streams(seed, 3)
    return Splits(draw(train, sizes.train), draw(validation, sizes.validation), draw(test, sizes.test))


def streams(seed: int, count: int) -> list[np.random.Generator]:
    """Return independent generators; the first ones are the same for any count."""
    return [np.random.default_rng(child) for child in np.random.SeedSequence(seed).spawn(count)]


def unseen(examples: Examples, train: Examples) -> Examples:
    """Return the examples whose inputs do not stand in train: for tasks with short sequences of few symbols."""
    known = {_key(row) for row in train.inputs}
    return examples.select([index for index, row in enumerate(examples.inputs) if _key(row) not in known])


def require_least(name: str, value: int, least: int) -> None:
    """Raise ValueError unless a task's length is at least so much."""
    if value < least:
        raise ValueError(f"{name} must be {least} or more, not {value!r}.")


def _key(row: Array) -> tuple[tuple[int, ...], bytes]:
    return row.shape, row.tobytes()
