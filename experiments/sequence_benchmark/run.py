"""Run the comparison whose tables stand in the README, in pieces as long as there is time for.

    python -m experiments.sequence_benchmark.run
    python -m experiments.sequence_benchmark.run --tasks japanese-vowels ecg5000 --processes 4

Results are added to results/<task>.jsonl, a line for each trial; what is there is not run again. The real data must have
been fetched (`recurrent-rl sequence fetch`).
"""

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path

from recurrent_rl.sequence.benchmark.costs import measure_all
from recurrent_rl.sequence.benchmark.suite import Suite
from recurrent_rl.sequence.benchmark.works import WORKS

RESULTS = Path(__file__).parent / "results"

# Every model can be run on every task (`recurrent-rl sequence run --models all`); these are what two cores could hold.
ALL = (
    "rnn", "lstm", "gru", "deep-gru", "mingru", "lru", "bi-lstm", "transformer-both-ways", "cnn", "mlp-window", "bag",
    "hmm",
)  # fmt: skip

PLAN: dict[str, tuple[str, ...]] = {
    "japanese-vowels": ALL,
    "ecg5000": ALL,
    "spoken-digits": ALL,
    "mnist1d": ("lstm", "gru", "cnn", "mlp-window", "bag"),
    "parity": ("rnn", "lstm", "gru", "mingru-signed", "transformer"),
    "modular-arithmetic": ("rnn", "lstm"),
    "permutations": ("rnn", "lstm", "gru", "transformer"),
    "electricity": ("lstm", "gru", "cnn", "mlp-window", "bag", "hmm"),
    "brown-tags": ("lstm", "bi-lstm", "cnn", "mlp-window", "bag", "hmm"),
    "brown-characters": ("gru", "tcn", "bag", "hmm"),
    "adding-200": ("lstm", "gru", "tcn"),
    "adding-600": ("lstm", "gru"),
    "recall": ("gru", "transformer"),
    "copy-100": ("lstm", "gru", "lru", "transformer", "tcn"),
    "selective-copy-100": ("gru", "transformer"),
    "mnist1d-shuffled": ("gru", "cnn", "mlp-window"),
    "copy-500": ("gru",),
    "selective-copy-500": ("gru",),
}
"""Which models are compared on each task, in the order in which they are run."""


def main() -> None:
    """Run what is missing."""
    run(PLAN, RESULTS, __doc__)


def run(plan: Mapping[str, Sequence[str]], results: Path, description: str | None) -> None:
    """Run what is missing of a plan, as the command line says.

    Args:
        plan: Models by task.
        results: Folder of the results, unless the command line names another.
        description: For --help.
    """
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tasks", nargs="+", choices=plan, default=list(plan), metavar="TASK")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--results", type=Path, default=results)
    given = parser.parse_args()
    for task in given.tasks:
        models, works = plan[task], {task: WORKS[task]}
        one = Suite(works=works, models=models, folder=given.results, processes=given.processes)
        one.run()
        measure_all(one)


if __name__ == "__main__":
    main()
