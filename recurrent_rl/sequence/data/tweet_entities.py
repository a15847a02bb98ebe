"""Named entities in tweets: which words are the name of a person, a place, a company, ...? Ten types.

A tweet is lines of a word, a tab and its tag, and ends with an empty word or line:

    Empire      B-facility
    State       I-facility
    Building    I-facility
    =           O
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from recurrent_rl.sequence.batch import Array
from recurrent_rl.sequence.data.archive import read_member
from recurrent_rl.sequence.data.cut import Cut
from recurrent_rl.sequence.data.entities import OUTSIDE, tag_names
from recurrent_rl.sequence.data.errors import DataError
from recurrent_rl.sequence.data.text_entries import TWEET_ENTITIES
from recurrent_rl.sequence.data.word_codes import WordCodes, word_codes
from recurrent_rl.sequence.data.words import WordExamples
from recurrent_rl.sequence.task import Splits

TYPES = (
    "company", "facility", "geo-loc", "movie", "musicartist", "other", "person", "product", "sportsteam", "tvshow",
)  # fmt: skip
TAGS = tag_names(TYPES)
CLASSES = len(TAGS)
SYMBOLS = 4_546
"""Numbers that the columns of an input have in all: below it are those of every column."""

CUT = Cut(validation=0.15, test=0.2)


@dataclass(frozen=True)
class Tweet:
    """Words with the number of a tag each."""

    words: tuple[str, ...]
    tags: tuple[int, ...]


@dataclass(frozen=True)
class Tweets:
    """Tweets in three parts, with what their numbers mean.

    Args:
        splits: Of `WordExamples`.
        codes: The symbols of the inputs.
        tags: The name of each target.
    """

    splits: Splits
    codes: WordCodes
    tags: tuple[str, ...]


def load(seed: int = 0) -> Splits:
    """Return the tweets, the same for each seed; see `load_tweets`."""
    return load_tweets().splits


def load_tweets() -> Tweets:
    """Return tagged tweets: inputs [T, COLUMNS] int64 below SYMBOLS, targets [T] int64 below CLASSES.

    No official test is among the data, so the parts are cut at random by a fixed seed, with the share of each type that a
    tweet's first entity has. Tweets of which the same words stand before are left out first.

    Source: Ritter et al. 2011, Named Entity Recognition in Tweets; Strauss et al. 2016, Results of the WNUT16 Named Entity
    Recognition Shared Task.
    """
    return split(parse(read_member(TWEET_ENTITIES, TWEET_ENTITIES.members[0]).decode()))


def split(tweets: Sequence[Tweet]) -> Tweets:
    """Return tweets in three parts, without repetitions; the symbols are those of training."""
    distinct = list({tweet.words: tweet for tweet in reversed(tweets)}.values())[::-1]  # the first of equals
    first = [next((tag for tag in tweet.tags if tag != OUTSIDE), OUTSIDE) for tweet in distinct]
    train, validation, test = ([distinct[index] for index in part] for part in CUT.by_label(first))
    codes = word_codes(tweet.words for tweet in train)
    made = [word_examples(part, codes) for part in (train, validation, test)]
    return Tweets(Splits(made[0], made[1], made[2]), codes, TAGS)


def word_examples(tweets: Sequence[Tweet], codes: WordCodes) -> WordExamples:
    """Return tweets as examples."""
    return WordExamples(
        codes.encode([tweet.words for tweet in tweets]),
        [np.array(tweet.tags, dtype=np.int64) for tweet in tweets],
        None,
        [tweet.words for tweet in tweets],
        [codes.unknown(tweet.words) for tweet in tweets],
    )


def parse(text: str) -> list[Tweet]:
    """Return the tweets of a file.

    Raises:
        DataError: A word has no tag, or one that is not of the ten types.
    """
    numbers, found, words, tags = {tag: number for number, tag in enumerate(TAGS)}, [], [], []
    for row, line in enumerate([*text.splitlines(), ""], start=1):
        word, _, tag = (part.strip() for part in line.partition("\t"))
        if word and tag not in numbers:
            raise DataError(f"Line {row} has the tag {tag!r}, not one of {', '.join(TAGS)}.")
        if word:
            words.append(word)
            tags.append(numbers[tag])
        elif words:
            found.append(Tweet(tuple(words), tuple(tags)))
            words, tags = [], []
    return found


def most_frequent_tags(train: Sequence[Tweet], tweets: Sequence[Sequence[str]]) -> list[Array]:
    """Return the floor's tags: a word's most frequent one in training; other words stand outside."""
    counts: dict[str, Counter[int]] = {}
    for tweet in train:
        for word, tag in zip(tweet.words, tweet.tags, strict=True):
            counts.setdefault(word, Counter())[tag] += 1
    best = {word: tags.most_common(1)[0][0] for word, tags in counts.items()}
    return [np.array([best.get(word, OUTSIDE) for word in words], dtype=np.int64) for words in tweets]
