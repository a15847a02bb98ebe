"""Run the comparisons on texts, music, films, genes and motions, in pieces as long as there is time for.

    python -m experiments.sequence_applications.run
    python -m experiments.sequence_applications.run --tasks reuters-r8 splice --processes 4

Results are added to results/<task>.jsonl, a line for each trial; what is there is not run again. The real data must have
been fetched (`recurrent-rl sequence fetch`); films, digits and splice sites need `pip install recurrent-rl[applications]`.
"""

from pathlib import Path

from experiments.sequence_benchmark.run import run

RESULTS = Path(__file__).parent / "results"

FILMS = ("conv-gru", "gru", "transformer", "linear")

PLAN: dict[str, tuple[str, ...]] = {
    "reuters-r8": ("lstm", "lstm-mean", "bi-lstm", "bi-lstm-mean", "cnn", "transformer-both-ways", "bag"),
    "chorales": ("rnn", "lstm", "gru", "transformer", "tcn", "bag", "hmm"),
    "spelling-to-sound": ("encoder-decoder", "encoder-decoder-attention"),
    "splice": ("gru", "bi-gru", "bi-lstm", "cnn", "transformer-both-ways", "bag", "hmm"),
    "bikes": FILMS,
    "tweet-entities": ("lstm", "lstm-crf", "bi-lstm", "bi-lstm-crf", "hmm"),
    "movie-reviews": ("lstm", "lstm-mean", "bi-lstm-mean", "cnn", "bag"),
    "physiotherapy": ("gru", "lstm", "bi-gru", "cnn", "transformer-both-ways", "bag", "hmm"),
    "carphone": FILMS,
    "moving-digits": FILMS,
    "movie-reviews-long": ("bi-lstm-mean", "bag"),
}
"""Which models are compared on each task, in the order in which they are run."""


def main() -> None:
    """Run what is missing."""
    run(PLAN, RESULTS, __doc__)


if __name__ == "__main__":
    main()
