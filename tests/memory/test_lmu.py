"""LMU: the cell is its paper's equations, and its memory holds a window."""

import math

import numpy as np
import pytest
import torch
from numpy.polynomial import legendre

from recurrent_rl.memory.lmu import LMU, legendre_window
from recurrent_rl.testing import check_memory

SPECS = [LMU(hidden_size=5, order=4, theta=6.0), LMU(hidden_size=3, order=1, theta=1)]


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=str)
@pytest.mark.parametrize("spec", SPECS, ids=repr)
def test_it_keeps_the_contract(spec, dtype):
    check_memory(spec, dtype=dtype)


def by_the_paper(memory, inputs, starts):
    """Return hidden states [T, H] of one column, and the memory after them, step by step."""
    hidden, window, outputs = torch.zeros(memory.output_size).double(), torch.zeros(memory.order).double(), []
    for x, start in zip(inputs, starts, strict=True):
        if start:
            hidden, window = torch.zeros_like(hidden), torch.zeros_like(window)
        u = memory.e_x @ x + memory.e_h @ hidden + memory.e_m @ window
        window = memory.A @ window + memory.B * u
        hidden = torch.tanh(memory.W_x @ x + memory.W_h @ hidden + memory.W_m @ window)
        outputs.append(hidden)
    return torch.stack(outputs), window


@pytest.mark.parametrize("density", [0.0, 0.3])
@pytest.mark.parametrize("spec", SPECS, ids=repr)
def test_outputs_state_and_gradients_are_those_of_the_papers_equations(spec, density):
    torch.manual_seed(0)
    memory, inputs, starts = spec.build(2).double(), torch.randn(20, 3, 2).double(), torch.rand(20, 3) < density
    with torch.no_grad():
        memory.e_m.normal_(std=0.1)  # zero would hide it
    outputs, state = memory(inputs, memory.initial_state(3), starts)
    columns = [by_the_paper(memory, inputs[:, b], starts[:, b].tolist()) for b in range(3)]
    expected = torch.stack([column[0] for column in columns], dim=1)
    window = torch.stack([column[1] for column in columns])
    torch.testing.assert_close(outputs, expected, atol=1e-10, rtol=0)
    torch.testing.assert_close(state, (expected[-1], window), atol=1e-10, rtol=0)
    seed, seed_m = torch.randn_like(outputs), torch.randn_like(window)
    parameters = list(memory.parameters())
    totals = [(x * seed).sum() + (m * seed_m).sum() for x, m in ((outputs, state[1]), (expected, window))]
    found, wanted = (torch.autograd.grad(total, parameters) for total in totals)
    torch.testing.assert_close(found, wanted, atol=1e-10, rtol=1e-10)


def test_entry_state_and_inputs_get_the_gradients_of_a_numeric_check():
    torch.manual_seed(0)
    memory = LMU(hidden_size=3, order=2, theta=4.0).build(2).double()
    arguments = [torch.randn(5, 2, 2), torch.randn(2, 3), torch.randn(2, 2)]
    arguments = [argument.double().requires_grad_() for argument in arguments]
    starts = torch.tensor([[0, 0], [0, 1], [0, 0], [1, 1], [0, 0]]).bool()

    def run(inputs, hidden, window):
        outputs, state = memory(inputs, (hidden, window), starts)
        return outputs, *state

    assert torch.autograd.gradcheck(run, arguments)


def test_the_window_is_the_zero_order_hold_of_the_papers_system():
    """Against many small Euler steps, for the input held at one over a step."""
    order, theta, substeps = 5, 7.0, 200_000
    a, b = np.zeros((order, order)), np.zeros(order)
    for i in range(order):
        b[i] = (2 * i + 1) * (-1.0) ** i / theta
        for j in range(order):
            a[i, j] = (2 * i + 1) * (-1.0 if i < j else (-1.0) ** (i - j + 1)) / theta
    step = np.eye(order) + a / substeps
    held, decayed = np.zeros(order), np.linalg.matrix_power(step, substeps)
    held = np.linalg.solve(a, (decayed - np.eye(order)) @ b)
    found_a, found_b = legendre_window(order, theta)
    np.testing.assert_allclose(found_a.numpy(), decayed, atol=1e-4)
    np.testing.assert_allclose(found_b.numpy(), held, atol=1e-4)


@pytest.mark.parametrize(("order", "theta"), [(1, 1.0), (4, 4.0), (32, 64.0), (64, 40.0), (16, 1000.0)])
def test_the_window_itself_is_stable(order, theta):
    a, b = legendre_window(order, theta)
    assert torch.linalg.eigvals(a).abs().max() < 1.0
    assert torch.isfinite(a).all()
    assert torch.isfinite(b).all()
    power = torch.linalg.matrix_power(a, 2000)
    assert power.abs().max() <= (1.0 if theta > 100 else 1e-6)


@pytest.mark.parametrize(("share", "bound"), [(0.0, 0.02), (0.5, 0.001), (1.0, 0.002)])
def test_the_memory_holds_a_window_of_a_slow_signal(share, bound):
    """With u = x alone, sum P_i(2 r - 1) m_i is x of r theta ago, within `bound`; a step changes x by up to 0.05."""
    order, theta, steps = 12, 50.0, 300
    memory = LMU(hidden_size=1, order=order, theta=theta).build(1).double()
    signal = torch.sin(2 * math.pi * torch.arange(steps).double() / 120.0)
    with torch.no_grad():
        memory.e_x.fill_(1.0)
        memory.e_h.zero_()
        memory.e_m.zero_()
    readout = torch.tensor([legendre.legval(2 * share - 1, np.eye(order)[i]) for i in range(order)])
    state, read = memory.initial_state(1), []
    with torch.no_grad():
        for x in signal:
            state = memory(x.reshape(1, 1, 1), state, torch.zeros(1, 1, dtype=torch.bool))[1]
            read.append((state[1][0] @ readout).item())
    moment = torch.arange(steps).double() + 0.5 - share * theta  # an input held over its step is half a step early
    delayed = torch.sin(2 * math.pi * moment / 120.0)
    error = (torch.tensor(read).double() - delayed)[100:].abs().max()
    assert error < bound, error


def test_it_begins_as_in_the_paper():
    torch.manual_seed(0)
    memory = LMU(hidden_size=200, order=8).build(300)
    assert (memory.e_m == 0).all()
    assert 0.9 * 0.1 < memory.e_x.abs().max() <= 0.1  # LeCun-uniform: sqrt(3 / 300)
    assert memory.W_x.std().item() == pytest.approx(math.sqrt(2 / 500), rel=0.05)  # Xavier-normal
    assert {name for name, _ in memory.named_parameters()} == {"e_x", "e_h", "e_m", "W_x", "W_h", "W_m"}


def test_under_autocast_it_computes_in_float32():
    memory, inputs = LMU(hidden_size=8).build(3), torch.randn(6, 2, 3)
    starts = torch.zeros(6, 2, dtype=torch.bool)
    expected = memory(inputs, memory.initial_state(2), starts)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = memory(inputs, memory.initial_state(2), starts)
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize(
    ("field", "value"), [("hidden_size", 0), ("order", 0), ("order", 2.5), ("theta", 0.5), ("theta", math.nan)]
)
def test_a_bad_field_is_named(field, value):
    with pytest.raises(ValueError, match=f": {field} must be"):
        LMU(**{field: value})
