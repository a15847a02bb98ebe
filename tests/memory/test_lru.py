"""The linear recurrent unit is the paper's complex recurrence, with eigenvalues on the ring that the spec asks for."""

import math

import pytest
import torch

from recurrent_rl.memory.lru import LRU
from recurrent_rl.testing import check_memory

SPECS = [
    LRU(hidden_size=5),
    LRU(hidden_size=4, state_size=7, r_min=0.0, r_max=0.5),
    LRU(hidden_size=1),
    LRU(hidden_size=3),  # as wide as the inputs
    LRU(hidden_size=6, state_size=1, r_min=0.99, max_phase=0.3),
]


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=str)
@pytest.mark.parametrize("spec", [*SPECS, LRU()], ids=repr)
def test_memory_keeps_the_contract(spec, dtype):
    check_memory(spec, dtype=dtype)


def by_the_paper(memory, inputs, entry, starts):
    units = memory.spec.units
    eigenvalues = torch.exp(torch.complex(-memory.nu.exp(), memory.theta.exp()))
    b = torch.complex(*memory.B.view(units, 2, -1).unbind(1))  # [N, I]
    real, imaginary = memory.C.view(-1, units, 2).unbind(-1)
    c = torch.complex(real, -imaginary)  # [H, N]
    h, outputs = torch.view_as_complex(entry), []
    for x, start in zip(inputs, starts, strict=True):
        before = torch.where(start.unsqueeze(-1), torch.zeros_like(h), h)
        h = eigenvalues * before + memory.gamma.exp() * (x.to(b.dtype) @ b.T)
        outputs.append((h @ c.T).real + x @ (memory.D if memory.D.dim() > 1 else memory.D.diag()).T)
    return torch.stack(outputs)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=str)
@pytest.mark.parametrize("density", [0.0, 0.2], ids=["one episode", "with starts"])
@pytest.mark.parametrize("spec", SPECS, ids=repr)
def test_outputs_and_gradients_are_those_of_the_papers_equations(spec, density, dtype):
    torch.manual_seed(0)
    memory = spec.build(3).to(dtype)
    inputs, starts = torch.randn(40, 4, 3, dtype=dtype), torch.rand(40, 4) < density
    entry = torch.randn(4, spec.units, 2, dtype=dtype).requires_grad_()
    found = memory(inputs, (entry,), starts)[0]
    expected = by_the_paper(memory, inputs, entry, starts)
    sources, weights = [*memory.parameters(), entry], torch.randn_like(found)
    gradients = [torch.autograd.grad((outputs * weights).sum(), sources) for outputs in (found, expected)]
    tolerance = 1e-10 if dtype == torch.float64 else 2e-5
    for one, other in zip((found, *gradients[0]), (expected, *gradients[1]), strict=True):
        assert (one - other).abs().max() <= tolerance * max(1.0, other.abs().max().item())


def test_eigenvalues_lie_evenly_on_the_ring_at_first():
    torch.manual_seed(0)
    values = LRU(state_size=20000, r_min=0.4, r_max=0.8, max_phase=math.pi / 2).build(1).eigenvalues.detach()
    assert values.abs().min() >= 0.4 - 1e-6
    assert values.abs().max() <= 0.8 + 1e-6
    assert values.angle().min() >= 0
    assert values.angle().max() <= math.pi / 2
    places = torch.tensor([0.1, 0.5, 0.9])  # evenly by area: the square of the modulus is uniform
    torch.testing.assert_close(values.abs().square().quantile(places), 0.16 + places * 0.48, atol=0.02, rtol=0)
    torch.testing.assert_close(values.angle().quantile(places), places * math.pi / 2, atol=0.03, rtol=0)


def test_white_noise_gives_every_unit_the_same_variance_at_first():
    torch.manual_seed(0)
    memory = LRU(hidden_size=4, state_size=64, r_min=0.5, r_max=0.99).build(64)
    inputs, state = torch.randn(1000, 64, 64), memory.initial_state(64)
    leaving = memory(inputs, state, torch.zeros(1000, 64, dtype=torch.bool))[1][0]
    variance = leaving.square().sum(-1).mean(0) / memory.B.view(64, 2, 64).square().sum((1, 2))  # by what B gives
    assert (variance > 0.5).all()
    assert (variance < 1.6).all()


@pytest.mark.parametrize("nu", [-1e3, -20.0, 0.0, 20.0, 1e3])
def test_no_parameter_makes_the_state_grow(nu):
    torch.manual_seed(0)
    memory = LRU(hidden_size=8).build(2)
    with torch.no_grad():
        memory.nu.fill_(nu)
        memory.theta.normal_(std=2.0)
    entry, starts = torch.randn(3, 4, 2), torch.zeros(2000, 3, dtype=torch.bool)
    leaving = memory(torch.zeros(2000, 3, 2), (entry,), starts)[1][0]
    assert (leaving.square().sum(-1) <= entry.square().sum(-1) * 1.001).all()


def test_a_unit_on_the_circle_turns_as_a_clock():
    """The closed form with hand-set weights: an impulse at 0, then Re(lambda^t) at a period of 8 steps."""
    memory = LRU(hidden_size=1, state_size=1).build(1).double()
    with torch.no_grad():
        memory.nu.fill_(math.log(1e-3))
        memory.theta.fill_(math.log(math.pi / 4))
        memory.gamma.zero_()
        memory.B.copy_(torch.tensor([[1.0], [0.0]]))
        memory.C.copy_(torch.tensor([[1.0, 0.0]]))
        memory.D.zero_()
    inputs = torch.zeros(100, 1, 1, dtype=torch.float64)
    inputs[0] = 1.0
    outputs = memory(inputs, memory.initial_state(1), torch.zeros(100, 1, dtype=torch.bool))[0].flatten()
    t = torch.arange(100, dtype=torch.float64)
    torch.testing.assert_close(outputs, torch.exp(-1e-3 * t) * torch.cos(math.pi / 4 * t), atol=1e-6, rtol=0)


def test_the_state_has_as_many_numbers_as_a_gated_one_unless_told():
    assert LRU(hidden_size=10).build(3).initial_state(2)[0].shape == (2, 5, 2)
    assert LRU(hidden_size=10, state_size=3).build(3).initial_state(2)[0].shape == (2, 3, 2)


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({"hidden_size": 0}, "hidden_size"),
        ({"state_size": 0}, "state_size"),
        ({"r_min": -0.1}, "r_min"),
        ({"r_min": 0.9, "r_max": 0.8}, "r_min"),
        ({"r_max": 1.5}, "r_max"),
        ({"max_phase": 0.0}, "max_phase"),
    ],
)
def test_bad_fields_are_refused_by_name(fields, name):
    with pytest.raises(ValueError, match=f"{name} must"):
        LRU(**fields)
