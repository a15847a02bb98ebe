"""Words as columns of symbols: the word itself, its endings, its beginning, its shape.

    word        word   last 4   last 3   last 2   first 3   shape
    Jurymen's     0     en's      n's      's       jur      Xx'x      0: not among the column's symbols

A word that training holds once or never has no symbol of its own, so the symbol 0 of the first column is trained, and
the other columns say what its spelling tells. Each column has numbers of its own, so that one table embeds all of them
and an input is the sum of a row for each column.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from recurrent_rl.sequence.batch import Array

_Feature = Callable[[str], str]


def shape(word: str) -> str:
    """Return a word with X, x and 0 for runs of capitals, small letters and digits: `U.S.` is X.X., `term-end` x-x."""
    kinds = ("X" if c.isupper() else "x" if c.isalpha() else "0" if c.isdigit() else c for c in word)
    return "".join(kind for kind, _ in groupby(kinds))


FEATURES: tuple[tuple[_Feature, int], ...] = (
    (str.lower, 2),
    (lambda word: word[-4:].lower(), 5),
    (lambda word: word[-3:].lower(), 5),
    (lambda word: word[-2:].lower(), 5),
    (lambda word: word[:3].lower(), 5),
    (shape, 5),
)
"""For each column what it says of a word, and how often training must hold that for it to have a symbol."""

COLUMNS = len(FEATURES)


@dataclass(frozen=True)
class WordCodes:
    """The symbols of training.

    Args:
        tables: For each column the number of each string; numbers of different columns differ.
        unlisted: For each column the number of all other strings.
        symbols: Numbers in all.
        words: All words of training.
    """

    tables: tuple[dict[str, int], ...]
    unlisted: tuple[int, ...]
    symbols: int
    words: frozenset[str]

    def encode(self, sentences: Sequence[Sequence[str]]) -> list[Array]:
        """Return the symbols of each sentence, [T, COLUMNS] int64; each different word is looked at once."""
        words = sorted({word for sentence in sentences for word in sentence})
        place = {word: number for number, word in enumerate(words)}
        columns = zip(FEATURES, self.tables, self.unlisted, strict=True)
        codes = [[table.get(feature(word), other) for word in words] for (feature, _), table, other in columns]
        rows = np.array(codes, dtype=np.int64).T.copy()  # [words, C]
        return [rows[[place[word] for word in sentence]] for sentence in sentences]

    def unknown(self, sentence: Sequence[str]) -> Array:
        """Return which words of a sentence training lacks, [T] bool."""
        return np.array([word not in self.words for word in sentence])


def word_codes(sentences: Iterable[Sequence[str]]) -> WordCodes:
    """Return the symbols of training sentences; more frequent strings of a column have smaller numbers."""
    counts = Counter(word for sentence in sentences for word in sentence)
    tables, unlisted, first = [], [], 0
    for feature, least in FEATURES:
        strings: Counter[str] = Counter()
        for word, count in counts.items():
            strings[feature(word)] += count
        listed = sorted((string for string in strings if strings[string] >= least), key=lambda s: (-strings[s], s))
        tables.append({string: first + 1 + rank for rank, string in enumerate(listed)})
        unlisted.append(first)
        first += 1 + len(listed)
    return WordCodes(tuple(tables), tuple(unlisted), first, frozenset(counts))
