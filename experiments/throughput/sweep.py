"""Throughput over the number of environments, the hidden size and the horizon; a cell that is there is kept."""

from collections.abc import Iterator
from dataclasses import replace

from experiments.throughput.loop import THEIRS, measure
from experiments.throughput.output import RESULTS, Row, load, progress, save
from experiments.throughput.settings import PANELS, Panel
from experiments.throughput.timing import Effort

PATH = RESULTS / "sweep.csv"
BUDGET = 5.0  # seconds for each side of a cell
KEPT = ("episodes", "ours", THEIRS, "ratio", "floor", "share_of_floor", "collection_s", "update_s")
KEY = ("machine", "panel", "value", "episodes")


def cells() -> Iterator[tuple[Panel, int, str]]:
    for panel in PANELS:
        for value in panel.values:
            for episodes in ("short", "endless"):
                yield panel, value, episodes


def measure_cell(panel: Panel, value: int, episodes: str, effort: Effort) -> Row:
    measured = measure(panel.workload(value), episodes, effort).row("float32")
    return {"panel": panel.name, "value": value} | {key: measured[key] for key in KEPT}


def sweep_table(effort: Effort, machine: str, fresh: bool) -> list[Row]:
    """Measure the cells that the CSV lacks for this machine, writing it after each; return this machine's rows."""
    rows = [] if fresh else load(PATH)
    done = {tuple(str(row[key]) for key in KEY) for row in rows}
    short = replace(effort, budget=BUDGET, precisions=("float32",))
    for panel, value, episodes in cells():
        where = f"sweep: {panel.name} {value}, {episodes} episodes"
        if (machine, panel.name, str(value), episodes) in done:
            progress(f"{where}: kept from {PATH.name} (--fresh measures it again)")
            continue
        progress(where)
        rows.append({"machine": machine} | measure_cell(panel, value, episodes, short))
        save(PATH, rows)
    return [row for row in load(PATH) if row["machine"] == machine]
