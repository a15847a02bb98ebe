"""Tagged text is read as it is written, split by document, and numbered by training alone."""

import numpy as np
import pytest

from recurrent_rl.sequence.data.brown import Sentence, parse, part_of, simplified
from recurrent_rl.sequence.data.brown_characters import alphabet, decode, streams, text_of, unigram_bits
from recurrent_rl.sequence.data.brown_tags import most_frequent_tag, tagged
from recurrent_rl.sequence.data.errors import DataError

TEXT = "\n\n\tThe/at Fulton/np-tl 1/2/cd ain't/bez* ./.\n\n\n\tOui/fw-rb-nc I'd/ppss+hvd\n"


def sentences(text, document):
    words = text.split()
    return [Sentence(tuple(words), ("nn",) * len(words), document)]


def test_a_line_is_a_sentence_and_the_last_slash_parts_the_tag():
    found = parse(TEXT, 7)
    assert [sentence.words for sentence in found] == [("The", "Fulton", "1/2", "ain't", "."), ("Oui", "I'd")]
    assert [sentence.tags for sentence in found] == [("at", "np", "cd", "bez", "."), ("rb", "ppss")]
    assert {sentence.document for sentence in found} == {7}


@pytest.mark.parametrize(
    ("tag", "simple"),
    [
        ("nn", "nn"), ("nn-tl", "nn"), ("nn-tl-hl", "nn"), ("fw-in+nn-tl", "in"), ("fw-at+np-tl", "at"), ("md*", "md"),
        ("*", "*"), ("*-hl", "*"), ("fw-*-tl", "*"), ("--", "--"), ("---hl", "--"), ("np$", "np$"), ("pps+hvz", "pps"),
        ("nn$-tl", "nn$"), ("``", "``"), ("fw-in+at-t", "in"),
    ],
)  # fmt: skip
def test_a_tag_keeps_its_part_of_speech_alone(tag, simple):
    assert simplified(tag) == simple


def test_of_ten_documents_the_last_is_test_and_the_one_before_it_validation():
    assert [part_of(number) for number in range(10)] == ["train"] * 8 + ["validation", "test"]
    assert part_of(499) == "test"
    assert part_of(490) == "train"


def test_documents_are_groups_and_stand_in_their_part():
    found = tagged([sentences("a b", number) for number in range(20)]).splits
    assert list(found.train.groups) == [*range(8), *range(10, 18)]
    assert (list(found.validation.groups), list(found.test.groups)) == ([8, 18], [9, 19])


def test_a_tag_that_training_lacks_is_refused():
    documents = [sentences("a b", number) for number in range(10)]
    documents[9] = [Sentence(("a",), ("zz",), 9)]
    with pytest.raises(DataError, match=r"Document 9 has tags that training lacks: \['zz'\]"):
        tagged(documents)


def test_words_of_the_test_change_no_symbol():
    documents = [sentences("a b b", number) for number in range(9)]
    one, other = (tagged([*documents, sentences(text, 9)]) for text in ("a", "q q q q q"))
    assert one.codes == other.codes
    np.testing.assert_array_equal(one.splits.train.inputs[0], other.splits.train.inputs[0])
    assert other.splits.test.unknown[0].all()


def test_a_document_is_one_stream_that_spells_its_text():
    documents = [sentences("be bad", number) for number in range(10)]
    documents[0] = [*sentences("be", 0), *sentences("ad", 0)]
    assert text_of(documents[0]) == "be\nad\n"
    found = streams(documents)
    assert found.train.inputs[0].tolist() == [3, 5, 0, 2, 4, 0]  # newline, blank, a, b, d, e
    assert [len(part) for part in (found.train, found.validation, found.test)] == [8, 1, 1]
    assert found.train.targets is None
    assert list(found.test.groups) == [9]


def test_a_stream_is_read_as_its_text_again():
    documents = [sentences(text, number) for number, text in enumerate(["a b c", "b a", *["c a b"] * 8])]
    found, letters = streams(documents), alphabet(documents)
    assert letters == "\n abc"
    assert decode(found.train.inputs[1].tolist(), letters) == "b a\n"


def test_a_character_that_training_lacks_is_refused():
    with pytest.raises(DataError, match=r"training lacks: \['z'\]"):
        streams([sentences("z" if number == 8 else "a", number) for number in range(10)])


def test_unigram_bits_are_those_of_the_counts():
    found = streams([sentences("ab ab" if number < 8 else "aab", number) for number in range(10)])
    counts = {"\n": 9, " ": 9, "a": 17, "b": 17}  # one added to each
    wanted = -np.mean([np.log2(counts[c] / 52) for c in "ab\n"])  # the first of "aab\n" is given
    assert unigram_bits(found.train, found.test, 4) == pytest.approx(wanted)


def test_the_floor_knows_words_by_their_most_frequent_tag_and_others_by_their_capital():
    train = [Sentence(("run", "run", "run", "Go"), ("vb", "nn", "vb", "uh"), 0)]
    assert most_frequent_tag(train, ["run", "Go", "go", "Rome"]) == ["vb", "uh", "nn", "np"]
