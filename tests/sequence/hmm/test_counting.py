"""Counting gives the shares of labels, and the model that no other set of parameters beats on labelled data."""

import numpy as np
import pytest
import torch

from recurrent_rl.sequence.hmm import (
    HMM,
    Categorical,
    Gaussian,
    GaussianMixture,
    LeftRight,
    fit_counts,
    log_likelihoods,
    paths,
)
from tests.sequence.hmm.chains import EMISSIONS, sampled, sequences

LABELS = [np.array([0, 0, 1, 0]), np.array([2]), np.array([0, 2, 2])]
SYMBOLS = [np.array([3, 1, 0, 3]), np.array([2]), np.array([1, 2, 0])]


def test_shares_are_those_of_the_labels():
    model = fit_counts(HMM(states=3, emission=Categorical(symbols=4, pseudo_count=0.0)), SYMBOLS, LABELS)
    np.testing.assert_allclose(model.log_start().exp().detach(), [2 / 3, 0, 1 / 3])
    np.testing.assert_allclose(model.log_transition().exp().detach()[[0, 1, 2]], [[1 / 3] * 3, [1, 0, 0], [0, 0, 1]])
    wanted = [[0, 0.5, 0, 0.5], [1, 0, 0, 0], [1 / 3, 0, 2 / 3, 0]]
    np.testing.assert_allclose(model.emission.log_probabilities().exp().detach(), wanted)


def test_smoothing_adds_its_counts():
    spec = HMM(states=3, emission=Categorical(symbols=4, pseudo_count=1.0), pseudo_count=2.0)
    model = fit_counts(spec, SYMBOLS, LABELS)
    np.testing.assert_allclose(model.log_start().exp().detach(), np.array([4, 2, 3]) / 9)
    np.testing.assert_allclose(model.log_transition().exp().detach()[1], np.array([3, 2, 2]) / 7)
    np.testing.assert_allclose(model.emission.log_probabilities().exp().detach()[1], np.array([2, 1, 1, 1]) / 5)


def test_gaussian_states_have_the_moments_of_their_inputs():
    rng = np.random.default_rng(0)
    inputs = [rng.normal(size=(len(row), 2)).astype(np.float32) for row in LABELS * 5]
    model = fit_counts(HMM(states=3, emission=Gaussian(features=2, variance_floor=1e-12)), inputs, LABELS * 5)
    flat, labels = np.concatenate(inputs).astype(np.float64), np.concatenate(LABELS * 5)
    for state in range(3):
        np.testing.assert_allclose(model.emission.mean[state].detach(), flat[labels == state].mean(0))
        np.testing.assert_allclose(model.emission.variance[state].detach(), flat[labels == state].var(0))


@pytest.mark.parametrize("emission", EMISSIONS, ids=repr)
def test_states_without_labels_are_even_and_nothing_is_left_to_chance(emission):
    spec, found = HMM(states=4, emission=emission), []
    inputs = sequences(spec, [9, 5])
    labels = [np.array([0, 0, 1, 0, 1, 0, 1, 0, 2]), np.array([1, 0, 0, 1, 2])]  # 2 comes last alone, 3 never
    for seed in (0, 1):
        torch.manual_seed(seed)
        wanted = torch.rand(1)
        torch.manual_seed(seed)
        found.append(fit_counts(spec, inputs, labels))
        assert torch.rand(1) == wanted
    np.testing.assert_allclose(found[0].log_transition().exp().detach()[2:], np.full((2, 4), 0.25))
    for name, value in found[0].state_dict().items():
        assert torch.equal(value, found[1].state_dict()[name])


def test_a_gaussian_state_without_labels_has_the_moments_of_all_inputs():
    inputs = [np.array([[0.0], [1.0], [2.0], [9.0]])]
    model = fit_counts(HMM(states=3, emission=Gaussian()), inputs, [np.array([0, 0, 1, 1])])
    np.testing.assert_allclose(model.emission.mean[2].detach(), inputs[0].mean(0))
    np.testing.assert_allclose(model.emission.variance[2].detach(), inputs[0].var(0))


