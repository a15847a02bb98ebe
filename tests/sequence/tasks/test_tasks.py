"""Every made-up task gives well-formed examples, the same for the same seed, of which none is in two splits."""

from functools import partial

import numpy as np
import pytest

from recurrent_rl.sequence.batch import IGNORED
from recurrent_rl.sequence.tasks import (
    MADE_UP,
    adding,
    copy_memory,
    mnist1d,
    modular_arithmetic,
    parity,
    permutations,
    recall,
    selective_copy,
)
from recurrent_rl.sequence.tasks.drawing import Sizes

SMALL = Sizes(train=300, validation=60, test=40)
SMALL_TASKS = {
    "adding": partial(adding, 50, SMALL),
    "copy": partial(copy_memory, 30, SMALL),
    "selective copy": partial(selective_copy, 30, SMALL),
    "parity": partial(parity, SMALL),
    "modular arithmetic": partial(modular_arithmetic, SMALL),
    "permutations": partial(permutations, SMALL),
    "recall": partial(recall, SMALL),
    "mnist1d": mnist1d,
    "mnist1d shuffled": partial(mnist1d, shuffled=True),
}


@pytest.fixture(params=SMALL_TASKS.values(), ids=SMALL_TASKS.keys(), scope="module")
def task(request):
    return request.param()


@pytest.fixture(scope="module")
def splits(task):
    return task.load(0)


def parts(splits):
    return [splits.train, splits.validation, splits.test, *splits.longer.values()]


def rows(examples):
    return {(row.shape, row.tobytes()) for row in examples.inputs}


def test_inputs_are_symbols_of_the_alphabet_or_features(task, splits):
    assert (task.symbols is None) != (task.features is None)
    for row in (row for examples in parts(splits) for row in examples.inputs):
        assert len(row) >= 1
        if task.symbols is not None:
            assert row.dtype == np.int64
            assert row.ndim == 1
            assert 0 <= row.min() <= row.max() < task.symbols
        else:
            assert row.dtype == np.float32
            assert row.shape[1:] == (task.features,)
            assert np.isfinite(row).all()


def test_every_symbol_occurs(task, splits):
    if task.symbols is not None:
        assert set(np.concatenate(splits.train.inputs).tolist()) == set(range(task.symbols))


def test_batches_have_a_target_for_each_output(task, splits):
    for examples in parts(splits):
        batch = task.problem.batch(examples, range(20))
        assert batch.targets is not None
        if task.problem.per_step:
            assert batch.targets.shape == batch.inputs.shape[:2]
        else:
            assert len(batch.targets) == 20
        if task.metric == "accuracy":
            scored = batch.targets[batch.targets != IGNORED]
            assert len(scored) >= 20
            assert scored.min() >= 0
            assert scored.max() < task.problem.output_size


def test_one_seed_gives_one_draw_and_another_another(task, splits):
    again, other = task.load(0), task.load(1)
    for one, same, different in zip(parts(splits), parts(again), parts(other)):
        for row, repeated in zip(one.inputs, same.inputs, strict=True):
            np.testing.assert_array_equal(row, repeated)
        for target, repeated in zip(one.targets, same.targets, strict=True):
            np.testing.assert_array_equal(target, repeated)
        assert len(rows(one) & rows(different)) < 0.4 * len(one)  # the shortest words come again


def test_no_test_sequence_stands_in_train_or_elsewhere(splits):
    found = [rows(examples) for examples in parts(splits)]
    assert not found[0] & set.union(*found[1:])
    assert not found[2] & found[1]
    assert sum(map(len, found[2:])) == len(set.union(*found[2:]))


def test_anchors_begin_with_a_floor_that_is_worse_than_the_others(task):
    assert task.anchors[0].name == "floor"
    best = max if task.higher_is_better else min
    assert best(anchor.value for anchor in task.anchors) != task.anchors[0].value or len(task.anchors) == 1
    assert all(anchor.source for anchor in task.anchors)


def test_names_on_the_command_line_are_the_tasks_own():
    assert {name: build().name for name, build in MADE_UP.items()} == {name: name for name in MADE_UP}
