"""Log-densities step by step sum to the log-likelihood, in whole or in pieces, and padding is not among them."""

import numpy as np
import pytest
import torch

from recurrent_rl.sequence.batch import Batch, Examples
from recurrent_rl.sequence.hmm import HMM, Density, HMMDensityModel, log_likelihoods
from tests.sequence.hmm.chains import EMISSIONS, SPECS, batch, built, sequences

LENGTHS = [6, 1, 4]


@pytest.mark.parametrize("spec", SPECS, ids=repr)
def test_losses_of_a_batch_sum_to_the_negative_log_likelihood(spec):
    model, inputs = HMMDensityModel(built(spec)), sequences(spec, LENGTHS)
    prepared = Density().batch(Examples(inputs), range(3))
    losses = Density().losses(model(prepared.inputs, prepared.lengths)[0], prepared)
    assert len(losses) == sum(LENGTHS)
    np.testing.assert_allclose(losses.sum().item(), -log_likelihoods(model.hmm, inputs).sum(), rtol=1e-12)


@pytest.mark.parametrize("emission", EMISSIONS, ids=repr)
def test_streams_in_pieces_give_the_same_densities(emission):
    model = HMMDensityModel(built(spec := HMM(states=3, emission=emission)))
    inputs, lengths = batch(sequences(spec, [9, 9]))
    whole, leaving = model(inputs, lengths)
    state, pieces = None, []
    for part in inputs.split([4, 1, 4]):
        found, state = model(part, torch.full((2,), len(part)), state)
        pieces.append(found)
    torch.testing.assert_close(torch.cat(pieces), whole)
    torch.testing.assert_close(state, leaving)


def test_scores_are_nats_per_step():
    inputs = [np.zeros(3, dtype=np.int64), np.zeros(1, dtype=np.int64)]
    predicted = [np.array([[-1.0], [-2.0], [-3.0]]), np.array([[-6.0]])]
    assert Density().scores(predicted, Examples(inputs)) == {"nats": 3.0}


@pytest.mark.parametrize("filler", [0.0, 1e30, torch.nan])
def test_what_stands_after_an_end_changes_neither_losses_nor_gradients(filler):
    spec = HMM(states=3, emission=EMISSIONS[1])
    model, (inputs, lengths), found = HMMDensityModel(built(spec)), batch(sequences(spec, LENGTHS)), []
    outside = (torch.arange(6).unsqueeze(1) >= lengths).unsqueeze(-1)
    for padded in (inputs, inputs.masked_fill(outside, filler)):
        losses = Density().losses(model(padded, lengths)[0], Batch(padded, lengths))
        found.append([losses, *torch.autograd.grad(losses.square().sum(), list(model.parameters()))])
    torch.testing.assert_close(*found)
