"""Newswires: the official test is whole, and nothing of it is in training."""

import pytest

from recurrent_rl.sequence.data.errors import DataError
from recurrent_rl.sequence.data.labelled_texts import Text
from recurrent_rl.sequence.data.reuters import TOPICS, WORDS, official, parse

HEADER = "Category\tText\nd\tstring\nclass\t\n\n"


def test_rows_after_the_header_are_a_topic_and_words_and_empty_ones_are_not():
    assert parse(HEADER + "earn\tshr one cts \nmoney-fx\tdlr\n\n") == [
        Text(("shr", "one", "cts"), 2),
        Text(("dlr",), 5),
    ]


def test_the_first_words_are_read():
    words = [f"w{number}" for number in range(WORDS + 1)]
    assert parse(HEADER + "acq\t" + " ".join(words))[0].words == tuple(words[:-1])


@pytest.mark.parametrize("row", ["sport\ta goal", "earn shr one cts"])
def test_an_unknown_topic_and_a_missing_tab_are_refused(row):
    with pytest.raises(DataError, match="Row 5 is not one of acq, crude"):
        parse(HEADER + row)


def test_repetitions_go_from_training_and_stay_in_the_test():
    train = [Text((f"word{number % 50}", "said"), number % 8) for number in range(60)]
    test = [Text(("word3", "said"), 3), Text(("word3", "said"), 3), Text(("other",), 1)]
    found = official(train, test).splits
    assert len(found.train) + len(found.validation) == 49
    assert len(found.validation) > 0
    assert found.test.targets.tolist() == [3, 3, 1]
    assert found.test.inputs[0].tolist()[1] == 1  # `said` is the most frequent word


def test_the_topics_are_eight():
    assert len(set(TOPICS)) == 8
