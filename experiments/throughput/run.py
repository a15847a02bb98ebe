"""Training throughput beside sb3-contrib and beside the arithmetic floor; the bare layer; latency; memory; a sweep.

    make bench
    python -m experiments.throughput.run --tables loop layer --repetitions 3

Prints the tables, and writes them to results/ as CSV and the sweep as a PNG too. All sides of a row alternate in one
process. It takes about half an hour, most of it the sweep, which goes on where it was stopped. The figures belong to the
machine that the first line names; the ratios are what counts.
"""

import argparse

import torch

from experiments.throughput.arithmetic import product_rate
from experiments.throughput.latency import latency_table
from experiments.throughput.layer import layer_table
from experiments.throughput.loop import loop_table
from experiments.throughput.memory import memory_table
from experiments.throughput.output import RESULTS, Row, machine, save, show
from experiments.throughput.plot import draw
from experiments.throughput.sweep import sweep_table
from experiments.throughput.timing import Effort
from recurrent_rl.compiled.product import HAS_BFLOAT16

TABLES = {"loop": loop_table, "layer": layer_table, "latency": latency_table, "memory": memory_table}


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tables", nargs="+", choices=[*TABLES, "sweep"], default=[*TABLES, "sweep"])
    parser.add_argument("--precisions", nargs="+", choices=["float32", "bfloat16"], default=["float32", "bfloat16"])
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--fresh", action="store_true", help="measure cells of the sweep that are there again")
    return parser.parse_args()


def print_header(here: str, precisions: list[str]) -> None:
    print(here)
    for dtype in (getattr(torch, name) for name in precisions):
        print(f"2048 x 2048 x 2048 matrix product, {dtype}: {product_rate(dtype) / 1e9:.0f} GFLOP/s", flush=True)


def run_table(name: str, effort: Effort, here: str) -> None:
    rows: list[Row] = [{"machine": here} | row for row in TABLES[name](effort)]
    save(RESULTS / f"{name}.csv", rows)
    show([{key: row[key] for key in row if key != "machine"} for row in rows])


def run_sweep(effort: Effort, here: str, fresh: bool) -> None:
    rows = sweep_table(effort, here, fresh)
    show([{key: row[key] for key in row if key != "machine"} for row in rows])
    draw(rows, here, RESULTS / "sweep.png")


def main() -> None:
    options = parse()
    torch.set_num_threads(options.threads)
    here = machine(options.threads)
    effort = Effort(repetitions=options.repetitions, precisions=tuple(options.precisions))
    if not HAS_BFLOAT16:
        options.precisions = ["float32"]
        print("This CPU multiplies no bfloat16 (AVX512-BF16): float32 only.")
    print_header(here, options.precisions)
    for name in (name for name in options.tables if name in TABLES):
        run_table(name, effort, here)
    if "sweep" in options.tables:
        run_sweep(effort, here, options.fresh)


if __name__ == "__main__":
    main()
