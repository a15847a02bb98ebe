"""Words as numbers: those of training, and one number for all others."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from recurrent_rl.sequence.batch import Array

UNKNOWN = 0
"""Of words that have no number: it is trained, because rare words of training have none either."""


@dataclass(frozen=True)
class Vocabulary:
    """The words of training.

    Args:
        numbers: The number of each word, from 1 on; a more frequent word has a smaller one.
    """

    numbers: Mapping[str, int]

    @property
    def symbols(self) -> int:
        """Numbers in all, the unknown word's among them."""
        return len(self.numbers) + 1

    def encode(self, texts: Iterable[Sequence[str]]) -> list[Array]:
        """Return the numbers of each text's words, [T] int64."""
        return [np.array([self.numbers.get(word, UNKNOWN) for word in words], dtype=np.int64) for words in texts]


def vocabulary(texts: Iterable[Sequence[str]], least: int) -> Vocabulary:
    """Return the words that texts hold at least so many times."""
    counts = Counter(word for words in texts for word in words)
    listed = sorted((word for word in counts if counts[word] >= least), key=lambda word: (-counts[word], word))
    return Vocabulary({word: rank for rank, word in enumerate(listed, start=1)})
