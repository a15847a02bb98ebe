"""Spelling to sound: ways to say a word are read without stress, and errors are those of the nearest way."""

import numpy as np
import pytest

from recurrent_rl.sequence.data.errors import DataError
from recurrent_rl.sequence.data.pronunciations import (
    LETTERS,
    PHONE_SYMBOLS,
    PHONES,
    frequency_nats,
    parse,
    pronunciation_errors,
    split,
    spoken,
)

TEXT = """'em AH0 M
read R EH1 D
read(2) R IY1 D
tear T EH1 R
tear(2) T EH0 R
aalborg AO1 L B AO0 R G # place, danish

"""


def phones(text):
    return np.array([PHONES.index(phone) for phone in text.split()], dtype=np.int64)


def test_ways_without_stress_are_listed_once_in_their_order_and_remarks_are_left_out():
    assert parse(TEXT) == {
        "'em": [("AH", "M")],
        "read": [("R", "EH", "D"), ("R", "IY", "D")],
        "tear": [("T", "EH", "R")],
        "aalborg": [("AO", "L", "B", "AO", "R", "G")],
    }


@pytest.mark.parametrize("line", ["hi HH QQ1", "hi # nothing"])
def test_a_strange_phone_and_a_word_without_phones_are_refused(line):
    with pytest.raises(DataError, match="Line 1 has other phones"):
        parse(line)


def test_a_word_is_letters_and_its_target_the_first_way():
    found = spoken({"read": [("R", "EH", "D"), ("R", "IY", "D")]})
    assert "".join(LETTERS[letter] for letter in found.inputs[0]) == "read"
    np.testing.assert_array_equal(found.targets[0], phones("R EH D"))
    np.testing.assert_array_equal(found.ways[0][1], phones("R IY D"))


def test_selected_words_keep_their_ways():
    found = spoken({"a": [("AH",), ("EY",)], "be": [("B", "IY")]}).select(np.array([1]))
    assert (found.words, len(found), len(found.ways[0])) == (["be"], 1, 1)


def dictionary(count=200):
    words = [f"{one}{two}" for one in LETTERS for two in LETTERS][:count]
    return {word: [("B",), ("D",)] for word in words} | {"o'clock": [("K",)], "a-b": [("B",)]}


def test_no_word_is_in_two_parts_and_all_are_of_letters():
    found = split(dictionary(), 200)
    words = [set(part.words) for part in (found.train, found.validation, found.test)]
    assert list(map(len, words)) == [160, 20, 20]
    assert set.union(*words) == dictionary().keys() - {"o'clock", "a-b"}


def test_a_larger_count_than_there_are_words_is_refused():
    with pytest.raises(DataError, match="200 words of letters alone, not 201"):
        split(dictionary(), 201)


def test_a_word_is_right_if_it_equals_any_way_and_its_errors_are_those_of_the_nearest():
    examples = spoken({"read": [("R", "EH", "D"), ("R", "IY", "D")], "data": [("D", "AE", "T", "AH"), ("D", "T")]})
    found = pronunciation_errors([phones("R IY D"), phones("D T AH")], examples)
    # `data`: one phone is missing of the first way, one too many of the second: the first counts
    assert found == pytest.approx({"word_error": 50.0, "phone_error": 100 / 7})


def test_what_is_not_written_is_wrong():
    found = pronunciation_errors([phones("")], spoken({"be": [("B", "IY")]}))
    assert found == {"word_error": 100.0, "phone_error": 100.0}


def test_the_floor_is_that_of_the_counts_with_the_end():
    train, test = spoken({"a": [("AH",)], "be": [("B", "IY")]}), spoken({"b": [("B",)]})
    total = 5 + PHONE_SYMBOLS  # three phones, two ends, one added to each count
    assert frequency_nats(train, test) == pytest.approx(-(np.log(2 / total) + np.log(3 / total)) / 2)
