"""Words as columns of symbols, and scores that tell unknown words apart."""

import numpy as np
import pytest

from recurrent_rl.sequence.batch import IGNORED, Examples
from recurrent_rl.sequence.data.word_codes import COLUMNS, shape, word_codes
from recurrent_rl.sequence.data.words import WordExamples, WordTagging, known_apart

TRAIN = [["walking", "talking", "Walking", "talking"], ["the", "the", "king", "the"], ["talks", "walks"]] * 2 + [
    ["once"]
]


@pytest.mark.parametrize(
    ("word", "wanted"),
    [
        ("Atlanta's", "Xx'x"),
        ("U.S.", "X.X."),
        ("1960", "0"),
        ("term-end", "x-x"),
        ("McCoy", "XxXx"),
        ("``", "`"),
        ("Été", "Xx"),
    ],
)
def test_a_shape_keeps_runs_of_kinds(word, wanted):
    assert shape(word) == wanted


def test_columns_share_no_number_and_all_are_below_symbols():
    codes = word_codes(TRAIN)
    columns = [set(table.values()) | {other} for table, other in zip(codes.tables, codes.unlisted, strict=True)]
    assert len(columns) == COLUMNS
    assert sorted(number for column in columns for number in column) == list(range(codes.symbols))


def test_a_sentence_is_a_row_of_symbols_for_each_word():
    codes = word_codes(TRAIN)
    rows = codes.encode([["the", "talking", "Walking", "king"], ["zebra"]])
    assert [row.shape for row in rows] == [(4, COLUMNS), (1, COLUMNS)]
    assert rows[0].dtype == np.int64
    texts = ["talking", "king", "ing", "ng", "tal", "x"]
    wanted = [codes.tables[column].get(text, codes.unlisted[column]) for column, text in enumerate(texts)]
    assert rows[0][1].tolist() == wanted
    assert rows[0][1, 0] != rows[1][0, 0] == codes.unlisted[0]


def test_case_is_in_the_shape_alone():
    first, second = word_codes(TRAIN * 3).encode([["walking", "Walking"]])[0]
    assert (first[:-1] == second[:-1]).all()
    assert first[-1] != second[-1]


def test_words_of_one_occurrence_are_trained_as_unlisted_though_known():
    codes = word_codes(TRAIN)
    assert codes.encode([["once"]])[0][0, 0] == codes.unlisted[0] == 0
    assert codes.unknown(["once", "never", "The"]).tolist() == [False, True, True]


def examples():
    targets = [np.array([0, 1, 2]), np.array([1, IGNORED])]
    unknown = [np.array([False, True, False]), np.array([True, True])]
    inputs = [np.zeros((3, COLUMNS), dtype=np.int64), np.ones((2, COLUMNS), dtype=np.int64)]
    return WordExamples(inputs, targets, [4, 5], [("a", "b", "c"), ("d", "e")], unknown)


def test_scores_of_known_and_unknown_words_stand_apart():
    predicted = [np.eye(3)[[0, 0, 2]], np.eye(3)[[1, 0]]]
    found = WordTagging(3).scores(predicted, examples())
    assert found.pop("nats") == pytest.approx(np.log(np.e + 2) - 3 / 4)
    assert found == {"accuracy": 75.0, "accuracy_known": 100.0, "accuracy_unknown": 50.0}


def test_the_score_of_no_word_is_nan():
    found = known_apart([np.array([True])], [np.array([False])])
    assert found["accuracy"] == found["accuracy_known"] == 100.0
    assert np.isnan(found["accuracy_unknown"])


def test_selected_sentences_keep_their_words():
    found = examples().select(np.array([1]))
    assert (found.words, list(found.groups)) == ([("d", "e")], [5])
    np.testing.assert_array_equal(found.unknown[0], [True, True])
    assert len(found) == 1


def test_columns_make_a_padded_batch():
    batch = WordTagging(3).batch(examples(), [0, 1])
    assert batch.inputs.shape == (3, 2, COLUMNS)
    assert batch.targets is not None
    assert batch.targets[:, 1].tolist() == [1, IGNORED, IGNORED]


def test_plain_examples_are_refused():
    with pytest.raises(ValueError, match="WordExamples"):
        WordTagging(2).scores([np.zeros((1, 2))], Examples([np.zeros(1)], [np.zeros(1)]))
