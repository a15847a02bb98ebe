"""Cross-entropy of the language model's outputs is the chain's own likelihood, in whole or in pieces."""

import numpy as np
import pytest
import torch

from recurrent_rl.sequence.batch import Examples
from recurrent_rl.sequence.hmm import (
    EM,
    HMM,
    Gaussian,
    HMMLanguageModel,
    fit_em,
    language_spec,
    log_likelihoods,
)
from recurrent_rl.sequence.problems import NextStep
from tests.sequence.hmm.chains import batch, built, sampled, sequences

SPEC = language_spec(4, 6)


def losses(model, inputs):
    prepared = NextStep(6).batch(Examples(inputs), range(len(inputs)))
    outputs, _ = model(prepared.inputs, prepared.lengths)
    return NextStep(6).losses(outputs, prepared)


def test_cross_entropy_is_the_chains_likelihood_given_the_first_symbols():
    model, inputs = HMMLanguageModel(built(SPEC)), sequences(SPEC, [9, 2, 5, 14])
    wanted = log_likelihoods(model.hmm, inputs) - log_likelihoods(model.hmm, [row[:1] for row in inputs])
    np.testing.assert_allclose(float(losses(model, inputs).sum().detach()), -wanted.sum(), rtol=1e-12)


def test_outputs_are_probabilities():
    outputs, _ = HMMLanguageModel(built(SPEC))(*batch(sequences(SPEC, [7, 3])))
    torch.testing.assert_close(outputs.exp().sum(-1), torch.ones(7, 2, dtype=torch.float64))


def test_streams_in_pieces_give_the_same_outputs():
    model = HMMLanguageModel(built(SPEC))
    inputs, _ = batch(sequences(SPEC, [12, 12, 12]))
    whole, _ = model(inputs, torch.full((3,), 12))
    state, pieces = None, []
    for part in inputs.split([5, 1, 6]):
        outputs, state = model(part, torch.full((3,), len(part)), state)
        pieces.append(outputs)
    torch.testing.assert_close(torch.cat(pieces), whole)


@pytest.mark.parametrize("step", [0, 3, 6])
def test_outputs_do_not_look_ahead(step):
    model = HMMLanguageModel(built(SPEC))
    inputs, lengths = batch(sequences(SPEC, [8, 8]))
    changed = inputs.clone()
    changed[step + 1 :] = (changed[step + 1 :] + 1) % 6
    one, other = model(inputs, lengths)[0], model(changed, lengths)[0]
    assert torch.equal(one[: step + 1], other[: step + 1])
    assert not torch.equal(one[step + 1 :], other[step + 1 :])


def test_padding_changes_neither_losses_nor_gradients():
    model, inputs = HMMLanguageModel(built(SPEC)), sequences(SPEC, [3, 5, 2])
    together = torch.autograd.grad(losses(model, inputs).sum(), list(model.parameters()))
    alone = [torch.autograd.grad(losses(model, [row]).sum(), list(model.parameters())) for row in inputs]
    for one, others in zip(together, zip(*alone, strict=True), strict=True):
        torch.testing.assert_close(one, torch.stack(others).sum(0), rtol=1e-10, atol=1e-12)


def test_gradient_training_reaches_what_em_reaches():
    rng = np.random.default_rng(0)
    transition = np.array([[0.9, 0.1], [0.2, 0.8]])
    words = np.array([[0.6, 0.3, 0.1, 0, 0, 0], [0, 0, 0.1, 0.2, 0.3, 0.4]])
    emit = lambda z, rng: np.array([rng.choice(6, p=words[k]) for k in z])  # noqa: E731
    inputs, _ = sampled(np.array([0.5, 0.5]), transition, emit, [40] * 20, rng)
    spec = language_spec(2, 6)
    wanted = fit_em(spec, inputs, EM(restarts=1, iterations=60)).objectives[-1] / 800
    model = HMMLanguageModel(built(spec))
    optimiser = torch.optim.Adam(model.parameters(), lr=0.1)
    padded, lengths = batch(inputs)
    for _ in range(60):
        optimiser.zero_grad()
        (loss := -model.hmm(padded, lengths).sum() / 800).backward()
        optimiser.step()
    assert float(loss.detach()) < -wanted + 0.02
    assert float(loss.detach()) < np.log(6) - 0.2


def test_only_symbols_have_a_language():
    with pytest.raises(ValueError, match="Categorical"):
        HMMLanguageModel(HMM(emission=Gaussian()).build())
