"""The report of a suite: tables, pictures, and a line for every trial."""

import csv
from collections.abc import Sequence
from pathlib import Path

from recurrent_rl.sequence.benchmark.costs import read
from recurrent_rl.sequence.benchmark.entrants import entrants_for
from recurrent_rl.sequence.benchmark.plots import draw
from recurrent_rl.sequence.benchmark.results import Results
from recurrent_rl.sequence.benchmark.suite import Suite
from recurrent_rl.sequence.benchmark.tables import Line, lines, overview, protocol, table
from recurrent_rl.sequence.benchmark.trial import Result
from recurrent_rl.sequence.task import Task


def report(suite: Suite, folder: Path) -> str:
    """Write tables.md, trials.csv and a picture for each task that has results into a folder; return the tables.

    Raises:
        ValueError: There are no results.
    """
    folder.mkdir(parents=True, exist_ok=True)
    found: dict[str, tuple[Task, Sequence[Line]]] = {}
    for name in suite.works:
        task, rows = suite.works[name].task(), task_lines(suite, name)
        if rows:
            found[name] = task, rows
            draw(task, rows, folder / f"{name}.png")
    if not found:
        raise ValueError(f"{suite.folder} has no results of {', '.join(suite.works)} yet: run the suite first.")
    parts = [_section(suite, name, task, rows) for name, (task, rows) in found.items()]
    text = "\n\n".join([*([f"### Overview\n\n{overview(found)}"] if len(found) > 1 else []), *parts])
    (folder / "tables.md").write_text(text + "\n")
    write_trials(
        [result for name in suite.works for result in Results(suite.folder).of_task(name)], folder / "trials.csv"
    )
    return text


def task_lines(suite: Suite, name: str) -> list[Line]:
    """Return the lines of a task, of models whose final runs are there, all or some."""
    task, results = suite.works[name].task(), Results(suite.folder)
    found = {}
    for entrant in entrants_for(task, suite.models):
        if suite.is_tuned(name, entrant):
            finals = [results.of(trial) for trial in suite.final(name, entrant)]
            found[entrant.name] = [result for result in finals if result is not None]
    return lines(task, found, read(suite.folder, name))


def _section(suite: Suite, name: str, task: Task, rows: Sequence[Line]) -> str:
    notes = protocol(suite.works[name])
    return "\n\n".join([f"### {name}", table(task, rows), *([notes] if notes else []), f"![{name}]({name}.png)"])


def write_trials(results: Sequence[Result], path: Path) -> None:
    """Write a line for every trial, those of tuning too, without its curve."""
    flat = [_flat({name: value for name, value in result.items() if name != "curve"}) for result in results]
    names = list(dict.fromkeys(name for row in flat for name in row))
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, names, lineterminator="\n")
        writer.writeheader()
        writer.writerows(flat)


def _flat(values: Result, prefix: str = "") -> dict[str, object]:
    row: dict[str, object] = {}
    for name, value in values.items():
        row |= _flat(value, f"{prefix}{name}.") if isinstance(value, dict) else {f"{prefix}{name}": value}
    return row
