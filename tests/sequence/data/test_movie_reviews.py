"""Reviews are read by their kind, and cut with half of each label."""

from collections import Counter
from dataclasses import replace

import pytest

from recurrent_rl.sequence.data.errors import DataError
from recurrent_rl.sequence.data.labelled_texts import Text
from recurrent_rl.sequence.data.movie_reviews import LONG, SHORT, parse, split, words_of

TABLE = 'text,label,source\n"A ""fine"" film,<br /><br />\nreally.",1,imdb\na dull one .,0,rotten_tomatoes\n'


def test_a_kind_has_its_own_rows():
    assert parse(TABLE, LONG) == [Text(("a", '"', "fine", '"', "film", ",", "really", "."), 1)]
    assert parse(TABLE, SHORT) == [Text(("a", "dull", "one", "."), 0)]


def test_the_last_words_are_read():
    assert parse(TABLE, replace(LONG, words=2))[0].words == ("really", ".")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("It's 10/10!", ["it's", "10", "/", "10", "!"]),
        ("'quoted' film's", ["'", "quoted", "'", "film's"]),
        ("well-made...", ["well", "-", "made", ".", ".", "."]),
        ("café_1<br/>end", ["café", "_", "1", "end"]),
    ],
)
def test_words_are_letters_and_digits_and_signs_stand_alone(text, words):
    assert words_of(text) == words


@pytest.mark.parametrize("row", ["good,2,imdb", '" ",1,imdb'])
def test_another_label_and_an_empty_review_are_refused(row):
    with pytest.raises(DataError, match="Review 0"):
        parse("text,label,source\n" + row, LONG)


def test_repetitions_go_and_each_part_has_half_of_each_label():
    texts = [Text((f"w{number}", "film"), number % 2) for number in range(200)]
    found = split(texts * 2, SHORT).splits
    parts = (found.train, found.validation, found.test)
    assert [len(part) for part in parts] == [140, 20, 40]
    assert all(len(set(Counter(part.targets.tolist()).values())) == 1 for part in parts)


def test_a_text_is_in_one_part():
    texts = [Text((f"w{number}",), number % 2) for number in range(200)]
    found = split(texts, replace(SHORT, least=1)).splits
    assert {row[0] for row in found.train.inputs} == set(range(1, 141))
    assert {row[0] for part in (found.validation, found.test) for row in part.inputs} == {0}
