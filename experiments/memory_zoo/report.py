"""Tables and pictures of the runs that have a result.

    python -m experiments.memory_zoo.report

Writes results/returns.csv, results/returns.png and the tables between the marks in README.md.
"""

import csv
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator
from scipy import stats

from experiments.memory_zoo.entrants import ENTRANTS
from experiments.memory_zoo.run import RESULTS, STEPS, WORLDS

HERE = Path(__file__).parent
Results = list[dict[str, Any]]
# POPGym's table 3 (arXiv 2303.01859), second-hand: its GRU and the best of its thirteen models, 15 million steps.
POPGYM = {
    "RepeatPreviousEasy": ("1.00", "1.00"),
    "RepeatPreviousMedium": ("-0.315", "0.789 (LMU)"),
    "CountRecallEasy": ("0.177", "0.509"),
    "NoisyPositionOnlyCartPoleHard": ("0.390", "0.404"),
}
SETTINGS_OF_OTHERS = (
    "machine", "steps", "columns", "learning_rate", "largest_gradient", "tested", "seconds",
)  # fmt: skip
MARKERS = "osv^<>DPX*hp"


def read() -> Results:
    """Return all results, in the order of their files."""
    return [json.loads(path.read_text()) for path in sorted(RESULTS.glob("*.json"))]


def scores(results: Results, memory: str, world: str, steps: int = STEPS) -> list[float]:
    """Return the mean returns of a memory's runs in a world."""
    found = [result for result in results if (result["memory"], result["world"]) == (memory, world)]
    return [result["mean_return"] for result in found if result["steps"] == steps]


def interquartile_mean(*strata: Sequence[float]) -> float:
    """Return the mean of the middle half of all runs of all worlds."""
    return float(stats.trim_mean(np.concatenate(strata), 0.25))


def interval(strata: list[list[float]]) -> tuple[float, float] | None:
    """Return the 95% bootstrap interval of the interquartile mean, runs drawn anew within each world; None for one run."""
    if min(map(len, strata)) < 2:
        return None
    drawn = stats.bootstrap(strata, interquartile_mean, vectorized=False, n_resamples=2000, method="percentile", rng=0)
    return float(drawn.confidence_interval.low), float(drawn.confidence_interval.high)


def row(results: Results, memory: str) -> list[str]:
    """Return a line of the table: means by world, then over all worlds where there is a run in each."""
    strata = [scores(results, memory, world) for world in WORLDS]
    cells = [
        f"{np.mean(found):.3f}" + (f" ({len(found)})" if len(found) > 1 else "") if found else "" for found in strata
    ]
    if not all(strata):
        return [memory, *cells, "", ""]
    bounds = interval(strata)
    between = "one seed" if bounds is None else f"{bounds[0]:.3f} to {bounds[1]:.3f}"
    return [memory, *cells, f"{interquartile_mean(*strata):.3f}", between]


def table(results: Results) -> str:
    """Return the table of returns, best interquartile mean first, POPGym's figures last."""
    rows = [row(results, entrant.name) for entrant in ENTRANTS]
    rows = [line for line in rows if any(line[1:])]
    rows.sort(key=lambda line: -float(line[-2] or -np.inf))
    rows.append(["*POPGym's GRU, 15M steps*", *(POPGYM[world][0] for world in WORLDS), "", ""])
    rows.append(["*POPGym's best, 15M steps*", *(POPGYM[world][1] for world in WORLDS), "", ""])
    head = ["memory", *WORLDS, "interquartile mean", "95%"]
    return "\n".join("| " + " | ".join(line) + " |" for line in [head, ["---"] * len(head), *rows])


def longer(results: Results) -> str:
    """Return a table of the runs with other budgets."""
    others = [result for result in results if result["steps"] != STEPS]
    lines = [
        f"| {r['memory']} | {r['world']} | {r['steps']:,} | {r['seed']} | {r['mean_return']:.3f} |" for r in others
    ]
    return "\n".join(["| memory | world | steps | seed | return |", "|---|---|---|---|---|", *lines])


def draw(results: Results, path: Path) -> None:
    """Draw mean returns in the worlds where every memory has run, against parameters, CPU time and size of the state."""
    names = [entrant.name for entrant in ENTRANTS]
    worlds = [world for world in WORLDS if all(scores(results, name, world) for name in names)]
    if not worlds:
        return
    axes_of = {
        "parameters": "parameters",
        "CPU seconds of a run": "cpu_seconds",
        "numbers in the state": "state_numbers",
    }
    figure = Figure(figsize=(13, 5), layout="constrained")
    for axis, (label, key) in zip(figure.subplots(1, 3, sharey=True), axes_of.items(), strict=True):
        for number, name in enumerate(names):
            runs = [r for r in results if r["memory"] == name and r["world"] in worlds and r["steps"] == STEPS]
            x = np.mean([r[key] for r in runs])
            y = interquartile_mean(*[scores(results, name, world) for world in worlds])
            color = f"C{number % 10}"
            axis.plot(x, y, MARKERS[number % len(MARKERS)], color=color, label=name, linestyle="none")
        axis.set(xlabel=label, xscale={"parameters": "linear", "cpu_seconds": "log"}.get(key, "symlog"))
        axis.grid(alpha=0.3)
    figure.axes[0].set_xlim(left=0)
    figure.axes[1].set_xticks((30, 60, 120, 240, 480), ("30", "60", "120", "240", "480"))
    figure.axes[1].xaxis.set_minor_locator(NullLocator())
    figure.axes[0].set_ylabel("interquartile mean of returns")
    figure.legend(*figure.axes[0].get_legend_handles_labels(), loc="outside right upper", frameon=False, fontsize=8)
    figure.suptitle(", ".join(worlds))
    figure.savefig(path, dpi=110)


def write_csv(results: Results, path: Path) -> None:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, results[0].keys())
        writer.writeheader()
        writer.writerows(results)


def as_table(path: Path) -> str:
    """Return a CSV file of another command as a table, without its settings."""
    if not path.exists():
        return "(not measured yet)"
    with path.open(newline="") as file:
        rows = [{key: short(row[key]) for key in row if key not in SETTINGS_OF_OTHERS} for row in csv.DictReader(file)]
    lines = [list(rows[0]), ["---"] * len(rows[0]), *(list(row.values()) for row in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def short(cell: str) -> str:
    """Return a number of many digits with three behind the point."""
    return f"{float(cell):.3f}" if len(cell.partition(".")[2]) > 3 else cell


def fill(text: str, mark: str, content: str) -> str:
    """Put content between <!-- mark --> and <!-- end of mark -->."""
    before, rest = text.split(f"<!-- {mark} -->\n")
    _, after = rest.split(f"<!-- end of {mark} -->")
    return f"{before}<!-- {mark} -->\n{content}\n<!-- end of {mark} -->{after}"


def main() -> None:
    results = read()
    if not results:
        raise SystemExit("There is no result yet: python -m experiments.memory_zoo.run")
    write_csv(results, HERE / "results" / "returns.csv")
    draw(results, HERE / "results" / "returns.png")
    print(table(results))
    contents = {"returns": table(results), "longer": longer(results)}
    contents |= {name: as_table(HERE / "results" / f"{name}.csv") for name in ("costs", "generalise")}
    readme = HERE / "README.md"
    text = readme.read_text()
    for mark, content in contents.items():
        text = fill(text, mark, content)
    readme.write_text(text)


if __name__ == "__main__":
    main()
