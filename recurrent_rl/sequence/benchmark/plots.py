"""Pictures of a task's results: quality against cost, learning curves, and tests on longer sequences."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

from recurrent_rl.sequence.benchmark.entrants import ENTRANTS
from recurrent_rl.sequence.benchmark.tables import Line
from recurrent_rl.sequence.task import Task

MARKERS = "osD^v<>PX*hp"
FLOOR: dict[str, Any] = {"color": "grey", "linestyle": ":", "linewidth": 1}
PUBLISHED: dict[str, Any] = {"color": "grey", "linestyle": "--", "linewidth": 1}


def style(model: str) -> dict[str, Any]:
    """Return a model's colour and marker, the same in all pictures."""
    index = [entrant.name for entrant in ENTRANTS].index(model)
    return {"color": f"C{index % 10}", "marker": MARKERS[index % len(MARKERS)]}


def draw(task: Task, rows: Sequence[Line], path: Path) -> None:
    """Draw a task's results into a PNG file."""
    panels = [_training_cost, _inference_cost, _curves, *([_lengths] if rows[0].longer else [])]
    figure = Figure(figsize=(4.2 * len(panels) + 1.6, 4), layout="constrained")
    for axes, panel in zip(figure.subplots(1, len(panels), squeeze=False)[0], panels, strict=True):
        panel(axes, task, rows)
        axes.grid(alpha=0.3)
    figure.suptitle(task.name)
    figure.legend(*figure.axes[0].get_legend_handles_labels(), loc="outside right upper", frameon=False, fontsize=8)
    figure.savefig(path, dpi=110)


def _training_cost(axes: Axes, task: Task, rows: Sequence[Line]) -> None:
    for row in rows:
        error = np.nan_to_num([[row.score.mean - row.score.low], [row.score.high - row.score.mean]])
        axes.errorbar(
            [row.mean("cpu_seconds")], [row.score.mean], yerr=error, capsize=3, linestyle="none", label=row.model,
            **style(row.model),
        )  # fmt: skip
    axes.set(xlabel="CPU seconds of training", ylabel=f"{task.metric}, test", xscale="log")
    _reference_lines(axes, task)
    _plain_ticks(axes, task, rows)


def _inference_cost(axes: Axes, task: Task, rows: Sequence[Line]) -> None:
    for row in rows:
        if row.cost is not None:
            axes.plot([row.cost.step_us], [row.score.mean], linestyle="none", **style(row.model))
    axes.set(xlabel="microseconds for one more input", ylabel=f"{task.metric}, test", xscale="log")
    _reference_lines(axes, task)
    _plain_ticks(axes, task, rows)


def _curves(axes: Axes, task: Task, rows: Sequence[Line]) -> None:
    name = f"validation/{task.metric}"
    for row in rows:
        curves = [result["curve"] for result in row.results if name in result["curve"]]
        if curves:
            shortest = min(len(curve[name]) for curve in curves)
            mean = np.mean([curve[name][:shortest] for curve in curves], axis=0)
            axes.plot(curves[0]["step"][:shortest], mean, markersize=3, linewidth=1, **style(row.model))
    axes.set(xlabel="optimiser steps", ylabel=f"{task.metric}, validation")
    _log_of_losses(axes, task, rows)


def _lengths(axes: Axes, task: Task, rows: Sequence[Line]) -> None:
    names = list(rows[0].longer)
    for row in rows:
        axes.plot(range(len(names)), [row.longer[name] for name in names], linewidth=1, **style(row.model))
    axes.set(ylabel=f"{task.metric}, test", xlabel="further tests", xticks=range(len(names)), xticklabels=names)
    _log_of_losses(axes, task, rows)


def _reference_lines(axes: Axes, task: Task) -> None:
    """Draw the floor, and the best published figure of the same data and metric, where they lie near the models."""
    comparable = [anchor.value for anchor in task.anchors if anchor.comparable]
    published = comparable[1:] and [(max if task.higher_is_better else min)(comparable[1:])]
    low, high = axes.get_ylim()
    reach = high - low
    for values, look in ((comparable[:1], FLOOR), (published, PUBLISHED)):
        if values and low - reach / 2 < values[0] < high + reach / 2:
            axes.axhline(values[0], **look)


def _plain_ticks(axes: Axes, task: Task, rows: Sequence[Line]) -> None:
    """Label 1, 2 and 5 of each power of ten as plain numbers."""
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    _log_of_losses(axes, task, rows)


def _log_of_losses(axes: Axes, task: Task, rows: Sequence[Line]) -> None:
    """Use a logarithmic scale where losses lie more than a power of ten apart."""
    means = [row.score.mean for row in rows]
    if not task.higher_is_better and min(means) > 0 and max(means) > 10 * min(means):
        axes.set_yscale("log", nonpositive="clip")
