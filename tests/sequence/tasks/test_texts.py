"""The text tasks fit their data: problem, symbols, metric."""

import pytest

from recurrent_rl.sequence.data import movie_reviews, pronunciations, reuters, tweet_entities
from recurrent_rl.sequence.tasks.texts import SOUND_ERRORS, TEXTS
from recurrent_rl.sequence.translation import Translation


@pytest.mark.parametrize("name", TEXTS)
def test_a_task_has_its_name_and_a_floor_first(name):
    task = TEXTS[name]()
    assert task.name == name
    assert task.anchors[0].name == "floor"
    assert all(anchor.source for anchor in task.anchors)


def test_figures_of_other_data_are_context():
    comparable = {name: [one.comparable for one in TEXTS[name]().anchors[1:]] for name in TEXTS}
    assert all(comparable.pop("reuters-r8"))
    assert not any(one for figures in comparable.values() for one in figures)
    assert not any(anchor.comparable for anchor in SOUND_ERRORS)


def test_problems_have_the_classes_of_the_data():
    sizes = [TEXTS[name]().problem.output_size for name in TEXTS]
    assert sizes == [reuters.CLASSES, movie_reviews.CLASSES, 2, tweet_entities.CLASSES, pronunciations.PHONE_SYMBOLS]


def test_sounds_end_with_a_symbol_that_is_no_phone():
    problem = TEXTS["spelling-to-sound"]().problem
    assert isinstance(problem, Translation)
    assert problem.end == len(pronunciations.PHONES)
