"""What the benchmark says and writes: the machine, tables on the screen, CSV files."""

import csv
import os
import platform
from collections.abc import Sequence
from pathlib import Path

import torch

from experiments.throughput.settings import Bar

RESULTS = Path(__file__).parent / "results"
Row = dict[str, str | float | int | None]


def machine(threads: int) -> str:
    """Describe what the figures belong to."""
    return f"{_processor()}, {os.cpu_count()} cores, torch {torch.__version__}, {threads} threads"


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def progress(text: str) -> None:
    print(f"  {text}", flush=True)


def verdict(row: Row, bar: Bar) -> str:
    """Say in words whether the row reaches its bar."""
    value = row[bar.measure]
    if not isinstance(value, float):
        return f"{bar.measure} not measured"
    return f"{bar.measure} at least {bar.least:g}: {'met' if value >= bar.least else 'missed'}"


def show(rows: Sequence[Row]) -> None:
    """Print rows as a Markdown table, aligned."""
    cells = [[key.replace("_", " ") for key in rows[0]], *([_text(value) for value in row.values()] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = ["| " + " | ".join(map(str.rjust, line, widths)) + " |" for line in cells]
    lines.insert(1, "|" + "|".join("-" * (width + 1) + ":" for width in widths) + "|")
    print("\n" + "\n".join(lines) + "\n", flush=True)


def _text(value: str | float | int | None) -> str:
    if isinstance(value, float):
        return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
    return "-" if value is None else str(value)


def save(path: Path, rows: Sequence[Row]) -> None:
    """Write rows as CSV, with four digits of every figure."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows({key: _rounded(value) for key, value in row.items()} for row in rows)


def _rounded(value: str | float | int | None) -> str | float | int | None:
    return float(f"{value:.4g}") if isinstance(value, float) else value


def load(path: Path) -> list[Row]:
    """Read rows back, as text."""
    if not path.exists():
        return []
    with path.open(newline="") as file:
        return list(csv.DictReader(file))  # type: ignore[arg-type]
