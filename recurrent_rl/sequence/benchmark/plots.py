"""Pictures of a task's results: quality against cost, learning curves, and tests on longer sequences."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

from recurrent_rl.sequence.benchmark.entrants import ENTRANTS
from recurrent_rl.sequence.benchmark.tables import Line
from recurrent_rl.sequence.task import Task

MARKERS = "osD^v<>PX*hp"
COLOURS = (
    "#1f77b4", "#ff7f0e", "#2ca02c", "#d62728", "#9467bd", "#8c564b", "#e377c2", "#17becf", "#a5a61c", "#7f7f7f",
    "#0b2f6b", "#f2b600", "#0c5411", "#7a0016", "#4b1a86", "#b65200", "#a3006d", "#00796b", "#000000", "#ff8f9f",
    "#6b7a00", "#5fd3bc", "#4d4d4d", "#c0a080", "#8a2be2", "#3b7f4f", "#b0b8ff", "#ff4f00",
)  # fmt: skip
FLOOR: dict[str, Any] = {"color": "grey", "linestyle": ":", "linewidth": 1.2}
BEST: dict[str, Any] = {"color": "grey", "linestyle": "--", "linewidth": 1.2}
AROUND, MARGIN = 1.6, 1.15  # times the least and the most, where a logarithmic axis of costs ends, and one of losses


def style(model: str) -> dict[str, Any]:
    """Return a model's colour, marker and kind of line, the same in all pictures."""
    index = [entrant.name for entrant in ENTRANTS].index(model)
    return {
        "color": COLOURS[index % len(COLOURS)],
        "marker": MARKERS[index % len(MARKERS)],
        "linestyle": "--" if index % len(COLOURS) >= 10 else "-",
    }


def points(model: str) -> dict[str, Any]:
    """Return a model's look where its points are not joined."""
    return {**style(model), "linestyle": "none"}


def draw(task: Task, rows: Sequence[Line], path: Path) -> None:
    """Draw a task's results into a PNG file."""
    picture(task, rows).savefig(path, dpi=110)


def picture(task: Task, rows: Sequence[Line]) -> Figure:
    """Return a task's results as panels side by side, with one legend."""
    panels = [
        _training_cost,
        *([_inference_cost] if any(row.cost for row in rows) else []),
        _curves,
        *([_lengths] if rows[0].longer else []),
    ]
    figure = Figure(figsize=(4.2 * len(panels) + 1.6, 4), layout="constrained")
    for axes, panel in zip(figure.subplots(1, len(panels), squeeze=False)[0], panels, strict=True):
        panel(axes, task, rows)
        axes.grid(alpha=0.3)
    figure.suptitle(f"{task.name}: {task.metric}, {'higher' if task.higher_is_better else 'lower'} is better")
    models = [Line2D([], [], label=row.model, **style(row.model)) for row in rows]
    references, _ = figure.axes[0].get_legend_handles_labels()
    figure.legend(handles=[*models, *references], loc="outside right center", frameon=False, fontsize=8, handlelength=3)
    return figure


def _training_cost(axes: Axes, task: Task, rows: Sequence[Line]) -> None:
    seconds = [row.mean("cpu_seconds") for row in rows]
    for second, row in zip(seconds, rows, strict=True):
        error = np.nan_to_num([[row.score.mean - row.score.low], [row.score.high - row.score.mean]])
        axes.errorbar([second], [row.score.mean], yerr=error, capsize=2, elinewidth=1, **points(row.model))
    axes.set(xlabel="CPU seconds of training", ylabel=f"{task.metric}, test")
    _costs_axis(axes, seconds)
    _scores_axis(axes, task, [value for row in rows for value in _ends(row)], _reference_lines(axes, task))


