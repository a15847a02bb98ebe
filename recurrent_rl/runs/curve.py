"""Learning curves as a picture."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib.ticker
from matplotlib.figure import Figure

Rows = Sequence[Mapping[str, float]]
STEPS = "time/total_timesteps"


def draw_curves(runs: Mapping[str, Rows], title: str, path: Path) -> None:
    """Draw mean episode return against environment steps, one line per run, and write a PNG.

    Args:
        runs: Label -> rows of metrics.csv.
        title: Of the picture.
        path: Where; written whole or not at all.
    """
    figure = Figure(figsize=(7, 4.2), layout="constrained")  # no pyplot: no global state, no display
    axes = figure.add_subplot()
    for label, rows in runs.items():
        line = _points(rows, "rollout/ep_rew_mean")
        mark = "." if len(line[0]) == 1 else None  # one point makes no line
        (drawn,) = axes.plot(*line, label=label, marker=mark) if line[0] else axes.plot([], [], label=label)
        evaluated = _points(rows, "eval/mean_reward")
        if evaluated[0]:
            axes.plot(*evaluated, "o", color=drawn.get_color(), label=f"{label}, evaluated", markersize=4)
    axes.set(title=title, xlabel="environment steps", ylabel="mean episode return")
    axes.xaxis.set_major_formatter(matplotlib.ticker.EngFormatter())
    axes.grid(alpha=0.3)
    axes.legend(frameon=False)
    part = path.with_suffix(".part.png")
    figure.savefig(part, dpi=120)
    part.replace(path)


def _points(rows: Rows, name: str) -> tuple[list[float], list[float]]:
    found = [(row[STEPS], row[name]) for row in rows if STEPS in row and name in row]
    return [x for x, _ in found], [y for _, y in found]
