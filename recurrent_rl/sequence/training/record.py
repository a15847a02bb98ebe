"""Where figures of a training run go: CSV, TensorBoard, or a function of one's own (Weights & Biases has one)."""

import csv
from collections.abc import Callable
from pathlib import Path

Record = Callable[[int, dict[str, float]], None]
"""(step, figures by name) -> None."""


def to_csv(path: Path) -> Record:
    """Return a record that writes one line for each call; lines of an interrupted run after `step` are dropped."""

    def record(step: int, figures: dict[str, float]) -> None:
        rows = [row for row in _rows(path) if int(row["step"]) < step]
        rows.append({"step": str(step), **{name: repr(float(value)) for name, value in figures.items()}})
        names = list(dict.fromkeys(name for row in rows for name in row))
        partial = path.with_suffix(".part")
        with partial.open("w", newline="") as file:
            writer = csv.DictWriter(file, names)
            writer.writeheader()
            writer.writerows(rows)
        partial.replace(path)

    return record


def _rows(path: Path) -> list[dict[str, str]]:
    if not path.exists():
        return []
    with path.open(newline="") as file:
        return [{name: value for name, value in row.items() if value != ""} for row in csv.DictReader(file)]


def to_tensorboard(folder: Path) -> Record:
    """Return a record that writes TensorBoard events into a folder."""
    from torch.utils.tensorboard import SummaryWriter

    writer = SummaryWriter(str(folder))

    def record(step: int, figures: dict[str, float]) -> None:
        for name, value in figures.items():
            writer.add_scalar(name, value, step)
        writer.flush()

    return record
