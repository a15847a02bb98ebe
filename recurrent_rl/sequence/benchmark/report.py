"""Tables and pictures of a suite's results: quality with intervals and corrected tests, beside what it cost."""

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from recurrent_rl.sequence.benchmark.suite import Result, Suite
from recurrent_rl.sequence.benchmark.works import WORKS
from recurrent_rl.sequence.statistics import Interval, holm, mean_interval, paired_t_test
from recurrent_rl.sequence.task import Task


@dataclass(frozen=True)
class Line:
    """A model's line in a task's table.

    Args:
        model: Its name.
        score: Of the task's metric on the test data, over seeds.
        p_value: Of its being as good as the best model, by a paired t test over seeds, corrected by Holm for the number of
            models; None for the best itself.
        longer: Means on longer sequences, by their name.
        parameters: Of the network.
        seconds: CPU time of training, mean over seeds.
    """

    model: str
    score: Interval
    p_value: float | None
    longer: dict[str, float]
    parameters: int
    seconds: float


def lines(task: Task, results: Iterable[Result]) -> list[Line]:
    """Return a line for each model with two seeds or more, the best first."""
    by_model: dict[str, dict[int, Result]] = {}
    for result in results:
        if result["task"] == task.name and not result["tuning"]:
            by_model.setdefault(result["model"], {})[result["seed"]] = result
    scores = {model: [found[seed]["test"][task.metric] for seed in sorted(found)] for model, found in by_model.items()}
    scores = {model: values for model, values in scores.items() if len(values) > 1}
    order = sorted(scores, key=lambda model: float(np.mean(scores[model])), reverse=task.higher_is_better)
    others = [model for model in order[1:] if len(scores[model]) == len(scores[order[0]])]
    tests = [paired_t_test(scores[order[0]], scores[model]).p_value for model in others]
    p_values = dict(zip(others, holm(tests) if tests else [], strict=True))
    return [_line(task, by_model[model], scores[model], p_values.get(model)) for model in order]


def _line(task: Task, found: dict[int, Result], scores: list[float], p_value: float | None) -> Line:
    some = list(found.values())
    names = some[0]["longer"]
    longer = {name: float(np.mean([one["longer"][name][task.metric] for one in some])) for name in names}
    seconds = float(np.mean([one["cpu_seconds"] for one in some]))
    return Line(some[0]["model"], mean_interval(scores), p_value, longer, some[0]["parameters"], seconds)


def table(task: Task, rows: Sequence[Line]) -> str:
    """Return a Markdown table: the models, the best first, then floors and published figures."""
    longer = list(rows[0].longer) if rows else []
    head = ["model", task.metric, "95%", "p", *[f"at {name}" for name in longer], "parameters", "CPU s"]
    body = [
        [
            row.model, number(row.score.mean), f"{number(row.score.low)} to {number(row.score.high)}",
            "" if row.p_value is None else f"{row.p_value:.3f}",
            *[number(row.longer[name]) for name in longer], f"{row.parameters:,}", f"{row.seconds:.0f}",
        ]
        for row in rows
    ]  # fmt: skip
    for anchor in task.anchors:
        source = anchor.source if anchor.comparable else f"{anchor.source}; context only"
        body.append([f"*{anchor.name}*", number(anchor.value), source, *[""] * (len(head) - 3)])
    return "\n".join(f"| {' | '.join(cells)} |" for cells in [head, ["---"] * len(head), *body])


def number(value: float) -> str:
    """Return four figures, in powers of ten where it is small."""
    return f"{value:.3g}" if abs(value) < 0.01 else f"{value:.4g}"


def draw(task: Task, rows: Sequence[Line], path: Path) -> None:
    """Draw the score against the CPU time of training, with intervals over seeds; and over length where there are tests."""
    longer = list(rows[0].longer) if rows else []
    figure = Figure(figsize=(12 if longer else 7, 4.5), layout="constrained")
    axes = figure.subplots(1, 2 if longer else 1, squeeze=False)[0]
    for i, row in enumerate(rows):
        error = [[row.score.mean - row.score.low], [row.score.high - row.score.mean]]
        style = {"color": f"C{i % 10}", "marker": "os^"[i // 10]}
        axes[0].errorbar([row.seconds], [row.score.mean], yerr=error, capsize=3, label=row.model, **style)
        if longer:
            axes[1].plot(range(len(longer)), [row.longer[name] for name in longer], **style)
    axes[0].set(title=task.name, xlabel="CPU seconds of training", ylabel=task.metric, xscale="log")
    if longer:
        axes[1].set(title="longer than in training", xlabel="length", xticks=range(len(longer)), xticklabels=longer)
    if rows and not task.higher_is_better and min(row.score.mean for row in rows) > 0:
        axes[0].set_yscale("log", nonpositive="clip")
    figure.legend(loc="outside right upper", frameon=False, fontsize=8)
    figure.savefig(path, dpi=110)


def report(suite: Suite, folder: Path) -> str:
    """Write trials.csv and a picture for each task that has results into a folder; return the tables as Markdown."""
    folder.mkdir(parents=True, exist_ok=True)
    results, parts = list(suite.results()), []
    for name in suite.tasks:
        task = WORKS[name].task()
        rows = lines(task, results)
        if rows:
            draw(task, rows, folder / f"{name}.png")
            parts.append(f"### {name}\n\n{table(task, rows)}\n\n![{name}]({name}.png)")
    if results:
        write_trials(results, folder / "trials.csv")
    return "\n\n".join(parts)


def write_trials(results: Sequence[Result], path: Path) -> None:
    """Write a line for every trial, those of tuning too."""
    flat = [_flat(result) for result in results]
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
