"""Scores are told by the number of examples seen, and padding counts nowhere."""

import numpy as np
import pytest
import torch

from recurrent_rl.sequence.batch import Examples
from recurrent_rl.sequence.in_context import RegressionInContext, TaggingInContext, after


def ragged(*lengths):
    rng = np.random.default_rng(0)
    inputs = [rng.normal(size=(length, 2)).astype(np.float32) for length in lengths]
    return Examples(inputs, [rng.normal(size=length).astype(np.float32) for length in lengths])


def test_losses_are_those_of_the_steps_within_lengths_and_their_mean_is_the_score():
    problem, examples = RegressionInContext(), ragged(5, 2, 3)
    batch = problem.batch(examples, range(3))
    said = torch.randn(5, 3, 1, requires_grad=True)
    losses = problem.losses(said, batch)
    assert losses.shape == (10,)
    rows = [said[: len(row), column].detach().numpy() for column, row in enumerate(examples.inputs)]
    assert problem.scores(rows, examples)["mse"] == pytest.approx(losses.mean().item(), rel=1e-6)
    (gradient,) = torch.autograd.grad(losses.sum(), said)
    assert (gradient[..., 0] == 0).sum() == 5


def test_a_score_is_of_the_step_with_so_many_examples_before_it():
    examples = ragged(10, 10)
    exact = [np.asarray(row)[:, None].copy() for row in examples.targets]
    exact[0][4] += 3.0
    scores = RegressionInContext().scores(exact, examples)
    assert scores["after 4"] == pytest.approx(4.5)
    assert [scores[f"after {k}"] for k in (0, 1, 2, 8)] == [0.0] * 4
    assert "after 16" not in scores


def test_labels_are_scored_likewise():
    examples = Examples([np.zeros((3, 2))] * 2, [np.array([0, 1, 1]), np.array([0, 0, 1])])
    scores = TaggingInContext(2).scores([np.eye(2)[[0, 1, 1]]] * 2, examples)
    assert (scores["accuracy"], scores["after 0"], scores["after 1"]) == (pytest.approx(500 / 6), 100.0, 50.0)


def test_only_steps_that_all_sequences_have_are_told():
    assert after([np.arange(3.0), np.arange(9.0)]) == {"after 0": 0.0, "after 1": 1.0, "after 2": 2.0}
