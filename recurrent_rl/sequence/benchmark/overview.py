"""All tasks at a glance: a table and a heat map of the models' scores."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from recurrent_rl.sequence.benchmark.entrants import ENTRANTS
from recurrent_rl.sequence.benchmark.tables import Line, markdown, number
from recurrent_rl.sequence.statistics import Floats
from recurrent_rl.sequence.task import Task

Found = Mapping[str, tuple[Task, Sequence[Line]]]
"""Of each task by name: the lines of its table, the best first."""


def overview(found: Found) -> str:
    """Return a Markdown table with a row for each model and a column for each task; the best of each task is bold."""
    head = ["model", *[f"{name}, {task.metric}" for name, (task, _) in found.items()]]
    cells = [{row.model: number(row.score.mean) for row in rows} for _, rows in found.values()]
    for column, (_, rows) in zip(cells, found.values(), strict=True):
        column[rows[0].model] = f"**{column[rows[0].model]}**"
    return markdown([head, *[[model, *[column.get(model, "") for column in cells]] for model in models(found)]])


def draw_overview(found: Found, path: Path) -> None:
    """Draw a heat map into a PNG file: scores as numbers, ranks within a task as colours, the best blue and bold."""
    named = models(found)
    figure = Figure(figsize=(0.78 * len(found) + 2.2, 0.3 * len(named) + 1.9), layout="constrained")
    axes = figure.subplots()
    axes.imshow(ranks(found), cmap="RdYlBu", vmin=-0.35, vmax=1.35, aspect="auto")
    for column, (_, rows) in enumerate(found.values()):
        for row in rows:
            weight = "bold" if row is rows[0] else "normal"
            axes.text(
                column, named.index(row.model), f"{row.score.mean:.3g}", ha="center", va="center", fontsize=8, weight=weight
            )  # fmt: skip
    axes.set_xticks(
        range(len(found)), [f"{name}, {task.metric}" for name, (task, _) in found.items()],
        rotation=45, ha="right", rotation_mode="anchor", fontsize=8,
    )  # fmt: skip
    axes.set_yticks(range(len(named)), named, fontsize=8)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    figure.savefig(path, dpi=130)


def models(found: Found) -> list[str]:
    """Return the names of the models that have a line anywhere, in the comparison's order."""
    seen = {row.model for _, rows in found.values() for row in rows}
    return [entrant.name for entrant in ENTRANTS if entrant.name in seen]


def ranks(found: Found) -> Floats:
    """Return [models, tasks]: the share of a task's other models that are not better, 1 for the best; NaN without a line."""
    named = models(found)
    table = np.full((len(named), len(found)), np.nan)
    for column, (task, rows) in enumerate(found.values()):
        means = np.array([row.score.mean for row in rows]) * (1 if task.higher_is_better else -1)
        for row, mean in zip(rows, means, strict=True):
            table[named.index(row.model), column] = 1 - np.sum(means > mean) / max(1, len(rows) - 1)
    return table