def labelled(model, inputs, labels):
    """log p(x, z) plus the prior."""
    total = model.log_prior()
    for row, states in zip(inputs, (torch.from_numpy(row) for row in labels), strict=True):
        emission = model.emission.log_prob(torch.from_numpy(row))
        total = total + model.log_start()[states[0]] + model.log_transition()[states[:-1], states[1:]].sum()
        total = total + emission[torch.arange(len(states)), states].sum()
    return total


@pytest.mark.parametrize("emission", EMISSIONS, ids=repr)
def test_no_small_change_makes_labelled_data_likelier(emission):
    spec = HMM(states=3, emission=emission, pseudo_count=0.5)
    inputs = sequences(spec, [30, 25, 40])
    labels = [np.random.default_rng(0).integers(0, 3, size=len(row)) for row in inputs]
    passes = 300 if isinstance(emission, GaussianMixture) else 1
    model = fit_counts(spec, inputs, labels, passes)
    gradients = torch.autograd.grad(labelled(model, inputs, labels), list(model.parameters()))
    assert max(float(gradient.abs().max()) for gradient in gradients) < (0.05 if passes > 1 else 1e-9)


def test_counts_do_not_depend_on_how_the_data_is_cut(monkeypatch):
    spec = HMM(states=3, emission=Categorical(symbols=4))
    inputs = sequences(spec, [30, 25])
    labels = [np.random.default_rng(0).integers(0, 3, size=len(row)) for row in inputs]
    wanted = log_likelihoods(fit_counts(spec, inputs, labels), inputs)
    monkeypatch.setattr("recurrent_rl.sequence.hmm.counting._STEPS", 7)
    np.testing.assert_allclose(log_likelihoods(fit_counts(spec, inputs, labels), inputs), wanted)


def test_tags_of_a_known_chain_are_found_as_well_as_with_its_own_numbers():
    rng = np.random.default_rng(2)
    transition = rng.dirichlet(np.full(5, 0.4), size=5)
    words = rng.dirichlet(np.full(30, 0.2), size=5)
    emit = lambda z, rng: np.array([rng.choice(30, p=words[k]) for k in z])  # noqa: E731
    start = np.full(5, 0.2)
    inputs, labels = sampled(start, transition, emit, [20] * 200, rng)
    spec = HMM(states=5, emission=Categorical(symbols=30, pseudo_count=0.1), pseudo_count=0.1)
    counted = fit_counts(spec, inputs[:150], labels[:150])
    true = spec.build()
    with torch.no_grad():
        true.start_logits.copy_(torch.from_numpy(np.log(start)))
        true.transition_logits.copy_(torch.from_numpy(np.log(transition)))
        true.emission.logits.copy_(torch.from_numpy(np.log(np.maximum(words, 1e-300))))
    wanted = np.concatenate(labels[150:])
    accuracy = [np.mean(np.concatenate(paths(model, inputs[150:])) == wanted) for model in (counted, true)]
    assert 0.5 < accuracy[1] < 0.99  # else the task shows nothing
    assert accuracy[0] > accuracy[1] - 0.02


@pytest.mark.parametrize(
    ("labels", "topology", "message"),
    [
        (LABELS[:2], None, "labels for 2"),
        ([LABELS[0][:2], *LABELS[1:]], None, "4 steps but 2 labels"),
        ([LABELS[0] + 1, LABELS[1] + 1, LABELS[2]], None, "from 0 to 2"),
        ([LABELS[0] - 1, *LABELS[1:]], None, "from 0 to 2"),
        (LABELS, LeftRight(), "does not allow"),
    ],
)
def test_labels_that_do_not_fit_are_one_clear_error(labels, topology, message):
    spec = HMM(states=3, emission=Categorical(symbols=4))
    if topology is not None:
        spec = HMM(states=3, emission=Categorical(symbols=4), topology=topology)
    with pytest.raises(ValueError, match=message):
        fit_counts(spec, SYMBOLS, labels)
