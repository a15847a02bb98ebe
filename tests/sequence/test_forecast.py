"""Forecasts: the loss finds quantiles, quantiles never cross, scores are in the units of the values."""

import numpy as np
import pytest
import torch

from recurrent_rl.sequence.batch import Batch, Examples
from recurrent_rl.sequence.forecast import NINE_TENTHS, Forecast


def example(targets):
    return Examples(
        [np.zeros((4, 2), dtype=np.float32)] * len(targets), [np.array(t, dtype=np.float32) for t in targets]
    )


def by_hand(levels, wanted, found):
    return [q * (wanted - f) if wanted >= f else (1 - q) * (f - wanted) for q, f in zip(levels, found, strict=True)]


def test_the_loss_is_the_pinball_of_each_quantile():
    problem = Forecast(horizon=2, levels=(0.1, 0.5, 0.8))
    predicted = torch.tensor([[0.0, 1.0, 2.0, -1.0, 3.0, 4.0]])
    batch = problem.batch(example([[1.5, 5.0]]), [0])
    wanted = [*by_hand(problem.levels, 1.5, (0.0, 1.0, 2.0)), *by_hand(problem.levels, 5.0, (-1.0, 3.0, 4.0))]
    assert problem.losses(predicted, batch).tolist() == pytest.approx([np.mean(wanted)])


def test_the_loss_is_least_at_the_quantiles_of_the_values():
    torch.manual_seed(0)
    values = torch.randn(999, 1, dtype=torch.float64)
    problem, batch = Forecast(horizon=1), Batch(torch.zeros(1, 999, 1), torch.ones(999).long(), values)
    head = torch.zeros(1, 9, dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.Adam([head], lr=0.05)
    for step in range(150):
        optimiser.param_groups[0]["lr"] = 0.05 * (1 - step / 150)
        optimiser.zero_grad()
        problem.losses(head.expand(999, -1), batch).mean().backward()
        optimiser.step()
    torch.testing.assert_close(
        problem.quantiles(head)[0, 0],
        torch.quantile(values[:, 0], torch.tensor(NINE_TENTHS).double()),
        atol=0.03,
        rtol=0,
    )


def test_quantiles_never_cross_whatever_the_head_gives():
    torch.manual_seed(0)
    quantiles = Forecast(horizon=5).quantiles(torch.randn(7, 45))
    assert quantiles.shape == (7, 5, 9)
    assert (quantiles.diff(dim=-1) >= 0).all()


def test_sorting_never_costs():
    torch.manual_seed(0)
    problem, head, wanted = Forecast(horizon=3), torch.randn(50, 27), torch.randn(50, 3)
    unsorted = problem.pinball(head.unflatten(-1, (3, 9)), wanted).mean(-1)
    assert (problem.pinball(problem.quantiles(head), wanted).mean(-1) <= unsorted + 1e-6).all()


def test_scores_are_in_the_units_of_the_values():
    problem = Forecast(horizon=2, levels=(0.5,), offset=100.0, scale=10.0, naive_error=4.0)
    found = problem.scores([np.array([1.0, 2.0]), np.array([0.0, -1.0])], example([[0.0, 2.0], [0.5, -2.0]]))
    errors, values = np.array([10.0, 0.0, 5.0, 10.0]), np.array([100.0, 120.0, 105.0, 80.0])
    assert found["mape"] == pytest.approx(100 * np.mean(errors / values))
    assert found["mase"] == pytest.approx(errors.mean() / 4.0)
    assert found["crps"] == pytest.approx(errors.mean())  # one level, the median: the absolute error


def test_the_score_crps_is_twice_the_loss_in_the_units_of_the_values():
    torch.manual_seed(0)
    problem, examples = (
        Forecast(horizon=3, scale=7.0, offset=50.0),
        example(np.random.default_rng(0).normal(size=(6, 3))),
    )
    predicted = torch.randn(6, 27)
    loss = problem.losses(predicted, problem.batch(examples, range(6))).mean()
    assert problem.scores(list(predicted.numpy()), examples)["crps"] == pytest.approx(2 * 7.0 * float(loss), rel=1e-5)


def test_crps_of_many_quantiles_is_that_of_the_normal_distribution():
    levels = tuple(np.arange(1, 400) / 400)
    normal = torch.distributions.Normal(0.0, 1.0)
    quantiles = normal.icdf(torch.tensor(levels, dtype=torch.float64))
    found = Forecast(horizon=1, levels=levels).scores([quantiles.numpy()], example([[0.7]]))["crps"]
    y = torch.tensor(0.7)
    closed = y * (2 * normal.cdf(y) - 1) + 2 * torch.exp(normal.log_prob(y)) - torch.pi**-0.5
    assert found == pytest.approx(float(closed), abs=2e-3)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"horizon": 0}, "horizon"),
        ({"levels": (0.2, 0.8)}, "levels"),
        ({"levels": (0.5, 0.4)}, "levels"),
        ({"levels": (0.0, 0.5)}, "levels"),
        ({"scale": 0.0}, "scale"),
        ({"naive_error": -1.0}, "naive_error"),
    ],
)
def test_bad_fields_are_refused_by_name(fields, message):
    with pytest.raises(ValueError, match=f"{message}.* must"):
        Forecast(**{"horizon": 2, **fields})
