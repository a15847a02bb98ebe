"""Likelihoods, posteriors, paths and EM steps are hmmlearn's, on batches of unequal lengths."""

import numpy as np
import pytest
import torch

from recurrent_rl.sequence.hmm import (
    HMM,
    Bernoulli,
    Categorical,
    Ergodic,
    Gaussian,
    GaussianMixture,
    LeftRight,
    log_likelihoods,
    paths,
    posteriors,
)
from recurrent_rl.sequence.hmm.em import em_step
from tests.sequence.hmm.chains import built, sequences

theirs = pytest.importorskip("hmmlearn.hmm")

LENGTHS = [1, 40, 7, 25, 2]
STATES = 4
EMISSIONS = [
    Categorical(symbols=6, pseudo_count=0.0),
    Gaussian(features=3, variance_floor=1e-12),
    GaussianMixture(features=3, components=2, variance_floor=1e-12, pseudo_count=0.0),
    Bernoulli(features=3, pseudo_count=0.0),
]
TOPOLOGIES = [Ergodic(), LeftRight(), LeftRight(jump=2)]
SPECS = [HMM(states=STATES, emission=emission, topology=topology) for emission in EMISSIONS for topology in TOPOLOGIES]
BITS = torch.cartesian_prod(*[torch.tensor([0.0, 1.0])] * 3)  # [8, 3], row s holds the bits of the number s
FIT = {"implementation": "scaling", "n_iter": 1, "tol": 0.0, "init_params": ""}


def random_model(spec, seed):
    """A model of wide states, so that none is empty, with variances that are not all one."""
    model = built(spec, seed)
    with torch.no_grad():
        for name, parameter in model.emission.named_parameters():
            if "variance" in name:
                parameter.normal_(mean=1.0, std=0.5)
    return model


def numbers(tensor):
    return tensor.detach().numpy().copy()


def as_theirs(model):
    emission = model.emission
    if isinstance(model.spec.emission, Categorical):
        other = theirs.CategoricalHMM(STATES, n_features=model.spec.emission.symbols, **FIT)
        other.emissionprob_ = numbers(emission.log_probabilities().exp())
    elif isinstance(model.spec.emission, Bernoulli):
        other = theirs.CategoricalHMM(STATES, n_features=len(BITS), **FIT)
        other.emissionprob_ = numbers(emission.log_prob(BITS).exp().T)
    elif isinstance(model.spec.emission, Gaussian):
        other = theirs.GaussianHMM(STATES, covariance_type="diag", covars_prior=0.0, covars_weight=0.0, **FIT)
        other.n_features, other.means_, other.covars_ = 3, numbers(emission.mean), numbers(emission.variance)
    else:
        other = theirs.GMMHMM(STATES, n_mix=2, covariance_type="diag", **FIT)
        other.n_features = 3
        weights, other.means_, other.covars_ = (numbers(part) for part in emission.components())
        other.weights_ = np.exp(weights)
        other.means_prior = other.means_weight = np.zeros((STATES, 2))
        other.means_prior = np.zeros((STATES, 2, 3))
        other.covars_prior, other.covars_weight = np.full((STATES, 2, 3), -1.5), np.zeros((STATES, 2, 3))
        other.weights_prior = np.ones((STATES, 2))
    other.startprob_, other.transmat_ = numbers(model.log_start().exp()), numbers(model.log_transition().exp())
    return other


def column(spec, row):
    """A sequence as they read it: bits are the symbol whose number they write."""
    if isinstance(spec.emission, Bernoulli):
        row = (row @ [4, 2, 1]).astype(int)
    return row.reshape(len(row), -1)


def log_joint(model, row, path):
    """log p(z, x)."""
    path, steps = torch.as_tensor(path), torch.arange(len(path))
    with torch.no_grad():
        emitted = model.emission.log_prob(torch.from_numpy(row))[steps, path].sum()
        return float(model.log_start()[path[0]] + model.log_transition()[path[:-1], path[1:]].sum() + emitted)


def name(spec):
    return f"{type(spec.emission).__name__}-{spec.topology}"


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("spec", SPECS, ids=name)
def test_likelihoods_posteriors_and_paths_are_theirs(spec, seed):
    model, inputs = random_model(spec, seed), sequences(spec, LENGTHS, seed)
    other = as_theirs(model)
    wanted = [other.score(column(spec, row)) for row in inputs]
    np.testing.assert_allclose(log_likelihoods(model, inputs, 2), wanted, rtol=0, atol=1e-8)
    for row, share, path in zip(inputs, posteriors(model, inputs), paths(model, inputs), strict=True):
        np.testing.assert_allclose(share, other.predict_proba(column(spec, row)), rtol=0, atol=1e-8)
        best = other.predict(column(spec, row))  # another path where two are equally likely
        np.testing.assert_allclose(log_joint(model, row, path), log_joint(model, row, best), rtol=0, atol=1e-8)


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("spec", SPECS, ids=name)
def test_one_em_step_is_theirs(spec, seed):
    model, inputs = random_model(spec, seed), sequences(spec, LENGTHS, seed)
    other, before = as_theirs(model), [numbers(p) for p in model.emission.parameters()]
    flat = np.concatenate([column(spec, row) for row in inputs])
    wanted = other.score(flat, LENGTHS)
    other.fit(flat, LENGTHS)
    np.testing.assert_allclose(em_step(model, inputs, batch_size=2), wanted, rtol=0, atol=1e-8)
    close = {"rtol": 1e-9, "atol": 1e-9}
    np.testing.assert_allclose(numbers(model.log_start().exp()), other.startprob_, **close)
    np.testing.assert_allclose(numbers(model.log_transition().exp()), other.transmat_, **close)
    if isinstance(spec.emission, Categorical):
        np.testing.assert_allclose(numbers(model.emission.log_probabilities().exp()), other.emissionprob_, **close)
        return
    if isinstance(spec.emission, Bernoulli):
        np.testing.assert_allclose(
            numbers(model.emission.logits.sigmoid()), other.emissionprob_ @ BITS.numpy(), **close
        )
        return
    weights, means, variances = (numbers(part) for part in model.emission.components())
    if isinstance(spec.emission, Gaussian):
        np.testing.assert_allclose(means[:, 0], other.means_, **close)
        np.testing.assert_allclose(variances[:, 0], [np.diag(c) for c in other.covars_], **close)
        return
    np.testing.assert_allclose(np.exp(weights), other.weights_, **close)
    np.testing.assert_allclose(means, other.means_, **close)
    # Theirs takes deviations from the means before the step, not after it.
    moved = means - before[1].reshape(means.shape)
    np.testing.assert_allclose(variances + moved**2, other.covars_, **close)
