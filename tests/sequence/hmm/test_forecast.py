"""Forecasts are the densities of the chain moved on, and their score is the integral that defines it."""

import numpy as np
import pytest
import torch

from recurrent_rl.sequence.hmm import HMM, Categorical, Gaussian, GaussianMixture, forecast
from tests.sequence.hmm.chains import batch, built, sequences

SPECS = [
    HMM(states=3, emission=Gaussian(features=2)),
    HMM(states=3, emission=GaussianMixture(features=2, components=2)),
]


def made(spec, horizon=5):
    model = built(spec)
    inputs, lengths = batch(sequences(spec, [6, 2, 4]))
    with torch.no_grad():
        return model, inputs, lengths, forecast(model, inputs, lengths, horizon)


@pytest.mark.parametrize("spec", SPECS, ids=repr)
def test_states_h_steps_ahead_are_those_of_the_matrix_power(spec):
    model, inputs, lengths, found = made(spec)
    last = model.filter(inputs, lengths).log_state[lengths - 1, torch.arange(3)].exp().detach()
    matrix = model.log_transition().exp().detach()
    for h in range(1, 6):
        states = found.log_weights[h - 1].exp().unflatten(-1, (3, -1)).sum(-1)
        torch.testing.assert_close(states, last @ torch.linalg.matrix_power(matrix, h))


@pytest.mark.parametrize("spec", SPECS, ids=repr)
def test_one_step_ahead_is_the_filters_own_density(spec):
    """The log-likelihood of one step more is that of the mixture."""
    model, inputs, lengths, found = made(spec)
    point = torch.tensor([0.3, -1.2], dtype=torch.float64)
    parts = torch.distributions.Normal(found.means, found.variances.sqrt()).log_prob(point).sum(-1)
    density = torch.logsumexp(found.log_weights[0] + parts, -1)
    longer = torch.cat([inputs, torch.zeros_like(inputs[:1])])
    longer[lengths, torch.arange(3)] = point
    with torch.no_grad():
        torch.testing.assert_close(density, model(longer, lengths + 1) - model(inputs, lengths))


@pytest.mark.parametrize("spec", SPECS, ids=repr)
def test_moments_and_score_are_those_of_a_large_sample(spec):
    *_, found = made(spec)
    torch.manual_seed(0)
    for h, b in ((0, 0), (4, 1)):
        pick = torch.multinomial(found.log_weights[h, b].exp(), 200_000, replacement=True)
        draws = torch.normal(found.means[pick], found.variances[pick].sqrt())
        torch.testing.assert_close(draws.mean(0), found.mean()[h, b], atol=0.03, rtol=0)
        torch.testing.assert_close(draws.var(0), found.variance()[h, b], rtol=0.03, atol=0)
        target = torch.tensor([0.5, -2.0], dtype=torch.float64)
        score = (draws - target).abs().mean(0) - 0.5 * (draws[:100_000] - draws[100_000:]).abs().mean(0)
        torch.testing.assert_close(found.crps(target.expand(5, 3, 2))[h, b], score, atol=0.03, rtol=0)


def test_score_is_the_integral_of_the_squared_difference_of_distributions():
    *_, found = made(SPECS[0])
    grid = torch.linspace(-40, 40, 40_001, dtype=torch.float64)
    normal = torch.distributions.Normal(found.means[:, :1], found.variances[:, :1].sqrt())
    below = found.log_weights[2, 1].exp() @ normal.cdf(grid)
    wanted = torch.trapezoid((below - (grid >= 1.5).double()).square(), grid)
    score = found.crps(torch.full((5, 3, 2), 1.5, dtype=torch.float64))[2, 1, 0]
    np.testing.assert_allclose(score.detach(), wanted.detach(), atol=2e-3)


def test_far_ahead_nothing_is_left_of_the_inputs():
    *_, found = made(SPECS[0], horizon=400)
    torch.testing.assert_close(found.mean()[-1], found.mean()[-1, :1].expand(3, 2))


def test_what_cannot_be_forecast_is_one_clear_error():
    model, inputs, lengths, _ = made(SPECS[0])
    with pytest.raises(ValueError, match="horizon must"):
        forecast(model, inputs, lengths, 0)
    with pytest.raises(ValueError, match="levels must"):
        made(SPECS[0])[-1].quantiles((0.5, 1.0))
    symbols = built(HMM(emission=Categorical()))
    with pytest.raises(ValueError, match="Gaussian"):
        forecast(symbols, torch.zeros(2, 1, dtype=torch.int64), torch.tensor([2]), 1)


@pytest.mark.parametrize("spec", SPECS, ids=repr)
def test_quantiles_are_where_the_distribution_reaches_their_levels(spec):
    *_, found = made(spec)
    levels = (1e-6, 0.1, 0.5, 0.9)
    quantiles = found.quantiles(levels)
    assert quantiles.shape == (5, 3, 2, 4)
    for q, level in enumerate(levels):
        reached = found.cdf(quantiles[..., q])
        torch.testing.assert_close(reached, torch.full_like(reached, level), atol=1e-10, rtol=1e-6)


def test_quantiles_of_one_normal_density_are_its_own():
    spec = HMM(states=1, emission=Gaussian(features=2))
    model, _, _, found = made(spec)
    normal = torch.distributions.Normal(model.emission.mean[0], model.emission.variance[0].sqrt())
    wanted = torch.stack([normal.icdf(torch.tensor(level)) for level in (0.05, 0.5)], -1)
    torch.testing.assert_close(found.quantiles((0.05, 0.5)), wanted.expand(5, 3, 2, 2))
