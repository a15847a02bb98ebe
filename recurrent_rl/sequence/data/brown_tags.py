"""Brown part of speech: a tag of 92 for each word; sentences are the examples, documents the groups."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np

from recurrent_rl.sequence.data.brown import TEST, TRAIN, VALIDATION, Sentence, by_part, read_documents
from recurrent_rl.sequence.data.errors import DataError
from recurrent_rl.sequence.data.word_codes import WordCodes, word_codes
from recurrent_rl.sequence.data.words import WordExamples
from recurrent_rl.sequence.task import Splits

CLASSES = 92
SYMBOLS = 34_767
"""Numbers that the columns of an input have in all: below it are those of every column."""


@dataclass(frozen=True)
class Tagged:
    """Sentences in three parts, with what their numbers mean.

    Args:
        splits: Of `WordExamples`.
        codes: The symbols of the inputs.
        tags: The tag of each target.
    """

    splits: Splits
    codes: WordCodes
    tags: tuple[str, ...]


def load(seed: int = 0) -> Splits:
    """Return the sentences of 400 / 50 / 50 documents, the same for each seed; see `load_tagged`."""
    return load_tagged().splits


def load_tagged() -> Tagged:
    """Return tagged sentences: inputs [T, COLUMNS] int64, targets [T] int64 below CLASSES, groups the document.

    Symbols and tags are those of training. Sentences that recur (short ones, 922 of 57,340) stay: language is so.

    Source: Francis and Kucera 1964, A Standard Corpus of Present-Day Edited American English.
    """
    return tagged(read_documents())


def tagged(documents: Sequence[list[Sentence]]) -> Tagged:
    """Return the sentences of documents, split by their index.

    Raises:
        DataError: A tag of validation or test is not in training.
    """
    parts = {part: list(chain.from_iterable(texts)) for part, texts in by_part(documents).items()}
    codes = word_codes(sentence.words for sentence in parts[TRAIN])
    tags = tuple(sorted({tag for sentence in parts[TRAIN] for tag in sentence.tags}))
    numbers = {tag: number for number, tag in enumerate(tags)}
    made = {part: word_examples(sentences, codes, numbers) for part, sentences in parts.items()}
    return Tagged(Splits(made[TRAIN], made[VALIDATION], made[TEST]), codes, tags)


def word_examples(sentences: Sequence[Sentence], codes: WordCodes, tags: Mapping[str, int]) -> WordExamples:
    """Return sentences as examples."""
    for sentence in sentences:
        if strange := set(sentence.tags) - tags.keys():
            raise DataError(f"Document {sentence.document} has tags that training lacks: {sorted(strange)}.")
    return WordExamples(
        codes.encode([sentence.words for sentence in sentences]),
        [np.array([tags[tag] for tag in sentence.tags], dtype=np.int64) for sentence in sentences],
        np.array([sentence.document for sentence in sentences], dtype=np.int64),
        [sentence.words for sentence in sentences],
        [codes.unknown(sentence.words) for sentence in sentences],
    )


def most_frequent_tag(train: Sequence[Sentence], words: Sequence[str]) -> list[str]:
    """Return the floor's tags: a word's most frequent one in training; of other words np if capitalised, else nn."""
    counts: dict[str, Counter[str]] = {}
    for sentence in train:
        for word, tag in zip(sentence.words, sentence.tags, strict=True):
            counts.setdefault(word, Counter())[tag] += 1
    best = {word: tags.most_common(1)[0][0] for word, tags in counts.items()}
    return [best.get(word) or ("np" if word[0].isupper() else "nn") for word in words]
