"""Draw how training time grows with T: one line per memory, its name at the end of it."""

from collections.abc import Sequence
from itertools import accumulate
from pathlib import Path

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from experiments.throughput.output import Row

COLOURS = matplotlib.colormaps["tab10"].colors  # type: ignore[attr-defined]
LOOKS = [(colour, style) for style in ("-", "--", ":", "-.") for colour in COLOURS]
GAP = 0.032  # between names, as a share of the axes' height


def spread(heights: Sequence[float]) -> list[float]:
    """Move ascending heights down until each is GAP below the next."""
    return list(accumulate(reversed(heights), lambda last, height: min(height, last - GAP)))[::-1]


def name_ends(axes: Axes, names: Sequence[str], ends: Sequence[tuple[int, float]]) -> None:
    """Write names right of the axes, each with a thin line from its curve's end."""
    axes.autoscale_view()
    heights = (axes.transScale + axes.transLimits).transform(ends)[:, 1].tolist()
    for name, end, height, (colour, style) in zip(names, ends, spread(heights), LOOKS):
        thin = {"arrowstyle": "-", "color": colour, "linestyle": style, "linewidth": 0.8, "relpos": (0, 0.5)}
        place = {"xytext": (1.12, height), "textcoords": "axes fraction", "va": "center", "fontsize": 9}
        axes.annotate(name, end, color=colour, arrowprops=thin, **place)


def draw(rows: Sequence[Row], lengths: Sequence[int], machine: str, path: Path) -> None:
    """Write the PNG; colours and styles go round in the order of the lines' ends, so neighbours differ."""
    figure = Figure(figsize=(9, 8))
    axes = figure.subplots()
    curves = {str(row["memory"]): [float(str(row[f"ms_{steps}"])) for steps in lengths] for row in rows}
    names = sorted(curves, key=lambda name: curves[name][-1])
    for name, (colour, style) in zip(names, LOOKS):
        axes.plot(lengths, curves[name], style, color=colour, marker="o", markersize=3)
    axes.set_xscale("log", base=2)
    axes.set_xticks(lengths, [str(steps) for steps in lengths])
    axes.set(yscale="log", xlabel="T", ylabel="forward and backward, ms")
    axes.grid(True, which="both", alpha=0.25)
    axes.set_title(f"Training time over T, width 128, 16 columns\n{machine}", fontsize=10)
    name_ends(axes, names, [(lengths[-1], curves[name][-1]) for name in names])
    figure.subplots_adjust(left=0.1, right=0.75, top=0.92, bottom=0.07)
    figure.savefig(path, dpi=120)
