"""Draw the sweep: one panel for each axis, both libraries, both lengths of episodes, and the floor."""

from collections.abc import Sequence
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
from matplotlib.axes import Axes

from experiments.throughput.environments import SHORT
from experiments.throughput.output import Row
from experiments.throughput.settings import PANELS, Panel

COLOURS = {"ours": "tab:blue", "sb3-contrib": "tab:orange"}
NAMES = {"ours": "recurrent_rl", "sb3-contrib": "sb3-contrib"}
DASHES = {"short": "-", "endless": "--"}
LENGTHS = {"short": f"episodes of {SHORT} steps", "endless": "episodes never end"}


def curve(rows: Sequence[Row], key: str) -> tuple[list[int], list[float]]:
    """Return values and figures, in ascending order of values."""
    points = sorted((int(str(row["value"])), float(str(row[key]))) for row in rows)
    return [value for value, _ in points], [figure for _, figure in points]


def draw_panel(axes: Axes, panel: Panel, rows: Sequence[Row]) -> None:
    axes.plot(*curve([row for row in rows if row["episodes"] == "endless"], "floor"), ":", color="black", label="floor")
    for side, colour in COLOURS.items():
        for episodes, dashes in DASHES.items():
            points = curve([row for row in rows if row["episodes"] == episodes], side)
            label = f"{NAMES[side]}, {LENGTHS[episodes]}"
            axes.plot(*points, dashes, color=colour, marker="o", markersize=4, label=label)
    axes.set_xscale("log", base=2)
    axes.set_yscale("log")
    axes.set_xticks(panel.values, [str(value) for value in panel.values])
    axes.set_xlabel(panel.name)
    axes.grid(True, which="both", alpha=0.25)


def draw(rows: Sequence[Row], machine: str, path: Path) -> None:
    """Write the PNG."""
    figure, panels = plt.subplots(1, len(PANELS), figsize=(13, 5), sharey=True)
    for axes, panel in zip(panels, PANELS, strict=True):
        draw_panel(axes, panel, [row for row in rows if row["panel"] == panel.name])
    panels[0].set_ylabel("environment steps per second")
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="lower center", ncols=3, frameon=False)
    figure.suptitle(f"Recurrent PPO, two LSTMs, whole loop\n{machine}", fontsize=10)
    figure.tight_layout(rect=(0, 0.1, 1, 1))
    figure.savefig(path, dpi=120)
    plt.close(figure)