def _inference_cost(axes: Axes, task: Task, rows: Sequence[Line]) -> None:
    costs = {row.model: row.cost.step_us for row in rows if row.cost is not None}
    means = {row.model: row.score.mean for row in rows if row.model in costs}
    for model, cost in costs.items():
        axes.plot([cost], [means[model]], **points(model))
    axes.set(xlabel="CPU microseconds for one more input", ylabel=f"{task.metric}, test")
    _costs_axis(axes, list(costs.values()))
    _scores_axis(axes, task, list(means.values()), _reference_lines(axes, task))


def _curves(axes: Axes, task: Task, rows: Sequence[Line]) -> None:
    name, seen = f"validation/{task.metric}", []
    for row in rows:
        curves = [result["curve"] for result in row.results if name in result["curve"]]
        if curves:
            shortest = min(len(curve[name]) for curve in curves)
            mean = np.mean([curve[name][:shortest] for curve in curves], axis=0)
            axes.plot(curves[0]["step"][:shortest], mean, markersize=3, linewidth=1, **style(row.model))
            seen.extend(mean)
    axes.set(xlabel="optimiser steps", ylabel=f"{task.metric}, validation")
    _scores_axis(axes, task, seen)


def _lengths(axes: Axes, task: Task, rows: Sequence[Line]) -> None:
    names = list(rows[0].longer)
    for row in rows:
        axes.plot(range(len(names)), [row.longer[name] for name in names], linewidth=1, **style(row.model))
    axes.set(ylabel=f"{task.metric}, test", xlabel="further tests", xticks=range(len(names)), xticklabels=names)
    _scores_axis(axes, task, [value for row in rows for value in row.longer.values()], _reference_lines(axes, task))


def _ends(row: Line) -> tuple[float, float]:
    """Return where the interval of a score ends; below, a fifth of the score at least, for an axis of logarithms."""
    return max(row.score.low, row.score.mean / 5), max(row.score.mean, row.score.high)


def _reference_lines(axes: Axes, task: Task) -> list[float]:
    """Draw the floors, and the best other figure of the same data and metric, where the models are; return their values.

    On an axis of percentages those far off are left out, where they would push the models together.
    """
    comparable = [anchor for anchor in task.anchors if anchor.comparable]
    floors = [anchor for anchor in comparable if anchor.name.startswith("floor")] or comparable[:1]
    others = [anchor for anchor in comparable if anchor not in floors]
    best = sorted(others, key=lambda anchor: anchor.value, reverse=task.higher_is_better)[:1]
    low, high = axes.get_ylim()
    near = (high - low) / 2 if task.higher_is_better else math.inf
    drawn = [anchor for anchor in (*floors, *best) if low - near < anchor.value < high + near]
    for anchor in drawn:
        look = {**FLOOR, "label": anchor.name} if anchor in floors else {**BEST, "label": f"reference: {anchor.name}"}
        axes.axhline(anchor.value, **look)
    return [anchor.value for anchor in drawn]


def _costs_axis(axes: Axes, costs: Sequence[float]) -> None:
    """Make the x axis logarithmic around the costs."""
    axes.set(xscale="log", xlim=(min(costs) / AROUND, max(costs) * AROUND))
    _plain_ticks(axes.xaxis, min(costs), max(costs))


def _scores_axis(axes: Axes, task: Task, values: Sequence[float], references: Sequence[float] = ()) -> None:
    """Make the y axis of losses logarithmic around those above 0, and let that of percentages end at 100."""
    above = [value for value in (*values, *references) if value > 0]
    if task.higher_is_better:
        axes.set_ylim(top=min(axes.get_ylim()[1], 102))
    elif above:
        axes.set(yscale="log", ylim=(min(above) / MARGIN, max(above) * MARGIN))
        _plain_ticks(axes.yaxis, min(above), max(above))


def _plain_ticks(axis: Axis, low: float, high: float) -> None:
    """Label powers of ten as plain numbers, and 2 and 5 of each where there are few."""
    axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0) if high < 100 * low else (1.0,)))
    axis.set_major_formatter(StrMethodFormatter("{x:,g}"))
    axis.set_minor_formatter(NullFormatter())
