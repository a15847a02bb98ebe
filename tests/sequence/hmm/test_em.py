"""EM never lowers its objective, keeps what is impossible impossible, and finds the chain that the data came from."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from recurrent_rl.sequence.batch import length_mask
from recurrent_rl.sequence.hmm import (
    EM,
    HMM,
    Bernoulli,
    Categorical,
    Gaussian,
    GaussianMixture,
    LeftRight,
    fit_em,
    improve,
    initialise,
    log_likelihoods,
)
from recurrent_rl.sequence.hmm.chain import smooth, transition_counts
from recurrent_rl.sequence.hmm.em import em_step
from tests.sequence.hmm.chains import EMISSIONS, SPECS, batch, built, sampled, sequences


def smoothed(spec, pseudo_count):
    emission = spec.emission
    if not isinstance(emission, Gaussian):
        emission = replace(emission, pseudo_count=pseudo_count)
    return replace(spec, emission=emission, pseudo_count=pseudo_count)


@settings(max_examples=30, deadline=None)
@given(
    spec=st.sampled_from(SPECS),
    pseudo_count=st.sampled_from([0.0, 0.01, 2.0]),
    floor=st.sampled_from([1e-6, 0.3]),
    seed=st.integers(0, 10_000),
    lengths=st.lists(st.integers(1, 12), min_size=1, max_size=4),
)
def test_no_step_lowers_the_objective(spec, pseudo_count, floor, seed, lengths):
    spec = smoothed(spec, pseudo_count)
    if isinstance(spec.emission, Gaussian | GaussianMixture):
        spec = replace(spec, emission=replace(spec.emission, variance_floor=floor))
    inputs = sequences(spec, lengths, seed)
    model = initialise(spec, inputs, seed)
    objectives = [em_step(model, inputs) for _ in range(8)]
    assert np.isfinite(objectives).all()
    assert (np.diff(objectives) >= -1e-9 * max(1.0, np.abs(objectives).max())).all()


@pytest.mark.parametrize("spec", SPECS, ids=repr)
def test_what_the_topology_forbids_stays_at_exactly_zero(spec):
    model = fit_em(smoothed(spec, 0.5), sequences(spec, [20, 9, 14]), EM(restarts=1, iterations=5)).model
    start, follow = spec.topology.allowed(3)
    assert (model.log_start().exp()[~start] == 0).all()
    assert (model.log_transition().exp()[~follow] == 0).all()
    torch.testing.assert_close(model.log_transition().exp().sum(-1), torch.ones(3, dtype=torch.float64))


@pytest.mark.parametrize("emission", EMISSIONS, ids=repr)
def test_a_step_does_not_depend_on_batches_or_on_the_order_of_sequences(emission):
    spec = HMM(states=3, emission=emission)
    inputs, results = sequences(spec, [9, 2, 14, 5]), []
    for rows, size in ((inputs, 256), (inputs[::-1], 1)):
        model = built(spec)
        em_step(model, rows, size)
        results.append(log_likelihoods(model, inputs))
    np.testing.assert_allclose(*results, rtol=1e-10)


@pytest.mark.parametrize("emission", [one for one in EMISSIONS if not isinstance(one, GaussianMixture)], ids=repr)
def test_a_step_goes_to_where_the_expected_log_likelihood_is_flat(emission):
    spec = smoothed(HMM(states=3, emission=emission), 0.5)
    inputs, lengths = batch(rows := sequences(spec, [30, 9]))
    model = initialise(spec, rows, seed=0)
    with torch.no_grad():
        parts = model.log_transition(), model.log_emission(inputs, lengths)
        posterior = smooth(model.log_start(), *parts, lengths)
        counts = transition_counts(posterior, *parts, lengths)
        weights = posterior.log_posterior.exp() * length_mask(lengths, 30).unsqueeze(-1)
    em_step(model, rows)
    expected = (weights * model.log_emission(inputs, lengths)).sum() + (counts * model.log_transition()).sum()
    expected = expected + (weights[0] * model.log_start()).sum() + model.log_prior()
    for gradient in torch.autograd.grad(expected, list(model.parameters())):
        assert gradient.abs().max() < 1e-10


def test_without_smoothing_unseen_symbols_get_nothing_and_gradients_stay_finite():
    spec = HMM(states=2, emission=Categorical(symbols=5, pseudo_count=0.0))
    inputs = [np.array([0, 1, 2, 1, 0]), np.array([1, 2])]
    model = fit_em(spec, inputs, EM(restarts=1)).model
    assert (model.emission.log_probabilities()[:, 3:] == -torch.inf).all()
    gradients = torch.autograd.grad(model(*batch(inputs)).sum(), list(model.parameters()))
    assert all(gradient.isfinite().all() for gradient in gradients)
    assert log_likelihoods(model, [np.array([0, 4])])[0] == -np.inf


def test_impossible_data_is_one_clear_error():
    spec = HMM(states=2, emission=Categorical(symbols=3, pseudo_count=0.0))
    model = fit_em(spec, [np.array([0, 1, 0])], EM(restarts=1)).model
    with pytest.raises(ValueError, match="pseudo_count above 0"):
        improve(model, [np.array([0, 2])])


def test_smoothing_adds_its_count_to_each_symbol_and_transition():
    """One state: the counts are known."""
    spec = HMM(states=1, emission=Categorical(symbols=3, pseudo_count=0.5))
    model = fit_em(spec, [np.array([0, 0, 1])], EM(restarts=1)).model
    torch.testing.assert_close(
        model.emission.log_probabilities().exp().detach(), torch.tensor([[2.5, 1.5, 0.5]], dtype=torch.float64) / 4.5
    )


def test_no_variance_falls_below_its_share_of_the_datas():
    inputs = [np.stack([np.repeat([0.0, 10.0, 0.0], 10), np.full(30, 7.0)], axis=-1)]  # two values, and one
    model = fit_em(HMM(states=2, emission=Gaussian(features=2, variance_floor=0.01)), inputs, EM(restarts=1)).model
    floor = [0.01 * inputs[0][:, 0].var(), 0.01]
    np.testing.assert_allclose(model.emission.variance.detach(), [floor, floor])
    np.testing.assert_allclose(model.emission.mean.detach().sort(0).values, [[0.0, 7.0], [10.0, 7.0]], atol=1e-6)


@pytest.mark.parametrize("value", [0.1, 3.3, 1e6 / 7])
def test_a_feature_that_never_changes_gets_the_floor_of_one_though_its_variance_is_rounded(value):
    fitted = fit_em(HMM(states=1, emission=Gaussian(variance_floor=0.01)), [np.full((1000, 1), value)], EM(restarts=1))
    np.testing.assert_allclose(fitted.model.emission.variance.detach(), [[0.01]])


def test_bits_that_never_change_keep_a_finite_likelihood_without_smoothing():
    inputs = [np.tile([1.0, 0.0], (6, 1))]
    fitted = fit_em(HMM(states=2, emission=Bernoulli(features=2, pseudo_count=0.0)), inputs, EM(restarts=1))
    assert -1e-6 < fitted.objectives[-1] <= 0


def test_the_best_restart_is_kept_by_likelihood_or_by_validation():
    spec = HMM(states=4, emission=Categorical(symbols=4, pseudo_count=0.0))
    train, other = sequences(spec, [25, 12], 0), sequences(spec, [300], 1)
    how, steps = EM(restarts=4, iterations=15), 37
    fitted = fit_em(spec, train, how)
    assert fitted.scores.index(max(fitted.scores)) > 0  # else the test shows nothing
    assert len(set(fitted.scores)) == 4
    np.testing.assert_allclose(max(fitted.scores), log_likelihoods(fitted.model, train).sum() / steps)
    np.testing.assert_allclose(fitted.objectives[-1], max(fitted.scores) * steps)
    chosen = fit_em(spec, train, how, other)
    np.testing.assert_allclose(max(chosen.scores), log_likelihoods(chosen.model, other).sum() / 300)
    assert chosen.objectives[-1] < fitted.objectives[-1]


def test_iterations_stop_when_little_is_gained():
    spec = HMM(states=2, emission=Categorical(symbols=4))
    inputs = sequences(spec, [50])
    assert len(fit_em(spec, inputs, EM(restarts=1, iterations=200, tolerance=0.1)).objectives) < 6
    assert len(fit_em(spec, inputs, EM(restarts=1, iterations=7, tolerance=0.0)).objectives) == 8


def test_the_chain_that_made_the_data_is_found():
    rng = np.random.default_rng(0)
    start, transition = np.array([0.5, 0.5]), np.array([[0.95, 0.05], [0.1, 0.9]])
    means = np.array([[0.0, 1.0], [3.0, -1.0]])
    inputs, _ = sampled(start, transition, lambda z, rng: means[z] + rng.normal(size=(len(z), 2)), [100] * 30, rng)
    model = fit_em(HMM(states=2, emission=Gaussian(features=2)), inputs, EM(restarts=2, tolerance=1e-3)).model
    order = model.emission.mean[:, 0].argsort()
    np.testing.assert_allclose(model.emission.mean[order].detach(), means, atol=0.1)
    np.testing.assert_allclose(model.emission.variance[order].detach(), np.ones((2, 2)), atol=0.1)
    np.testing.assert_allclose(model.log_transition().exp()[order][:, order].detach(), transition, atol=0.02)


def test_left_right_finds_the_segments_of_sequences():
    rng = np.random.default_rng(1)
    labels = [np.repeat(np.arange(3), rng.integers(3, 8, size=3)) for _ in range(20)]
    centres = np.array([[0.0], [4.0], [0.5]])
    inputs = [centres[row] + 0.5 * rng.normal(size=(len(row), 1)) for row in labels]
    spec = HMM(states=3, emission=Gaussian(features=1), topology=LeftRight())
    model = fit_em(spec, inputs, EM(restarts=2)).model
    found = model.decode(*batch(inputs))[0].T
    wrong = sum(int((path[: len(row)].numpy() != row).sum()) for path, row in zip(found, labels, strict=True))
    assert wrong <= 0.02 * sum(len(row) for row in labels)


@pytest.mark.parametrize("field", ["restarts", "iterations", "batch_size"])
def test_bad_settings_are_refused_by_name(field):
    with pytest.raises(ValueError, match=f"{field} must"):
        EM(**{field: 0})
