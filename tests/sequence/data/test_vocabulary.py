"""Words get numbers by how frequent they are in training; all others share one."""

import numpy as np

from recurrent_rl.sequence.data.vocabulary import UNKNOWN, vocabulary

TEXTS = [["b", "a", "b"], ["a", "c", "b"], ["d"]]


def test_more_frequent_words_have_smaller_numbers_and_equal_ones_the_order_of_the_alphabet():
    assert vocabulary(TEXTS, 1).numbers == {"b": 1, "a": 2, "c": 3, "d": 4}


def test_words_below_the_least_count_are_unknown():
    words = vocabulary(TEXTS, 2)
    assert words.symbols == 3
    first, second = words.encode([["a", "c", "b"], ["never"]])
    np.testing.assert_array_equal(first, [2, UNKNOWN, 1])
    np.testing.assert_array_equal(second, [UNKNOWN])
    assert first.dtype == np.int64
