"""A user's own sequences: checked, told what is wanted of them, without duplicates, in three parts.

from_arrays(recordings, ["left", "right", ...], groups=subjects).task("gestures")
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from recurrent_rl.sequence.batch import Array, Examples
from recurrent_rl.sequence.data.cut import Cut, Indices, Parts, first_of_equals, standardised
from recurrent_rl.sequence.data.errors import DataError
from recurrent_rl.sequence.data.own_inputs import Inputs, as_inputs, with_symbols
from recurrent_rl.sequence.data.own_targets import Kind, Targets, as_targets, with_numbers
from recurrent_rl.sequence.problems import Classification, NextStep, Problem, Regression, Tagging
from recurrent_rl.sequence.task import Splits, Task

DEFAULT_CUT = Cut()
_METRICS = {"classification": "accuracy", "tagging": "accuracy", "next-step": "bits", "regression": "mse"}


@dataclass(frozen=True, kw_only=True)
class OwnData:
    """A user's sequences, ready for the comparison.

    Args:
        splits: Training, validation and test; features are standardised by those of training.
        kind: What is wanted.
        problem: The same, with its loss and scores.
        symbols: Number of different input symbols; None where inputs are features.
        features: Size of an input; None where inputs are symbols.
        labels: What the target numbers stand for; empty where targets are not labels.
        duplicates: Sequences that were removed, because an earlier one has equal inputs.
    """

    splits: Splits
    kind: Kind
    problem: Problem
    symbols: int | None = None
    features: int | None = None
    labels: tuple[Any, ...] = ()
    duplicates: int = 0

    def task(self, name: str = "own") -> Task:
        """Return a task for the benchmark; its data are the same for each seed."""
        metric = _METRICS[self.kind]
        return Task(
            name,
            "own",
            self.problem,
            metric,
            metric == "accuracy",
            self.load,
            symbols=self.symbols,
            features=self.features,
        )

    def load(self, seed: int = 0) -> Splits:
        """Return the splits."""
        return self.splits

    def summary(self) -> str:
        """Return a line for people: what was made of the data."""
        counts = "/".join(str(len(part)) for part in (self.splits.train, self.splits.validation, self.splits.test))
        inputs = f"{self.features} features" if self.symbols is None else f"{self.symbols} symbols"
        labels = f", {len(self.labels)} labels" if self.labels else ""
        return (
            f"{self.kind}: {counts} sequences for training/validation/test, {inputs}{labels}; "
            f"{self.duplicates} duplicates removed"
        )


def from_arrays(
    inputs: Sequence[Any],
    targets: Sequence[Any] | Array | None = None,
    groups: Sequence[Any] | Array | None = None,
    *,
    cut: Cut = DEFAULT_CUT,
    kind: Kind | None = None,
) -> OwnData:
    """Return a user's sequences in three parts, with what is wanted of them.

    inputs of a sequence     [T] or [T, F] floats, or [T, F] whole numbers: features
                             [T] whole numbers from 0, or strings: symbols
    targets of a sequence    one label: classification                  labels are whole numbers, booleans or strings
                             [T] labels: tagging
                             one float, or [h] floats: regression
                             none: the next symbol

    Sequences whose inputs equal an earlier one's are removed first, whatever their targets. Then groups are dealt out whole;
    without them sequences are, at random, with each label's share in each part. Targets of a regression stay as they are:
    give them a scale near 1.

    Args:
        inputs: A list with an item for each sequence, of any lengths.
        targets: An item for each sequence, or None.
        groups: For each sequence the speaker, subject or document that it comes from: none is in two parts.
        cut: Shares of the parts, and the seed.
        kind: Where the rule above would guess wrong, for example "regression" of counts.

    Raises:
        DataError: What is given will not do: nothing, an empty sequence, unequal counts, features of unequal number, NaN, a
            label in validation or test that training lacks.
    """
    given = as_inputs(inputs)
    wanted = as_targets(targets, given.rows, kind)
    if groups is not None and len(groups) != len(given.rows):
        raise DataError(f"There are {len(given.rows)} sequences but {len(groups)} groups: give one for each.")
    kept = first_of_equals(given.rows)
    parts = _parts(kept, wanted, groups, cut)
    given, wanted = with_symbols(given, parts[0]), with_numbers(wanted, parts)
    numbers = None if groups is None else np.unique(np.asarray(groups), return_inverse=True)[1]
    train, validation, test = (_examples(given, wanted, numbers, part) for part in parts)
    splits = Splits(train, validation, test)
    return OwnData(
        splits=standardised(splits) if given.symbols is None else splits,
        kind=wanted.kind,
        problem=_problem(given, wanted),
        symbols=given.symbols,
        features=given.features,
        labels=wanted.labels,
        duplicates=len(given.rows) - len(kept),
    )


def _parts(kept: Indices, wanted: Targets, groups: Sequence[Any] | Array | None, cut: Cut) -> Parts:
    """Return indices of the parts, of those kept."""
    if len(kept) < 3:
        raise DataError(f"Three different sequences at least are needed, one for each part; there are {len(kept)}.")
    if groups is not None:
        found = cut.by_group(np.asarray(groups)[kept])
    elif wanted.kind == "classification":
        found = cut.by_label(np.asarray(wanted.rows)[kept])
    else:
        found = cut.by_label(np.zeros(len(kept)))
    if not all(len(part) for part in found):
        raise DataError(f"{cut} leaves a part empty: give more sequences for each label, or larger shares.")
    return kept[found[0]], kept[found[1]], kept[found[2]]


def _problem(given: Inputs, wanted: Targets) -> Problem:
    if wanted.kind == "next-step":
        if given.symbols is None:
            raise DataError(
                "Next-step modelling wants symbols, [T] whole numbers or strings; for features give targets."
            )
        if min(len(row) for row in given.rows) < 2:
            raise DataError("Next-step modelling wants sequences of two symbols at least: the first is given.")
        return NextStep(given.symbols)
    if wanted.kind == "regression":
        return Regression(np.asarray(wanted.rows[0]).size)
    return Tagging(len(wanted.labels)) if wanted.kind == "tagging" else Classification(len(wanted.labels))


def _examples(given: Inputs, wanted: Targets, groups: Array | None, part: Indices) -> Examples:
    targets = None if wanted.kind == "next-step" else wanted.rows
    return Examples(given.rows, targets, groups).select(part)
