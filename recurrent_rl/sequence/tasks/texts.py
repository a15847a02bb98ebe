"""The tasks on real texts, besides those of `real`: sentiment and topics, named entities, spelling to sound."""

from collections.abc import Callable

from recurrent_rl.sequence.data import movie_reviews, pronunciations, reuters, tweet_entities, word_codes
from recurrent_rl.sequence.data.entities import EntityTagging
from recurrent_rl.sequence.problems import Classification
from recurrent_rl.sequence.task import Anchor, Task
from recurrent_rl.sequence.translation import Translation

_YAO = "Yao et al. 2019, Graph Convolutional Networks for Text Classification, table 2"
_G2P = "README of g2p-seq2seq, on the whole dictionary without stress"


def topics() -> Task:
    """Return Reuters R8: which of eight topics? See `data.reuters`."""
    anchors = (
        Anchor("floor", 49.47, "the most frequent topic"),
        Anchor("TF-IDF and logistic regression", 93.7, _YAO),
        Anchor("LSTM", 93.7, _YAO),
        Anchor("CNN", 94.0, _YAO),
        Anchor("bi-LSTM, vectors learned elsewhere", 96.3, _YAO),
    )
    return Task(
        "reuters-r8", "sentiment and topics", Classification(reuters.CLASSES), "accuracy", True, reuters.load,
        symbols=reuters.SYMBOLS, anchors=anchors, full=True,
    )  # fmt: skip


def sentences() -> Task:
    """Return movie reviews of a sentence: for the film or against it? See `data.movie_reviews`."""
    source = f"{_YAO}, on all 10,662 sentences with another split"
    anchors = (
        Anchor("floor", 50.0, "either"),
        Anchor("TF-IDF and logistic regression", 74.6, source, comparable=False),
        Anchor("LSTM", 75.1, source, comparable=False),
        Anchor("CNN", 75.0, source, comparable=False),
        Anchor("bi-LSTM, vectors learned elsewhere", 77.7, source, comparable=False),
    )
    return Task(
        "movie-reviews", "sentiment and topics", Classification(movie_reviews.CLASSES), "accuracy", True,
        movie_reviews.load, symbols=movie_reviews.SYMBOLS, anchors=anchors,
    )  # fmt: skip


def reviews() -> Task:
    """Return whole movie reviews: for the film or against it? See `data.movie_reviews`."""
    anchors = (
        Anchor("floor", 50.1, "the more frequent verdict"),
        Anchor("LSTM", 86.5, "Dai and Le 2015, with the official test", comparable=False),
    )
    return Task(
        "movie-reviews-long", "sentiment and topics", Classification(movie_reviews.CLASSES), "accuracy", True,
        movie_reviews.load_long, symbols=movie_reviews.LONG_SYMBOLS, anchors=anchors,
    )  # fmt: skip


def names() -> Task:
    """Return tweets: which words are named entities, of which of ten types? See `data.tweet_entities`."""
    anchors = (
        Anchor("floor", 22.7, "a word's most frequent tag; unknown words stand outside"),
        Anchor("best of WNUT-16", 52.4, "Limsopatham and Collier 2016, on another test", comparable=False),
    )
    return Task(
        "tweet-entities", "named entities", EntityTagging(tweet_entities.CLASSES), "f1", True, tweet_entities.load,
        symbols=tweet_entities.SYMBOLS, columns=word_codes.COLUMNS, anchors=anchors,
    )  # fmt: skip


def sounds() -> Task:
    """Return spelling to sound: which phones has an English word? See `data.pronunciations`.

    Training is chosen by nats. What a network writes is judged by `pronunciation_errors`, beside `SOUND_ERRORS`.
    """
    anchors = (Anchor("floor", 3.269, "frequencies of the phones and the end in training"),)
    return Task(
        "spelling-to-sound", "translation", Translation(pronunciations.PHONE_SYMBOLS), "nats", False, pronunciations.load,
        symbols=pronunciations.LETTER_SYMBOLS, anchors=anchors, full=True,
    )  # fmt: skip


SOUND_ERRORS = (
    Anchor("Transformer", 31.0, _G2P, comparable=False),
    Anchor("WFST", 33.89, _G2P, comparable=False),
)
"""Context for the word error of `sounds`, in percent."""

TEXTS: dict[str, Callable[[], Task]] = {
    "reuters-r8": topics,
    "movie-reviews": sentences,
    "movie-reviews-long": reviews,
    "tweet-entities": names,
    "spelling-to-sound": sounds,
}
"""By name; the same names as in `data.text_entries`, which tells where the data come from."""
