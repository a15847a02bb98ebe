"""Write the tables of the README and the picture, from the results that are there.

python -m experiments.few_shot.report
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from experiments.few_shot.run import PLAN, RESULTS
from experiments.sequence_benchmark.report import between, write
from recurrent_rl.sequence.benchmark.plots import style
from recurrent_rl.sequence.benchmark.results import Results
from recurrent_rl.sequence.in_context import SHOWN
from recurrent_rl.sequence.tasks import MADE_UP
from recurrent_rl.sequence.tasks.in_context import best_classification, best_regression

README = Path(__file__).parent / "README.md"
BEST = {"in-context-regression": best_regression, "in-context-classification": best_classification}

Curves = dict[str, np.ndarray]
"""Scores after each number of examples in SHOWN, by what learned."""


def curves(task: str) -> Curves:
    """Return the means over seeds of what was measured, and what is best possible on the first seed's test."""
    one = MADE_UP[task]()
    test = one.load(0).test
    best = one.problem.scores([row.astype(np.float32) for row in BEST[task](test)], test)
    found: dict[str, list[list[float]]] = {"best possible": [[best[f"after {k}"] for k in SHOWN]]}
    for result in Results(RESULTS).of_task(task):
        if not result["tuning"] and "error" not in result:
            found.setdefault(result["model"], []).append([result["test"][f"after {k}"] for k in SHOWN])
    rows = json.loads((RESULTS / "finetune.json").read_text())[task]
    tuned = {(row["seed"], row["k"]): row["score"] for row in rows}
    seeds = sorted({seed for seed, _ in tuned})
    found["fine-tuning"] = [[tuned[seed, k] for k in SHOWN] for seed in seeds]
    return {name: np.mean(scores, axis=0) for name, scores in found.items()}


def table(task: str, found: Curves) -> str:
    """Return scores by examples seen, the best at the end first."""
    one = MADE_UP[task]()
    order = sorted(found, key=lambda name: found[name][-1], reverse=one.higher_is_better)
    head = [f"| {one.metric} after | " + " | ".join(map(str, SHOWN)) + " |", "| --- |" + " --- |" * len(SHOWN)]
    rows = [f"| {name} | " + " | ".join(f"{score:.3g}" for score in found[name]) + " |" for name in order]
    return "\n".join([f"**{task}**", "", *head, *rows])


def draw(axes: Axes, task: str, found: Curves) -> None:
    """Draw scores against examples seen."""
    one = MADE_UP[task]()
    plain: dict[str, dict[str, Any]] = {
        "best possible": {"color": "black", "linestyle": ":"},
        "fine-tuning": {"color": "black", "linestyle": "--"},
    }
    for name, scores in found.items():
        axes.plot(np.array(SHOWN) + 1, scores, label=name, markersize=4, **plain.get(name) or style(name))
    axes.set(xscale="log", xlabel="examples seen", title=f"{one.name}: {one.metric}")
    axes.set_xticks(np.array(SHOWN) + 1, list(map(str, SHOWN)))
    axes.minorticks_off()
    if not one.higher_is_better:
        axes.set_yscale("log")
    axes.grid(alpha=0.3)


def main() -> None:
    """Replace what stands between the markers of the README."""
    found = {task: curves(task) for task in PLAN}
    figure = Figure(figsize=(11, 4), layout="constrained")
    panels = figure.subplots(1, len(PLAN))
    for axes, task in zip(panels, PLAN, strict=True):
        draw(axes, task, found[task])
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside right center")
    (RESULTS / "report").mkdir(parents=True, exist_ok=True)
    figure.savefig(RESULTS / "report" / "examples.png", dpi=110)
    between(README, "examples", "\n\n".join(table(task, found[task]) for task in PLAN))
    write(PLAN, RESULTS, README)


if __name__ == "__main__":
    main()
