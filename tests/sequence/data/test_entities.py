"""Entities are counted as the seqeval package counts them."""

import numpy as np
import pytest

from recurrent_rl.sequence.batch import IGNORED
from recurrent_rl.sequence.data.entities import EntityTagging, entities, entity_scores, tag_names
from recurrent_rl.sequence.data.words import WordExamples

NAMES = tag_names(("per", "loc"))


def tags(text):
    return np.array([NAMES.index(tag) for tag in text.split()])


def test_tags_are_numbered_by_type():
    assert NAMES == ("O", "B-per", "I-per", "B-loc", "I-loc")


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("O O", set()),
        ("B-per I-per O B-loc", {(0, 0, 1), (1, 3, 3)}),
        ("B-per B-per I-per", {(0, 0, 0), (0, 1, 2)}),
        ("O I-per I-per", {(0, 1, 2)}),  # one within, after none: it begins one
        ("B-per I-loc", {(0, 0, 0), (1, 1, 1)}),  # and after another type
        ("I-loc I-per I-per", {(1, 0, 0), (0, 1, 2)}),
        ("B-loc O I-loc", {(1, 0, 0), (1, 2, 2)}),
        ("B-per I-per", {(0, 0, 1)}),  # to the end
    ],
)
def test_an_entity_is_a_type_with_its_first_and_last_step(text, wanted):
    assert entities(tags(text)) == wanted


def test_a_hit_has_the_same_type_and_both_ends():
    wanted = [tags("B-per I-per O B-loc"), tags("B-loc O")]
    found = [tags("B-per O O B-loc"), tags("B-per O")]
    assert entity_scores(found, wanted) == pytest.approx({"precision": 100 / 3, "recall": 100 / 3, "f1": 100 / 3})


def test_f1_is_of_all_types_together():
    wanted = [tags("B-per B-per B-per B-loc")]
    found = [tags("B-per B-per O O")]
    assert entity_scores(found, wanted) == pytest.approx({"precision": 100.0, "recall": 50.0, "f1": 200 / 3})


def test_without_entities_all_scores_are_zero():
    assert entity_scores([tags("O O")], [tags("O O")]) == {"precision": 0.0, "recall": 0.0, "f1": 0.0}


def test_an_entity_does_not_go_on_in_the_next_sequence():
    assert entity_scores([tags("B-per"), tags("I-per")], [tags("B-per"), tags("B-per")])["f1"] == 100.0


def test_scores_of_a_network_are_of_its_likeliest_tags_at_scored_steps():
    wanted = [tags("B-per I-per O"), np.array([3, IGNORED])]
    words = [("a", "b", "c"), ("d", "e")]
    unknown = [np.array([True, False, False]), np.array([False, False])]
    examples = WordExamples([np.zeros((3, 6)), np.zeros((2, 6))], wanted, None, words, unknown)
    predicted = [np.eye(5)[tags("B-per I-per B-loc")], np.eye(5)[tags("B-loc B-per")]]
    found = EntityTagging(5).scores(predicted, examples)
    assert found["f1"] == pytest.approx(80.0)  # two of two, and one too many
    assert (found["precision"], found["recall"]) == pytest.approx((200 / 3, 100.0))
    assert (found["accuracy"], found["accuracy_unknown"]) == (75.0, 100.0)
    assert "nats" in found
