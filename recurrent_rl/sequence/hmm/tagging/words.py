"""What a word says of its tag: by how often it had which, and where it is new or rare by its ending.

Source: Brants 2000, section 2.3; Samuelsson 1993, Morphological Tagging Based Entirely on Bayesian Inference.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recurrent_rl.sequence.batch import Array
from recurrent_rl.sequence.hmm.tagging.counts import TagCounts, count

Probabilities = NDArray[np.float64]


@dataclass(frozen=True)
class Words:
    """Tag probabilities of words.

    Args:
        lexicon: Tags of words.
        endings: Tags of rare words by shape and ending; those of all rare words at "".
        tags: [K], counts of the tags.
        theta: Weight of an ending's estimate from the ending one letter shorter.
        guess_weight: How many counts the guess by ending is worth beside a known word's own.
        ending_length: Longest ending.
    """

    lexicon: TagCounts
    endings: TagCounts
    tags: Probabilities
    theta: float
    guess_weight: float
    ending_length: int

    def known(self, word: str) -> bool:
        """Whether the word is in the lexicon."""
        return word in self.lexicon.rows

    def probabilities(self, word: str, first: bool) -> Probabilities:
        """Return p(tag | word), [K]: (n(word, tag) + c guess(tag)) / (n(word) + c), the guess alone for a new word.

        A new word that is the first of its sentence is looked up in small letters too.
        """
        row = self.lexicon.row(word)
        if row is None and first:
            row = self.lexicon.row(word.lower())
        if row is not None and self.guess_weight == 0:
            return self._shares(row[0], row[1], np.zeros(len(self.tags)))
        guess = self.guess(word, first)
        return guess if row is None else self._shares(row[0], row[1], self.guess_weight * guess)

    def guess(self, word: str, first: bool) -> Probabilities:
        """Return p(tag | shape and ending), [K].

        p = tags of all words, then for each longer ending   p <- (share of its tags + theta p) / (1 + theta)
        """
        found = self.tags / self.tags.sum()
        for key in _keys(word, first, self.ending_length):
            if (row := self.endings.row(key)) is None:
                break
            found = self.theta * found
            found[row[0]] += row[1] / row[1].sum()
            found /= 1 + self.theta
        return found

    def _shares(self, tags: NDArray[np.int64], counts: Probabilities, base: Probabilities) -> Probabilities:
        shares = base.copy()
        shares[tags] += counts
        return shares / shares.sum()


def count_words(
    sentences: Sequence[Sequence[str]], tags: Sequence[Array], size: int, rare: int, ending_length: int
) -> tuple[TagCounts, TagCounts]:
    """Return the tags of words, and those of the endings of words that came at most `rare` times."""
    tokens = Counter(_tokens(sentences, tags))
    often = Counter[str]()
    for (word, _, _), times in tokens.items():
        often[word] += times
    seldom = {token: times for token, times in tokens.items() if often[token[0]] <= rare}
    lexicon = count(((word, tag, float(times)) for (word, _, tag), times in tokens.items()), size)
    return lexicon, count(_endings(seldom, ending_length), size)


def spread(tags: Probabilities) -> float:
    """Return the standard deviation of the tags' probabilities: theta in the paper."""
    return float(np.std(tags / tags.sum(), ddof=1)) if len(tags) > 1 else 0.0


def shape(word: str, first: bool) -> str:
    """Return what a word looks like: with a digit, of capitals, capitalised (first in its sentence or not), or other."""
    if any(letter.isdigit() for letter in word):
        return "digit"
    if len(word) > 1 and word.isupper():
        return "capitals"
    if word[:1].isupper():
        return "first" if first else "capital"
    return "hyphen" if "-" in word[1:-1] else "other"


def _keys(word: str, first: bool, ending_length: int) -> Iterator[str]:
    """Yield the keys of a word in `endings`, from all rare words to its longest ending."""
    form = shape(word, first)
    yield ""
    for length in range(min(len(word), ending_length) + 1):
        yield f"{form} {word[len(word) - length :].lower()}"


def _tokens(sentences: Sequence[Sequence[str]], tags: Sequence[Array]) -> Iterator[tuple[str, bool, int]]:
    for words, row in zip(sentences, tags, strict=True):
        for place, (word, tag) in enumerate(zip(words, row.tolist(), strict=True)):
            yield word, place == 0, tag


def _endings(tokens: dict[tuple[str, bool, int], int], ending_length: int) -> Iterator[tuple[str, int, float]]:
    for (word, first, tag), times in tokens.items():
        for key in _keys(word, first, ending_length):
            yield key, tag, float(times)
