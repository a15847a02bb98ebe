"""Tasks are found by name, by area or all, and their trainings fit."""

import pickle

import pytest

from recurrent_rl.sequence.benchmark.works import AREAS, WORKS, works_of
from recurrent_rl.sequence.tasks import TASKS


def test_every_task_has_a_training():
    assert WORKS.keys() == TASKS.keys()
    assert all(name == work.task().name for name, work in WORKS.items())


def test_tasks_are_found_by_name_by_area_and_all():
    assert list(works_of("parity")) == ["parity"]
    assert list(works_of("state-tracking")) == ["parity", "modular-arithmetic", "permutations"]
    assert works_of("all") == WORKS
    assert {name for area in AREAS for name in works_of(area)} == WORKS.keys()


def test_an_unknown_name_lists_areas_and_tasks():
    with pytest.raises(ValueError, match=r"no task or area 'chess'; there are memory, .*physiotherapy, and all"):
        works_of("chess")


def test_works_can_be_sent_to_other_processes():
    for work in WORKS.values():
        assert pickle.loads(pickle.dumps(work)).task().name == work.task().name


def test_the_full_protocol_has_five_seeds_and_the_other_three_unless_cut():
    assert len(WORKS["mnist1d"].final_seeds) == 5
    assert len(WORKS["ecg5000"].final_seeds) == 3
    assert len(WORKS["adding-600"].final_seeds) == 3


def test_tuning_trials_are_shorter_where_the_work_says_so():
    work = WORKS["brown-tags"]
    assert work.tuning_steps == work.config.steps // 4
    assert work.training(work.tuning_steps, 7).evaluate_every == work.tuning_steps // 20
    assert work.training(20, 7).seed == 7
