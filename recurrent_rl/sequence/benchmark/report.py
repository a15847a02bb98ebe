"""The report of a suite: tables, pictures, and a line for every trial."""

import csv
from collections.abc import Sequence
from pathlib import Path

from recurrent_rl.sequence.benchmark.costs import read
from recurrent_rl.sequence.benchmark.entrants import entrants_for
from recurrent_rl.sequence.benchmark.overview import Found, draw_overview, overview
from recurrent_rl.sequence.benchmark.plots import draw
from recurrent_rl.sequence.benchmark.results import Results
from recurrent_rl.sequence.benchmark.suite import Suite
from recurrent_rl.sequence.benchmark.tables import Line, failures, lines, protocol, table
from recurrent_rl.sequence.benchmark.trial import Result
from recurrent_rl.sequence.task import Task


def report(suite: Suite, folder: Path) -> str:
    """Write tables.md, trials.csv and a picture for each task that has results into a folder; return the tables.

    Where several tasks have results, a table and a picture of all come first.

    Raises:
        ValueError: There are no results.
    """
    found: dict[str, tuple[Task, Sequence[Line]]] = {}
    sections = []
    for name, work in suite.works.items():
        task, results = work.task(), final_results(suite, name)
        if rows := lines(task, results, read(suite.folder, name)):
            found[name] = task, rows
            sections.append(_section(name, table(task, rows), protocol(work), failures(results)))
    if not found:
        raise ValueError(f"{suite.folder} has no results of {', '.join(suite.works)} yet: run the suite first.")
    if len(found) > 1:
        sections.insert(0, _section("Overview", overview(found)))
    text = "\n\n".join(sections)
    folder.mkdir(parents=True, exist_ok=True)
    _draw_all(found, folder)
    (folder / "tables.md").write_text(text + "\n")
    write_trials(
        [result for name in suite.works for result in Results(suite.folder).of_task(name)], folder / "trials.csv"
    )
    return text


def final_results(suite: Suite, name: str) -> dict[str, list[Result]]:
    """Return the results of the planned final runs of a task that are there, all or some, of each model that is tuned."""
    results, found = Results(suite.folder), {}
    for entrant in entrants_for(suite.works[name].task(), suite.models):
        if suite.is_tuned(name, entrant):
            finals = [results.of(trial) for trial in suite.final(name, entrant)]
            found[entrant.name] = [result for result in finals if result is not None]
    return found


def _section(name: str, tables: str, *notes: str) -> str:
    return "\n\n".join([f"### {name}", tables, *filter(None, notes), f"![{name}]({name.lower()}.png)"])


def _draw_all(found: Found, folder: Path) -> None:
    for name, (task, rows) in found.items():
        draw(task, rows, folder / f"{name}.png")
    if len(found) > 1:
        draw_overview(found, folder / "overview.png")


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
