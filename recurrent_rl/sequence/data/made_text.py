"""A made-up language with tags: words whose endings tell the tag, and some that only the neighbours tell."""

import numpy as np

from recurrent_rl.sequence.data.brown import Sentence

_ENDINGS = {"nn": "er", "nns": "ers", "vbd": "ed", "jj": "ish", "rb": "ly"}
_ORDERS = (
    ("at", "nn", "vbd", "at", "jj", "nn", "."),
    ("at", "jj", "nns", "rb", "vbd", "."),
    ("np", "vbd", "in", "at", "nn", "."),
    ("nns", "vbd", "rb", ",", "cc", "np", "vbd", "at", "nns", "."),
)
_FIXED = {"at": ("the", "a"), "in": ("in", "of", "to"), "cc": ("and",), ".": (".",), ",": (",",)}
_STEMS = ("paint", "farm", "walk", "sing", "bak", "teach", "rust", "mend", "lift", "carv", "sail", "hunt")


def documents(rng: np.random.Generator, count: int = 20, sentences: int = 8) -> list[list[Sentence]]:
    """Return documents of sentences; two of twenty are validation and two are test."""
    return [[_sentence(rng, number) for _ in range(sentences)] for number in range(count)]


def _sentence(rng: np.random.Generator, document: int) -> Sentence:
    tags = _ORDERS[rng.integers(len(_ORDERS))]
    return Sentence(tuple(_word(rng, tag) for tag in tags), tags, document)


def _word(rng: np.random.Generator, tag: str) -> str:
    """Return a word of a tag; a stem without ending is a noun, a verb or, with a capital, a name."""
    if tag in _FIXED:
        return _FIXED[tag][rng.integers(len(_FIXED[tag]))]
    stem = _STEMS[rng.integers(4 if tag == "np" else len(_STEMS))]
    if tag == "np":
        return stem.capitalize()
    return stem if tag in ("nn", "vbd") and rng.random() < 0.2 else stem + _ENDINGS[tag]
