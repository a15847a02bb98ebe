"""English spelling to sound: which phones has a word? Letters are read, 39 phones are written, without stress.

A line of the dictionary is a word and its phones, each vowel with its stress; further ways to say a word are numbered:

    read R EH1 D
    read(2) R IY1 D
    aalborg AO1 L B AO0 R G # place, danish
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from recurrent_rl.sequence.batch import Array, Examples
from recurrent_rl.sequence.data.archive import read_member
from recurrent_rl.sequence.data.cut import Cut, Indices
from recurrent_rl.sequence.data.errors import DataError
from recurrent_rl.sequence.data.text_entries import PRONUNCIATIONS
from recurrent_rl.sequence.problems import Scores
from recurrent_rl.sequence.task import Splits
from recurrent_rl.sequence.translation import edit_distance

LETTERS = "abcdefghijklmnopqrstuvwxyz"
PHONES = (
    "AA", "AE", "AH", "AO", "AW", "AY", "B", "CH", "D", "DH", "EH", "ER", "EY", "F", "G", "HH", "IH", "IY", "JH", "K",
    "L", "M", "N", "NG", "OW", "OY", "P", "R", "S", "SH", "T", "TH", "UH", "UW", "V", "W", "Y", "Z", "ZH",
)  # fmt: skip
LETTER_SYMBOLS = len(LETTERS)
PHONE_SYMBOLS = len(PHONES) + 1
"""With the one that ends a word."""

WORDS = 20_000
"""That are drawn by a fixed seed from the dictionary's 117,493 words of letters alone."""

CUT = Cut(validation=0.1, test=0.1)
LONGEST = 28
"""Phones of the dictionary's longest word: a network that writes more may be stopped."""

Phones = tuple[str, ...]
Dictionary = Mapping[str, Sequence[Phones]]
_NUMBERED, _SPELLED = re.compile(r"\(\d+\)$"), re.compile("[a-z]+")


@dataclass(frozen=True)
class SpokenWords(Examples):
    """Words as letters [T] int64; targets are the phones [L] int64 of the way to say it that the dictionary has first.

    Args:
        words: The words themselves.
        ways: For each word all ways to say it, the first one among them.
    """

    words: Sequence[str] = ()
    ways: Sequence[Sequence[Array]] = ()

    def select(self, indices: Sequence[int] | Array) -> "SpokenWords":
        """Return the examples at `indices`, in that order."""
        plain, chosen = super().select(indices), [int(index) for index in indices]
        words, ways = [self.words[index] for index in chosen], [self.ways[index] for index in chosen]
        return SpokenWords(plain.inputs, plain.targets, plain.groups, words, ways)


def load(seed: int = 0) -> Splits:
    """Return 16,000 / 2,000 / 2,000 words, the same for each seed.

    Parts are cut by word, so that no word is in two of them; its relatives (walk, walked) may be.

    Source: Carnegie Mellon University, The CMU Pronouncing Dictionary.
    """
    return split(parse(read_member(PRONUNCIATIONS, PRONUNCIATIONS.members[0]).decode()), WORDS)


def split(dictionary: Dictionary, count: int) -> Splits:
    """Return so many of the dictionary's words of letters alone, drawn and cut by a fixed seed.

    Raises:
        DataError: The dictionary has not so many.
    """
    spelled = sorted(word for word in dictionary if _SPELLED.fullmatch(word))
    if len(spelled) < count:
        raise DataError(f"The dictionary has {len(spelled)} words of letters alone, not {count}.")
    drawn = np.random.default_rng(0).permutation(len(spelled))[:count]
    train, validation, test = (_part(dictionary, spelled, drawn[part]) for part in CUT.by_group(drawn))
    return Splits(train, validation, test)


def _part(dictionary: Dictionary, spelled: Sequence[str], indices: Indices) -> SpokenWords:
    words = [spelled[int(index)] for index in indices]
    return spoken({word: dictionary[word] for word in words})


def spoken(dictionary: Dictionary) -> SpokenWords:
    """Return words with the ways to say them as examples."""
    letters = {letter: number for number, letter in enumerate(LETTERS)}
    phones = {phone: number for number, phone in enumerate(PHONES)}
    inputs = [np.array([letters[letter] for letter in word], dtype=np.int64) for word in dictionary]
    ways = [
        [np.array([phones[phone] for phone in way], dtype=np.int64) for way in said] for said in dictionary.values()
    ]
    return SpokenWords(inputs, [said[0] for said in ways], None, list(dictionary), ways)


def parse(text: str) -> dict[str, list[Phones]]:
    """Return for each word the ways to say it without stress, each once, in the order of the lines.

    Raises:
        DataError: A line has a phone that is not one of the 39, or none.
    """
    found: dict[str, list[Phones]] = {}
    for row, line in enumerate(text.splitlines(), start=1):
        name, *rest = line.partition("#")[0].split() or [""]
        way = tuple(phone.rstrip("012") for phone in rest)
        if not name:
            continue
        if not way or not set(way) <= set(PHONES):
            raise DataError(f"Line {row} has other phones than the 39, or none: {line!r}.")
        ways = found.setdefault(_NUMBERED.sub("", name), [])
        if way not in ways:
            ways.append(way)
    return found


def pronunciation_errors(found: Sequence[Array], examples: SpokenWords) -> Scores:
    """Return word_error and phone_error in percent, each word beside the way to say it that is nearest to what was found.

        phone_error = 100 sum_i distance(found[i], nearest[i]) / sum_i len(nearest[i])

    A word is wrong if it equals none of its ways; of two that are as near the first counts. There must be a word.

    Args:
        found: For each word the phones [L], from `write`.
        examples: The words.
    """
    distances, phones = [], 0
    for said, ways in zip(found, examples.ways, strict=True):
        distance, length = min(((edit_distance(said, way), len(way)) for way in ways), key=lambda pair: pair[0])
        distances.append(distance)
        phones += length
    return {
        "word_error": 100.0 * float(np.mean([distance > 0 for distance in distances])),
        "phone_error": 100.0 * sum(distances) / phones,
    }


def frequency_nats(train: SpokenWords, test: SpokenWords) -> float:
    """Return the floor's nats: each phone and the end as frequent as in training, one added to each count."""
    end = PHONE_SYMBOLS - 1
    counts = np.bincount(_ended(train, end), minlength=PHONE_SYMBOLS) + 1
    return float(-np.mean(np.log(counts / counts.sum())[_ended(test, end)]))


def _ended(examples: SpokenWords, end: int) -> Array:
    assert examples.targets is not None
    return np.concatenate([np.append(target, end) for target in examples.targets])
