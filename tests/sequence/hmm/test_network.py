"""The trainer of the networks fits hidden Markov models by gradient: the likelihood rises, in whole or in pieces."""

import numpy as np
import pytest
import torch

from recurrent_rl.sequence.batch import Batch, Examples
from recurrent_rl.sequence.hmm import (
    HMM,
    Categorical,
    Density,
    Gaussian,
    HMMClassifier,
    HMMDensityModel,
    HMMLanguageModel,
    HMMNetwork,
    LeftRight,
    classify,
    fit_classifier,
    initialise,
    language_spec,
    log_likelihoods,
)
from recurrent_rl.sequence.hmm.em import EM
from recurrent_rl.sequence.problems import Classification, NextStep
from recurrent_rl.sequence.training import TrainConfig, Trainer, predict
from tests.sequence.hmm.chains import EMISSIONS, built, sequences

SETTINGS = {"learning_rate": 0.1, "steps": 45, "evaluate_every": 15, "batch_size": 6, "device": "cpu"}


def fit(model, problem, train, validation, metric="nats", **settings):
    network = HMMNetwork(model)
    trainer = Trainer(network, problem, metric, metric != "nats", TrainConfig(**{**SETTINGS, **settings}))
    return network, trainer.fit(train, validation)


@pytest.mark.parametrize("horizon", [None, 5])
@pytest.mark.parametrize("emission", EMISSIONS, ids=repr)
def test_training_by_gradient_raises_the_likelihood(emission, horizon):
    spec = HMM(states=3, emission=emission)
    inputs = sequences(spec, [12, 7, 9, 12, 5, 8])
    hmm, steps = initialise(spec, inputs, seed=0), sum(map(len, inputs))
    before = log_likelihoods(hmm, inputs).sum()
    _, fitted = fit(HMMDensityModel(hmm), Density(), Examples(inputs), Examples(inputs), bptt_horizon=horizon)
    after = log_likelihoods(hmm, inputs).sum()
    assert after > before + 1
    np.testing.assert_allclose(fitted.score, -after / steps, rtol=1e-10)


@pytest.mark.parametrize("horizon", [None, 4])
def test_a_language_model_learns_to_predict_and_its_score_is_the_chains_likelihood(horizon):
    spec = language_spec(3, 4)
    rng = np.random.default_rng(0)
    inputs = [np.repeat(rng.permutation(4), 4)[: rng.integers(6, 14)] for _ in range(8)]  # symbols come in runs
    model, examples = HMMLanguageModel(initialise(spec, inputs, seed=0)), Examples(inputs)
    problem = NextStep(4)
    before = problem.scores(predict(HMMNetwork(model), problem, examples), examples)["nats"]
    _, fitted = fit(model, problem, examples, examples, bptt_horizon=horizon, steps=150)
    assert fitted.score < before - 0.05
    likelihood = log_likelihoods(model.hmm, inputs) - log_likelihoods(model.hmm, [row[:1] for row in inputs])
    np.testing.assert_allclose(fitted.score, -likelihood.sum() / sum(len(row) - 1 for row in inputs), rtol=1e-10)


def test_classes_that_were_fitted_by_em_give_labels_more_probability_when_trained_against_each_other():
    """Classes that differ in one feature of three: models of each class spend their states on the others."""
    rng = np.random.default_rng(0)
    labels = np.arange(40) % 2
    inputs = [np.cumsum(rng.normal(size=(8, 3)), 0).astype(np.float32) for _ in labels]
    for row, label in zip(inputs, labels, strict=True):
        row[:, 2] = 0.5 * label + rng.normal(size=8)
    examples = Examples(inputs, labels)
    spec = HMMClassifier(hmm=HMM(states=2, emission=Gaussian(features=3), topology=LeftRight()), durations=True)
    model = fit_classifier(spec, examples, EM(restarts=1, iterations=5))
    problem = Classification(2)
    before = problem.scores(list(classify(model, inputs)), examples)["nats"]
    network, fitted = fit(model, problem, examples, examples, batch_size=40)
    assert fitted.score < before - 0.05
    np.testing.assert_allclose(np.stack(predict(network, problem, examples)), classify(model, inputs), rtol=1e-6)


def test_parameters_are_the_models_own():
    hmm = built(HMM(emission=Categorical()))
    network = HMMNetwork(HMMDensityModel(hmm))
    assert {id(parameter) for parameter in network.parameters()} == {id(parameter) for parameter in hmm.parameters()}


def test_an_empty_sequence_is_one_clear_error():
    network = HMMNetwork(HMMDensityModel(built(HMM(emission=Categorical()))))
    with pytest.raises(ValueError, match="lengths must be from 1 to 3"):
        network(Batch(torch.zeros(3, 2, dtype=torch.int64), torch.tensor([3, 0])))
