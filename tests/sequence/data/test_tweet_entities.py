"""Tagged tweets are read as they are written, and cut without repetitions."""

from collections import Counter

import pytest

from recurrent_rl.sequence.data.errors import DataError
from recurrent_rl.sequence.data.tweet_entities import TAGS, Tweet, most_frequent_tags, parse, split

TEXT = "Empire\tB-facility\nState\tI-facility\n=\tO\n\t\nhi\tO\n\n\nBob\tB-person"


def test_a_tweet_ends_with_an_empty_word_or_line_or_the_file():
    found = parse(TEXT)
    assert [tweet.words for tweet in found] == [("Empire", "State", "="), ("hi",), ("Bob",)]
    named = [[TAGS[tag] for tag in tweet.tags] for tweet in found]
    assert named == [["B-facility", "I-facility", "O"], ["O"], ["B-person"]]


@pytest.mark.parametrize("line", ["Bob\tB-dog", "Bob"])
def test_another_tag_and_a_missing_one_are_refused(line):
    with pytest.raises(DataError, match="Line 2 has the tag"):
        parse("a\tO\n" + line)


def tweets(count):
    return [Tweet((f"w{number}", "x"), ((0, 1, 3)[number % 3], 0)) for number in range(count)]


def test_the_first_of_equal_words_stays_and_types_are_spread_over_the_parts():
    again = [Tweet(tweet.words, (5, 5)) for tweet in tweets(90)]
    found = split([*tweets(90), *again]).splits
    parts = (found.train, found.validation, found.test)
    assert sum(map(len, parts)) == 90
    assert not any(5 in row for part in parts for row in part.targets)
    assert Counter(int(row[0]) for row in found.test.targets) == {0: 6, 1: 6, 3: 6}


def test_no_tweet_is_in_two_parts_and_words_of_the_test_are_unknown():
    found = split(tweets(90)).splits
    words = [{tweet[0] for tweet in part.words} for part in (found.train, found.validation, found.test)]
    assert sum(map(len, words)) == len(set.union(*words)) == 90
    assert all(row.tolist() == [True, False] for row in found.test.unknown)


def test_codes_are_those_of_training():
    found = split(tweets(90))
    assert found.codes.words == {word for tweet in found.splits.train.words for word in tweet}
    assert max(row.max() for row in found.splits.test.inputs) < found.codes.symbols


def test_the_floor_knows_words_by_their_most_frequent_tag():
    train = [Tweet(("may", "may", "may", "Bob"), (0, 3, 0, 7))]
    found = most_frequent_tags(train, [["may", "Bob"], ["new"]])
    assert [row.tolist() for row in found] == [[0, 7], [0]]
