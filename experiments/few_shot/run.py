"""Learn from a few examples: by a state that reads them, and by gradient steps on them.

    python -m experiments.few_shot.run
    python -m experiments.few_shot.finetune

Results are added to results/<task>.jsonl, a line for each trial; what is there is not run again.
"""

from pathlib import Path

from experiments.sequence_benchmark.run import run

RESULTS = Path(__file__).parent / "results"

MODELS = ("rnn", "gru", "lstm", "lru", "deltanet", "transformer", "linear")
PLAN: dict[str, tuple[str, ...]] = {"in-context-regression": MODELS, "in-context-classification": MODELS}


def main() -> None:
    """Run what is missing."""
    run(PLAN, RESULTS, __doc__)


if __name__ == "__main__":
    main()
