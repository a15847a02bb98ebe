"""Independently recurrent units are the paper's equation, under its bound for any parameter."""

import pytest
import torch

from recurrent_rl.memory.indrnn import IndRNN
from recurrent_rl.testing import check_memory

SPECS = [IndRNN(hidden_size=5), IndRNN(hidden_size=5, horizon=4), IndRNN(hidden_size=5, gamma=1.0)]


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=str)
@pytest.mark.parametrize("spec", SPECS, ids=repr)
def test_memory_keeps_the_contract(spec, dtype):
    check_memory(spec, dtype=dtype)


def by_the_paper(memory, inputs, entry, starts):
    bound = memory.spec.gamma ** (1 / memory.spec.horizon)
    u, h, outputs = bound * torch.tanh(memory.recurrence), entry, []
    for x, start in zip(inputs, starts, strict=True):
        before = torch.where(start.unsqueeze(-1), torch.zeros_like(h), h)
        h = torch.relu(x @ memory.projection.weight.T + memory.projection.bias + u * before)
        outputs.append(h)
    return torch.stack(outputs)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=str)
@pytest.mark.parametrize("density", [0.0, 0.2], ids=["one episode", "with starts"])
@pytest.mark.parametrize("spec", SPECS, ids=repr)
def test_outputs_and_gradients_are_those_of_the_papers_equation(spec, density, dtype):
    torch.manual_seed(0)
    memory = spec.build(3).to(dtype)
    inputs, starts = torch.randn(40, 4, 3, dtype=dtype), torch.rand(40, 4) < density
    entry = torch.rand(4, 5, dtype=dtype).requires_grad_()
    found = memory(inputs, (entry,), starts)[0]
    expected = by_the_paper(memory, inputs, entry, starts)
    sources, weights = [*memory.parameters(), entry], torch.randn_like(found)
    gradients = [torch.autograd.grad((outputs * weights).sum(), sources) for outputs in (found, expected)]
    tolerance = 1e-10 if dtype == torch.float64 else 1e-5
    for one, other in zip((found, *gradients[0]), (expected, *gradients[1]), strict=True):
        assert (one - other).abs().max() <= tolerance * max(1.0, other.abs().max().item())


def test_recurrent_weights_begin_evenly_between_zero_and_the_bound():
    torch.manual_seed(0)
    memory = IndRNN(hidden_size=10000, horizon=10).build(1)
    bound = 2 ** (1 / 10)
    places = torch.tensor([0.1, 0.5, 0.9])
    torch.testing.assert_close(memory.weight.detach().quantile(places), places * bound, atol=0.02, rtol=0)
    assert memory.weight.min() >= 0
    assert memory.weight.max() <= bound


@pytest.mark.parametrize("value", [-1e9, -3.0, 3.0, 1e9])
def test_what_a_unit_holds_grows_by_gamma_over_the_horizon_at_most(value):
    memory = IndRNN(hidden_size=4, horizon=2000, gamma=3.0).build(1)
    with torch.no_grad():
        memory.recurrence.fill_(value)
        memory.projection.bias.zero_()
    inputs, starts = torch.zeros(2000, 1, 1), torch.zeros(2000, 1, dtype=torch.bool)
    outputs = memory(inputs, (torch.ones(1, 4),), starts)[0]
    assert outputs.max() <= 3.0 * 1.001
    if value == 1e9:
        torch.testing.assert_close(outputs[-1], torch.full((1, 4), 3.0), rtol=1e-3, atol=0)


def test_a_unit_of_weight_one_counts():
    memory = IndRNN(hidden_size=1, gamma=1.0).build(1)
    with torch.no_grad():
        memory.recurrence.fill_(1e3)
        memory.projection.weight.fill_(1.0)
        memory.projection.bias.zero_()
    marks, starts = (torch.rand(2000, 2, 1) < 0.5).float(), torch.zeros(2000, 2, dtype=torch.bool)
    assert torch.equal(memory(marks, memory.initial_state(2), starts)[0], marks.cumsum(0))


@pytest.mark.parametrize(
    ("fields", "name"), [({"hidden_size": 0}, "hidden_size"), ({"horizon": 0}, "horizon"), ({"gamma": 0.5}, "gamma")]
)
def test_bad_fields_are_refused_by_name(fields, name):
    with pytest.raises(ValueError, match=f"{name} must"):
        IndRNN(**fields)
