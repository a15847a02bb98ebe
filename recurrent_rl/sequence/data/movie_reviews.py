"""Movie reviews: is the writer for the film or against it? Sentences (short), and whole reviews (long)."""

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass

from recurrent_rl.sequence.data.archive import read_member
from recurrent_rl.sequence.data.cut import Cut
from recurrent_rl.sequence.data.errors import DataError
from recurrent_rl.sequence.data.labelled_texts import Labelled, Text, first_of_equals, labelled
from recurrent_rl.sequence.data.text_entries import MOVIE_REVIEWS
from recurrent_rl.sequence.task import Splits

LABELS = ("against", "for")
CLASSES = len(LABELS)


@dataclass(frozen=True, kw_only=True)
class Kind:
    """Which reviews, and how they are read.

    Args:
        source: Of a row, as the file says it.
        words: That are read of a text, its last ones: the verdict stands there.
        least: Times that training holds a word that has a number.
        cut: How the texts are dealt out.
    """

    source: str
    words: int
    least: int
    cut: Cut


SHORT = Kind(source="rotten_tomatoes", words=100, least=2, cut=Cut(validation=0.1, test=0.2))
LONG = Kind(source="imdb", words=200, least=10, cut=Cut(validation=0.1, test=0.1))
SYMBOLS, LONG_SYMBOLS = 7_206, 13_139
"""Of the inputs, the unknown word among them."""

_BREAK = re.compile(r"<br\s*/?>")
_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)*|[^\w\s]|_")


def load(seed: int = 0) -> Splits:
    """Return the sentences, the same for each seed; see `load_reviews`."""
    return load_reviews(SHORT).splits


def load_long(seed: int = 0) -> Splits:
    """Return the whole reviews, the same for each seed; see `load_reviews`."""
    return load_reviews(LONG).splits


def load_reviews(kind: Kind) -> Labelled:
    """Return reviews: inputs [T] int64, T at most `kind.words`, and 1 for the film, 0 against it.

    No official test is among the data, so the parts are cut at random by a fixed seed, with half of each label. Reviews of
    which the same words stand before are left out first.

    Source: Pang and Lee 2005, Seeing Stars: Exploiting Class Relationships for Sentiment Categorization (sentences); Maas
    et al. 2011, Learning Word Vectors for Sentiment Analysis (whole reviews).
    """
    return split(parse(read_member(MOVIE_REVIEWS, MOVIE_REVIEWS.members[0]).decode(), kind), kind)


def split(texts: Sequence[Text], kind: Kind) -> Labelled:
    """Return texts in three parts, without repetitions."""
    distinct = first_of_equals(texts)
    parts = kind.cut.by_label([text.label for text in distinct])
    train, validation, test = ([distinct[index] for index in part] for part in parts)
    return labelled(train, validation, test, LABELS, kind.least)


def parse(text: str, kind: Kind) -> list[Text]:
    """Return a kind's rows of a table with the columns text, label (0 or 1) and source.

    Raises:
        DataError: A row's label is another, or it has no word.
    """
    found = []
    for number, row in enumerate(csv.DictReader(io.StringIO(text, newline=""))):
        if row["source"] != kind.source:
            continue
        words = tuple(words_of(row["text"])[-kind.words :])
        if row["label"] not in ("0", "1") or not words:
            raise DataError(f"Review {number} has the label {row['label']!r} and {len(words)} words.")
        found.append(Text(words, int(row["label"])))
    return found


def words_of(text: str) -> list[str]:
    """Return words in lower case: letters and digits with apostrophes between them; each other sign is one by itself."""
    return _WORD.findall(_BREAK.sub(" ", text.lower()))
