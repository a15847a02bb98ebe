"""Tagging of words: the examples keep the words themselves, and scores tell those apart that training never held."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from recurrent_rl.sequence.batch import IGNORED, Array, Examples
from recurrent_rl.sequence.problems import Scores, Tagging


@dataclass(frozen=True)
class WordExamples(Examples):
    """Sentences as symbols, and as words.

    Args:
        words: For each sentence its T words, for taggers that look at spelling themselves.
        unknown: For each sentence [T] bool: whether training never held the word, spelled and capitalised so.
    """

    words: Sequence[Sequence[str]] = ()
    unknown: Sequence[Array] = ()

    def select(self, indices: Sequence[int] | Array) -> "WordExamples":
        """Return the examples at `indices`, in that order."""
        plain, chosen = super().select(indices), [int(index) for index in indices]
        words, unknown = [self.words[index] for index in chosen], [self.unknown[index] for index in chosen]
        return WordExamples(plain.inputs, plain.targets, plain.groups, words, unknown)


@dataclass(frozen=True)
class WordTagging(Tagging):
    """Tagging of `WordExamples`. Scores: accuracy, accuracy_known and accuracy_unknown in percent; nats."""

    def scores(self, predicted: Sequence[Array], examples: Examples) -> Scores:
        """See `Problem.scores`."""
        if not isinstance(examples, WordExamples) or examples.targets is None:
            raise ValueError("WordTagging scores WordExamples with targets; make them by `word_examples`.")
        correct = [np.argmax(rows, axis=-1) == wanted for rows, wanted in zip(predicted, examples.targets, strict=True)]
        scored = [np.asarray(wanted) != IGNORED for wanted in examples.targets]
        nats = super().scores(predicted, examples)["nats"]
        return known_apart(correct, examples.unknown, scored) | {"nats": nats}


def known_apart(correct: Sequence[Array], unknown: Sequence[Array], scored: Sequence[Array] | None = None) -> Scores:
    """Return accuracy over all steps, over known words and over unknown words, in percent; NaN over none.

    Args:
        correct: For each sentence [T] bool, whether the tag is right.
        unknown: For each sentence [T] bool, whether training lacks the word.
        scored: For each sentence [T] bool, whether a step counts; None for all.
    """
    right, strange = np.concatenate(list(correct)), np.concatenate(list(unknown)).astype(bool)
    counts = np.ones(len(right), dtype=bool) if scored is None else np.concatenate(list(scored)).astype(bool)
    parts = {"accuracy": counts, "accuracy_known": counts & ~strange, "accuracy_unknown": counts & strange}
    return {
        name: 100.0 * float(right[part].astype(float).mean()) if part.any() else float("nan")
        for name, part in parts.items()
    }
