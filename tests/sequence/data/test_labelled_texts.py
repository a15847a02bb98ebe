"""Equal texts count once, and numbers are those of training alone."""

from recurrent_rl.sequence.data.labelled_texts import Text, first_of_equals, labelled


def text(words, label=0):
    return Text(tuple(words.split()), label)


def test_the_first_of_equal_texts_stays_with_its_label():
    assert first_of_equals([text("a b", 1), text("b a"), text("a b", 0)]) == [text("a b", 1), text("b a")]


def test_texts_that_stand_elsewhere_go():
    assert first_of_equals([text("a"), text("b"), text("b")], {("a",)}) == [text("b")]


def test_words_of_validation_and_test_have_no_number_of_their_own():
    found = labelled([text("a a b", 1)], [text("c c c")], [text("b d", 1)], ("no", "yes"), 1)
    assert found.vocabulary.numbers == {"a": 1, "b": 2}
    parts = (found.splits.train, found.splits.validation, found.splits.test)
    assert [part.inputs[0].tolist() for part in parts] == [[1, 1, 2], [0, 0, 0], [2, 0]]
    assert [part.targets.tolist() for part in parts] == [[1], [0], [1]]
    assert found.labels == ("no", "yes")
