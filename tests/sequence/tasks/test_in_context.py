"""Each sequence is a task of its own that its examples tell, and no answer is told before it is asked for."""

from collections.abc import Callable

import numpy as np
import pytest
import torch

from recurrent_rl.memory import GRU
from recurrent_rl.sequence.benchmark.entrants import ENTRANTS
from recurrent_rl.sequence.models import Inputs, Recurrent, SequenceNetwork
from recurrent_rl.sequence.task import Task
from recurrent_rl.sequence.tasks.drawing import Sizes
from recurrent_rl.sequence.tasks.in_context import (
    CLASSES,
    CLASSIFICATION_BEST,
    NOISE,
    REGRESSION_BEST,
    SIZE,
    STEPS,
    best_classification,
    best_regression,
    classification_in_context,
    draw_classification,
    draw_regression,
    regression_in_context,
)
from recurrent_rl.sequence.training import TrainConfig, Trainer, predict

SMALL = Sizes(train=2000, validation=100, test=200)


def test_the_answer_is_told_with_the_next_question():
    found = draw_regression(np.random.default_rng(0), 50)
    for row, wanted in zip(found.inputs, found.targets, strict=True):
        assert row[0, SIZE] == 0
        np.testing.assert_array_equal(row[1:, SIZE], wanted[:-1])
    found = draw_classification(np.random.default_rng(0), 50)
    for row, wanted in zip(found.inputs, found.targets, strict=True):
        assert not row[0, SIZE:].any()
        np.testing.assert_array_equal(row[1:, SIZE:], np.eye(CLASSES)[wanted[:-1]])


def test_all_answers_of_a_sequence_are_one_linear_function_of_its_questions_with_noise():
    found = draw_regression(np.random.default_rng(1), 200)
    rest, weights = [], []
    for row, wanted in zip(found.inputs, found.targets, strict=True):
        fitted, errors, *_ = np.linalg.lstsq(row[:, :SIZE], wanted, rcond=None)
        rest.append(errors[0] / (STEPS - SIZE))
        weights.append(fitted)
    assert np.mean(rest) == pytest.approx(NOISE**2, rel=0.1)
    assert np.std(weights) == pytest.approx(SIZE**-0.5, rel=0.1)
    assert np.abs(np.corrcoef(np.array(weights), rowvar=False) - np.eye(SIZE)).max() < 0.3


def test_a_label_means_another_place_in_each_sequence():
    found = draw_classification(np.random.default_rng(2), 300)
    means = [row[wanted == 0, :SIZE].mean(0) for row, wanted in zip(found.inputs, found.targets) if (wanted == 0).any()]
    assert np.std(means, axis=0).min() > 1.5
    assert np.abs(np.mean(means, axis=0)).max() < 0.5


def test_the_best_possible_is_what_the_anchors_say_and_gets_better_with_examples():
    rng = np.random.default_rng(3)
    for task, draw, best, value in (
        (regression_in_context(), draw_regression, best_regression, REGRESSION_BEST),
        (classification_in_context(), draw_classification, best_classification, CLASSIFICATION_BEST),
    ):
        examples = draw(rng, 3000)
        scores = task.problem.scores(best(examples), examples)
        assert scores[task.metric] == pytest.approx(value, rel=0.03)
        few = [scores[f"after {k}"] for k in (0, 1, 2, 4, 8, 16)]
        assert few == sorted(few, reverse=not task.higher_is_better)
        floor = next(anchor.value for anchor in task.anchors if anchor.name == "floor")
        assert scores["after 0"] == pytest.approx(floor, rel=0.1)


def test_the_best_possible_answer_does_not_see_its_own():
    examples = draw_regression(np.random.default_rng(4), 1)
    other = [wanted.copy() for wanted in examples.targets]
    other[0][10] += 5.0
    first, second = best_regression(examples)[0], best_regression(type(examples)(examples.inputs, other))[0]
    np.testing.assert_array_equal(first[:11], second[:11])
    assert not np.allclose(first[11:], second[11:])


def test_a_network_learns_to_learn():
    torch.manual_seed(0)
    task = classification_in_context(SMALL)
    splits = task.load(0)
    network = SequenceNetwork(Recurrent(memory=GRU(hidden_size=32)), Inputs(features=task.features), task.problem)
    config = TrainConfig(steps=300, evaluate_every=150, batch_size=64, learning_rate=1e-2)
    Trainer(network, task.problem, task.metric, True, config).fit(splits.train, splits.validation)
    scores = task.problem.scores(predict(network, task.problem, splits.test), splits.test)
    assert scores["after 16"] > scores["after 0"] + 10


@pytest.mark.parametrize("task", [regression_in_context, classification_in_context])
def test_what_reads_ahead_is_not_asked_for_answers_that_stand_in_the_next_input(task: Callable[[], Task]):
    by_name = {one.name: one for one in ENTRANTS}
    for name in ("bi-lstm", "cnn", "transformer-both-ways"):
        assert not by_name[name].suits(task())
    assert by_name["gru"].suits(task())
