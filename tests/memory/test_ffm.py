"""FFM: the memory is its paper's equations, its traces fade and turn as stated, and nothing overflows."""

import math

import pytest
import torch
from torch.nn.functional import layer_norm

from recurrent_rl.memory.ffm import FFM
from recurrent_rl.testing import check_memory

SPECS = [
    FFM(hidden_size=5, memory_size=3, context_size=2),
    FFM(hidden_size=4, memory_size=1, context_size=1, max_period=8),
]


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=str)
@pytest.mark.parametrize("spec", SPECS, ids=repr)
def test_it_keeps_the_contract(spec, dtype):
    check_memory(spec, dtype=dtype)


def by_the_paper(memory, inputs, starts):
    """Return outputs [T, H] of one column, and the traces after them, step by step."""
    alpha, omega = memory.log_alpha.exp(), memory.omega
    decays = torch.exp(-torch.complex(alpha[:, None].expand(-1, len(omega)), omega.expand(len(alpha), -1)))
    traces, outputs = torch.zeros_like(decays), []
    for x, start in zip(inputs, starts, strict=True):
        value, admit, emit, around = memory.project(x).split(memory.sizes)
        traces = torch.zeros_like(traces) if start else traces
        traces = decays * traces + (value * admit.sigmoid())[:, None]
        mixed = memory.mix(torch.view_as_real(traces).flatten())
        gate = emit.sigmoid()
        outputs.append(layer_norm(mixed, mixed.shape) * gate + around * (1 - gate))
    return torch.stack(outputs), traces


@pytest.mark.parametrize("density", [0.0, 0.3])
@pytest.mark.parametrize("spec", SPECS, ids=repr)
def test_outputs_state_and_gradients_are_those_of_the_papers_equations(spec, density):
    torch.manual_seed(0)
    memory, inputs, starts = spec.build(2).double(), torch.randn(20, 3, 2).double(), torch.rand(20, 3) < density
    outputs, (state,) = memory(inputs, memory.initial_state(3), starts)
    columns = [by_the_paper(memory, inputs[:, b], starts[:, b].tolist()) for b in range(3)]
    expected = torch.stack([column[0] for column in columns], dim=1)
    torch.testing.assert_close(outputs, expected, atol=1e-10, rtol=0)
    expected_state = torch.view_as_real(torch.stack([column[1] for column in columns]))
    torch.testing.assert_close(state, expected_state, atol=1e-10, rtol=0)
    seed = torch.randn_like(outputs)
    parameters = list(memory.parameters())
    found, wanted = (torch.autograd.grad((x * seed).sum(), parameters) for x in (outputs, expected))
    torch.testing.assert_close(found, wanted, atol=1e-10, rtol=1e-10)


def test_rates_and_periods_begin_in_their_fixed_ranges():
    memory = FFM(max_period=1024.0).build(2)
    alpha, periods = memory.log_alpha.exp(), 2 * math.pi / memory.omega
    assert alpha.min().item() == pytest.approx(-math.log(0.01) / 1024, rel=1e-4)
    assert alpha.max().item() == pytest.approx(0.6731, abs=1e-3)
    torch.testing.assert_close(alpha.diff(), alpha.diff().mean().expand(31), rtol=1e-3, atol=1e-6)
    torch.testing.assert_close(periods, torch.tensor([1.0, 342.0, 683.0, 1024.0]))


def test_an_impulse_fades_and_turns_at_the_stated_rates():
    """With a shut-in impulse v = 1 at step 0, S[t] = exp(-(alpha + i omega) t)."""
    memory = FFM(hidden_size=2, memory_size=3, context_size=2, max_period=16.0).build(1).double()
    values = torch.zeros(40, 1, 3).double()
    values[0] = 1.0
    traces = memory._traces(values, memory.initial_state(1)[0], torch.zeros(40, 1, dtype=torch.bool))[:, 0]
    age = torch.arange(40).double()[:, None, None]
    size, angle = torch.exp(-memory.log_alpha.exp()[:, None] * age), -memory.omega * age
    torch.testing.assert_close(traces, torch.stack([size * angle.cos(), size * angle.sin()], -1), atol=1e-12, rtol=0)


@pytest.mark.parametrize("shift", [-20.0, 0.0, 5.0])
def test_nothing_overflows_over_2000_steps_in_float32_for_any_decay(shift):
    memory = FFM(hidden_size=4).build(2)
    inputs = torch.randn(2000, 2, 2).requires_grad_()
    with torch.no_grad():
        memory.log_alpha.add_(shift)
    outputs, (state,) = memory(inputs, memory.initial_state(2), torch.zeros(2000, 2, dtype=torch.bool))
    outputs.sum().backward()
    assert torch.isfinite(outputs).all()
    assert state.norm(dim=-1).max() <= 1.001 * memory.project(inputs)[..., :32].abs().sum(0).max()  # all of it kept
    assert all(torch.isfinite(p.grad).all() for p in memory.parameters())


def test_under_autocast_the_state_stays_float32():
    memory, inputs = FFM(hidden_size=8).build(3), torch.randn(6, 2, 3)
    with torch.autocast("cpu", dtype=torch.bfloat16), torch.no_grad():
        for steps in (1, 6):
            leaving = memory(inputs[:steps], memory.initial_state(2), torch.zeros(steps, 2, dtype=torch.bool))[1]
            assert leaving[0].dtype == torch.float32


@pytest.mark.parametrize(
    ("field", "value"),
    [("hidden_size", 0), ("memory_size", 0), ("context_size", 2.0), ("min_period", 0), ("max_period", 0.5)],
)
def test_a_bad_field_is_named(field, value):
    with pytest.raises(ValueError, match=f": {field} must be"):
        FFM(**{field: value})
