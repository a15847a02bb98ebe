"""Texts with a label each, in three parts: equal ones count once, and the words are those of training."""

from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from recurrent_rl.sequence.batch import Examples
from recurrent_rl.sequence.data.vocabulary import Vocabulary, vocabulary
from recurrent_rl.sequence.task import Splits


@dataclass(frozen=True)
class Text:
    """The words that are read, and the label's number."""

    words: tuple[str, ...]
    label: int


@dataclass(frozen=True)
class Labelled:
    """Texts in three parts, with what their numbers mean.

    Args:
        splits: Inputs [T] int64, one label each.
        vocabulary: The words of the inputs.
        labels: The name of each label.
    """

    splits: Splits
    vocabulary: Vocabulary
    labels: tuple[str, ...]


def first_of_equals(texts: Iterable[Text], elsewhere: Container[tuple[str, ...]] = ()) -> list[Text]:
    """Return the texts whose words no earlier one has, nor one elsewhere; of two labels the first one's stays."""
    firsts: dict[tuple[str, ...], Text] = {}
    for text in texts:
        if text.words not in elsewhere:
            firsts.setdefault(text.words, text)
    return list(firsts.values())


def labelled(
    train: Sequence[Text], validation: Sequence[Text], test: Sequence[Text], labels: tuple[str, ...], least: int
) -> Labelled:
    """Return texts as examples; words have a number that training holds at least `least` times."""
    words = vocabulary((text.words for text in train), least)
    made = [_examples(texts, words) for texts in (train, validation, test)]
    return Labelled(Splits(made[0], made[1], made[2]), words, labels)


def _examples(texts: Sequence[Text], words: Vocabulary) -> Examples:
    targets = np.array([text.label for text in texts], dtype=np.int64)
    return Examples(words.encode(text.words for text in texts), targets)
