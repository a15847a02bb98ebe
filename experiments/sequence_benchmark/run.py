"""Run the comparison whose tables stand in the README, in pieces as long as there is time for.

    python -m experiments.sequence_benchmark.run
    python -m experiments.sequence_benchmark.run --tasks japanese-vowels ecg5000 --processes 4

Results are added to results/<task>.jsonl, a line for each trial; what is there is not run again. The real data must have
been fetched (`recurrent-rl sequence fetch`).
"""

import argparse
from pathlib import Path

from recurrent_rl.sequence.benchmark.costs import measure_all
from recurrent_rl.sequence.benchmark.suite import Suite
from recurrent_rl.sequence.benchmark.works import WORKS

RESULTS = Path(__file__).parent / "results"

# Every model can be run on every task (`recurrent-rl sequence run --models all`); these are what two cores could hold.
CAUSAL = ("rnn", "lstm", "gru", "deep-gru", "mingru", "lru", "transformer", "tcn", "mlp-window", "bag")
BOTH_WAYS = (
    "rnn", "lstm", "gru", "deep-gru", "mingru", "lru", "bi-lstm", "transformer-both-ways", "cnn", "mlp-window", "bag",
    "hmm",
)  # fmt: skip
LONG = ("rnn", "lstm", "gru", "mingru", "lru", "transformer", "tcn")

PLAN: dict[str, tuple[str, ...]] = {
    "japanese-vowels": BOTH_WAYS,
    "ecg5000": BOTH_WAYS,
    "spoken-digits": BOTH_WAYS,
    "mnist1d": BOTH_WAYS,
    "parity": (*CAUSAL, "mingru-signed"),
    "modular-arithmetic": (*CAUSAL, "mingru-signed"),
    "permutations": (*CAUSAL, "mingru-signed"),
    "electricity": BOTH_WAYS,
    "brown-tags": ("lstm", "gru", "lru", "bi-lstm", "transformer-both-ways", "cnn", "mlp-window", "bag", "hmm"),
    "brown-characters": (*CAUSAL, "hmm"),
    "adding-200": CAUSAL,
    "adding-600": LONG,
    "recall": (*LONG, "bag"),
    "copy-100": LONG,
    "selective-copy-100": LONG,
    "mnist1d-shuffled": BOTH_WAYS,
    "copy-500": LONG,
    "selective-copy-500": LONG,
}
"""Which models are compared on each task, in the order in which they are run."""


def suite(task: str, folder: Path = RESULTS, processes: int = 1) -> Suite:
    """Return the comparison of a task."""
    return Suite(works={task: WORKS[task]}, models=PLAN[task], folder=folder, processes=processes)


def main() -> None:
    """Run what is missing."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tasks", nargs="+", choices=PLAN, default=list(PLAN), metavar="TASK")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--results", type=Path, default=RESULTS)
    given = parser.parse_args()
    for task in given.tasks:
        one = suite(task, given.results, given.processes)
        one.run()
        measure_all(one)


if __name__ == "__main__":
    main()
