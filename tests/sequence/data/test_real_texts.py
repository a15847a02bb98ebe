"""The real texts are what the manifest says, with the floors that are printed beside results; needs fetched archives."""

from collections import Counter
from itertools import chain

import numpy as np
import pytest

from recurrent_rl.sequence.data import movie_reviews, pronunciations, reuters, tweet_entities
from recurrent_rl.sequence.data.archive import archive_path, read_member, read_members
from recurrent_rl.sequence.data.entities import entity_scores
from recurrent_rl.sequence.data.text_entries import MOVIE_REVIEWS, PRONUNCIATIONS, REUTERS, TWEET_ENTITIES
from recurrent_rl.sequence.tasks.texts import TEXTS

pytestmark = pytest.mark.slow


def need(entry):
    if not archive_path(entry).is_file():
        pytest.skip(f"{entry.package} is not fetched")


def text(entry):
    need(entry)
    return read_member(entry, entry.members[0]).decode()


def parts(splits):
    return splits.train, splits.validation, splits.test


def sizes(splits):
    return [len(part) for part in parts(splits)]


def longest(splits):
    return max(len(row) for part in parts(splits) for row in part.inputs)


def floor(name):
    return next(anchor.value for anchor in TEXTS[name]().anchors if anchor.name == "floor")


def test_reuters():
    need(REUTERS)
    train, test = (reuters.parse(table.decode()) for table in read_members(REUTERS, REUTERS.members).values())
    assert (len(train), len(test)) == (5485, 2189)
    tested = {one.words for one in test}
    assert sum(one.words in tested for one in train) == 5
    found = reuters.official(train, test)
    assert sizes(found.splits) == [4865, 542, 2189]  # 78 of training are left out
    assert (found.vocabulary.symbols, longest(found.splits)) == (reuters.SYMBOLS, reuters.WORDS)
    label, count = Counter(found.splits.test.targets.tolist()).most_common(1)[0]
    assert (found.labels[label], count) == ("earn", 1083)
    assert 100 * count / 2189 == pytest.approx(floor("reuters-r8"), abs=5e-3)


def test_sentences_of_reviews():
    texts = movie_reviews.parse(text(MOVIE_REVIEWS), movie_reviews.SHORT)
    assert Counter(one.label for one in texts) == {0: 4265, 1: 4265}
    assert len({one.words for one in texts}) == 8530
    found = movie_reviews.split(texts, movie_reviews.SHORT)
    assert sizes(found.splits) == [5970, 854, 1706]
    assert found.vocabulary.symbols == movie_reviews.SYMBOLS
    assert longest(found.splits) < movie_reviews.SHORT.words  # none is cut
    assert Counter(found.splits.test.targets.tolist()) == {0: 853, 1: 853}


def test_whole_reviews():
    texts = movie_reviews.parse(text(MOVIE_REVIEWS), movie_reviews.LONG)
    assert Counter(one.label for one in texts) == {0: 12_500, 1: 12_500}
    found = movie_reviews.split(texts, movie_reviews.LONG)
    assert sizes(found.splits) == [19_918, 2490, 2490]  # 96 repeat another, six more in their last 200 words
    assert (found.vocabulary.symbols, longest(found.splits)) == (movie_reviews.LONG_SYMBOLS, movie_reviews.LONG.words)
    assert 100 * max(Counter(found.splits.test.targets.tolist()).values()) / 2490 == pytest.approx(
        floor("movie-reviews-long"), abs=0.05
    )


def test_tweets():
    tweets = tweet_entities.parse(text(TWEET_ENTITIES))
    tags = list(chain.from_iterable(tweet.tags for tweet in tweets))
    assert (len(tweets), len(tags)) == (2394, 46_469)
    assert 100 * np.mean(np.array(tags) == 0) == pytest.approx(94.7, abs=0.05)
    assert sum(tweet_entities.TAGS[tag].startswith("B-") for tag in tags) == 1496
    found = tweet_entities.split(tweets)
    assert sizes(found.splits) == [1489, 346, 460]  # 99 have the words of an earlier one
    assert (found.codes.symbols, set(tags)) == (tweet_entities.SYMBOLS, set(range(tweet_entities.CLASSES)))
    train, _, test = parts(found.splits)
    known = [
        tweet_entities.Tweet(tuple(words), tuple(tags)) for words, tags in zip(train.words, train.targets, strict=True)
    ]
    guesses = tweet_entities.most_frequent_tags(known, test.words)
    assert entity_scores(guesses, test.targets)["f1"] == pytest.approx(floor("tweet-entities"), abs=0.05)


def test_pronunciations():
    lines = text(PRONUNCIATIONS)
    dictionary = pronunciations.parse(lines)
    assert (len(lines.splitlines()), len(dictionary)) == (135_166, 126_052)
    assert sum(word.isalpha() for word in dictionary) == 117_493
    assert {phone for ways in dictionary.values() for way in ways for phone in way} == set(pronunciations.PHONES)
    assert max(len(way) for ways in dictionary.values() for way in ways) == pronunciations.LONGEST
    found = pronunciations.split(dictionary, pronunciations.WORDS)
    assert sizes(found) == [16_000, 2000, 2000]
    assert {phone for row in found.train.targets for phone in row.tolist()} == set(range(39))
    assert pronunciations.frequency_nats(found.train, found.test) == pytest.approx(floor("spelling-to-sound"), abs=5e-4)
