"""What a benchmark task is: data in three splits, what is wanted of it, and the figures to stand beside."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from recurrent_rl.sequence.batch import Examples
from recurrent_rl.sequence.problems import Problem


@dataclass(frozen=True)
class Anchor:
    """A figure for the table that needs no run of ours.

    Args:
        value: In the task's metric.
        source: Where it stands, for example "Bai et al. 2018, table 1"; or how a floor is computed.
        comparable: Whether data, split and metric are the same; else it is context only.
    """

    name: str
    value: float
    source: str
    comparable: bool = True


@dataclass(frozen=True)
class Splits:
    """The data of a task. `longer` holds further tests by name, for example {"500": ...} for length generalisation."""

    train: Examples
    validation: Examples
    test: Examples
    longer: Mapping[str, Examples] = field(default_factory=dict)


@dataclass(frozen=True)
class Task:
    """A task of the benchmark.

    Args:
        name: On the command line.
        area: What it is about, for example "state tracking"; tasks of one area are run and told together.
        problem: What is wanted, with its loss and its scores.
        symbols: Number of different input symbols; None where inputs are features.
        columns: Symbols at each step: inputs are [T, C] where there are several.
        features: Size of an input; None where inputs are symbols.
        metric: The score that decides, a name of `problem.scores`.
        higher_is_better: Of the metric.
        load: Returns the splits for a seed; real data is the same for each.
        anchors: Floors and published figures.
        full: Whether it gets the full protocol (tuning, five seeds).
    """

    name: str
    area: str
    problem: Problem
    metric: str
    higher_is_better: bool
    load: Callable[[int], Splits]
    symbols: int | None = None
    columns: int = 1
    features: int | None = None
    anchors: tuple[Anchor, ...] = ()
    full: bool = False
