"""Who remembers solves the memory tasks, and who does not has the floor that is stated."""

import math

import numpy as np
import pytest

from recurrent_rl.sequence.batch import IGNORED
from recurrent_rl.sequence.tasks.drawing import Sizes
from recurrent_rl.sequence.tasks.memory import (
    adding,
    copy_memory,
    draw_adding,
    draw_copy,
    draw_selective,
    selective_copy,
)

SIZES = Sizes(train=20, validation=20, test=2000)


def certain(symbols, classes):
    """Return logits [T, classes] that say the symbols."""
    return 200.0 * np.eye(classes)[symbols]


def test_who_keeps_the_marked_numbers_has_their_sum():
    task = adding(60, SIZES)
    test = task.load(0).test
    sums = []
    for row in test.inputs:
        kept = 0.0
        for number, mark in row:
            kept += number if mark == 1 else 0.0
        sums.append(np.array([kept]))
    assert task.problem.scores(sums, test)["mse"] < 1e-12


def test_who_predicts_one_has_the_variance_of_the_sum():
    task = adding(60, Sizes(train=20, validation=20, test=20_000))
    test = task.load(0).test
    assert task.problem.scores([np.ones(1)] * len(test), test)["mse"] == pytest.approx(task.anchors[0].value, rel=0.03)
    assert task.anchors[0].value == pytest.approx(0.167, abs=5e-4)


def test_two_steps_are_marked_each_as_likely_as_any():
    examples = draw_adding(np.random.default_rng(0), 20_000, 5)
    marks = np.stack(examples.inputs)[:, :, 1]
    assert set(np.unique(marks)) == {0.0, 1.0}
    assert (marks.sum(1) == 2).all()
    pairs = [tuple(np.flatnonzero(row)) for row in marks]
    counts = np.array([pairs.count(pair) for pair in sorted(set(pairs))])
    assert len(counts) == 10
    assert (np.abs(counts - 2000) < 5 * math.sqrt(2000)).all()


def test_bais_figures_stand_beside_length_600_alone():
    assert len(adding(200).anchors) == 1
    assert {anchor.name: anchor.value for anchor in adding(600).anchors if anchor.value < 0.01} == {
        "GRU": 5.3e-5,
        "TCN": 5.8e-5,
    }


def test_the_copy_task_has_bais_format():
    examples = draw_copy(np.random.default_rng(0), 3, 4)
    for inputs, targets in zip(examples.inputs, examples.targets):
        symbols = inputs[:10].tolist()
        assert inputs.tolist() == [*symbols, 0, 0, 0, *[9] * 11]
        assert targets.tolist() == [*[0] * 14, *symbols]
    everything = np.concatenate([row[:10] for row in draw_copy(np.random.default_rng(0), 1000, 4).inputs])
    assert set(everything.tolist()) == set(range(1, 9))


def test_who_keeps_ten_symbols_copies_them():
    task = copy_memory(50, SIZES)
    test, said = task.load(0).test, []
    for row in test.inputs:
        kept, wanted, steps = [], [], 0
        for symbol in row:
            kept += [symbol] if 1 <= symbol <= 8 else []
            steps += symbol == 9
            wanted.append(kept[steps - 2] if steps >= 2 else 0)
        said.append(certain(np.array(wanted), 10))
    scores = task.problem.scores(said, test)
    assert scores["nats"] < 1e-12
    assert scores["recall"] == scores["accuracy"] == 100


@pytest.mark.parametrize("delay", [1, 50, 100])
def test_who_counts_steps_but_keeps_no_symbol_has_the_floor_of_copying(delay):
    task = copy_memory(delay, SIZES)
    test = task.load(0).test
    blanks, any_of_eight = certain(np.zeros(delay + 10, dtype=int), 10), np.tile([-200.0, *[0.0] * 8, -200.0], (10, 1))
    scores = task.problem.scores([np.concatenate([blanks, any_of_eight])] * len(test), test)
    assert scores["nats"] == pytest.approx(task.anchors[0].value, rel=1e-9)
    assert scores["recall"] == pytest.approx(100 / 8, abs=1.5)


def test_the_floor_at_a_delay_of_1000_is_the_papers():
    assert copy_memory(1000).anchors[0].value == pytest.approx(0.0204, abs=5e-5)


def test_who_keeps_what_is_no_blank_copies_it_in_its_order():
    task = selective_copy(40, SIZES)
    test, said = task.load(0).test, []
    for row in test.inputs:
        kept, wanted = [], []
        for symbol in row:
            kept += [symbol] if 1 <= symbol <= 14 else []
            wanted.append(kept.pop(0) if symbol == 15 else 0)
        said.append(certain(np.array(wanted), 16))
    assert task.problem.scores(said, test)["accuracy"] == 100


def test_who_keeps_nothing_has_the_floor_of_selective_copying():
    task = selective_copy(40, SIZES)
    test = task.load(0).test
    said = [certain(np.full(len(row), 5), 16) for row in test.inputs]
    assert task.problem.scores(said, test)["accuracy"] == pytest.approx(task.anchors[0].value, abs=0.5)


def test_chosen_symbols_lie_anywhere_and_only_their_copies_are_scored():
    examples = draw_selective(np.random.default_rng(0), 4000, 32)
    inputs, targets = np.stack(examples.inputs), np.stack(examples.targets)
    assert ((inputs[:, :32] != 0).sum(1) == 16).all()
    np.testing.assert_allclose((inputs[:, :32] != 0).mean(0), 0.5, atol=0.05)
    assert (inputs[:, 32:] == 15).all()
    assert (targets[:, :32] == IGNORED).all()
    assert set(np.unique(targets[:, 32:])) == set(range(1, 15))
    assert set(np.unique(np.stack(draw_selective(np.random.default_rng(0), 5, 16).inputs)[:, :16])) <= set(range(1, 15))


@pytest.mark.parametrize(("build", "least"), [(adding, 2), (copy_memory, 1), (selective_copy, 16)])
def test_lengths_that_are_too_short_are_refused(build, least):
    build(least, SIZES).load(0)
    with pytest.raises(ValueError, match=f"must be {least} or more, not {least - 1}"):
        build(least - 1)
