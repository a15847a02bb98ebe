"""S5: the layer is its paper's equations, begins as HiPPO-N held at its step, and is stable for any parameters."""

import math

import pytest
import torch

from recurrent_rl.memory.s5 import S5, expm1, hippo_eigenvectors
from recurrent_rl.testing import check_memory

SPECS = [
    S5(hidden_size=5, state_size=8),
    S5(hidden_size=2, state_size=4),  # as many outputs as inputs
    S5(hidden_size=3, state_size=12, num_blocks=3, step_min=0.1, step_max=1.0),
]


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=str)
@pytest.mark.parametrize("spec", SPECS, ids=repr)
def test_it_keeps_the_contract(spec, dtype):
    check_memory(spec, dtype=dtype)


def hippo_n(size):
    n, k = torch.arange(size).double().unsqueeze(1), torch.arange(size).double()
    antisymmetric = ((n + 0.5) * (k + 0.5)).sqrt() * (torch.sign(k - n))
    return antisymmetric - 0.5 * torch.eye(size).double()


def by_the_paper(memory, inputs, starts):
    """Return outputs [T, I] of one column, and the state after them, in complex numbers, step by step."""
    eigenvalues = torch.complex(-memory.log_decay.exp(), memory.frequency)
    step = memory.log_step.exp()
    decays = torch.exp(eigenvalues * step)
    read, write = torch.view_as_complex(memory.read), torch.view_as_complex(memory.write)
    read = ((decays - 1) / eigenvalues).unsqueeze(1) * read
    state, outputs = torch.zeros_like(decays), []
    for x, start in zip(inputs, starts, strict=True):
        state = torch.zeros_like(state) if start else state
        state = decays * state + read @ x.to(read)
        skipped = memory.skip * x if memory.skip.dim() == 1 else memory.skip @ x
        y = 2 * (write @ state).real + skipped
        active = 0.5 * y * (1 + torch.tanh((2 / math.pi) ** 0.5 * (y + 0.044715 * y**3)))
        outputs.append(active * torch.sigmoid(memory.gate(active)))
    return torch.stack(outputs), state


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


@pytest.mark.parametrize("blocks", [1, 2])
def test_the_kept_eigenvectors_and_their_conjugates_make_up_hippo_n(blocks):
    values, vectors = hippo_eigenvectors(12, blocks)
    rebuilt = 2 * (vectors @ torch.diag(values) @ vectors.mH).real
    expected = torch.block_diag(*[hippo_n(12 // blocks)] * blocks)
    torch.testing.assert_close(rebuilt, expected, atol=1e-12, rtol=0)
    assert (values.imag > 0).all()


def test_it_begins_as_the_real_system_of_hippo_n_held_for_a_step():
    """One step for all states: the layer before its gate is A = exp(N step), B = N^-1 (A - 1) B0, with real B0 and C0."""
    torch.manual_seed(0)
    memory = S5(hidden_size=3, state_size=8, step_min=0.05, step_max=0.05).build(3).double()
    with torch.no_grad():
        memory.log_step.fill_(torch.tensor(0.05).double().log())
        memory.log_decay.fill_(torch.tensor(0.5).double().log())
        memory.frequency.copy_(hippo_eigenvectors(8, 1)[0].imag)
    vectors = hippo_eigenvectors(8, 1)[1]
    read = 2 * (vectors @ torch.view_as_complex(memory.read)).real
    write = 2 * (torch.view_as_complex(memory.write) @ vectors.mH).real
    system = torch.matrix_exp(0.05 * hippo_n(8))
    held = torch.linalg.solve(hippo_n(8), system - torch.eye(8).double()) @ read
    features, state, expected = torch.randn(30, 3).double(), torch.zeros(8).double(), []
    for u in features:
        state = system @ state + held @ u
        expected.append(write @ state)
    entry, starts = memory.initial_state(1)[0], torch.zeros(30, 1, dtype=torch.bool)
    states = memory._states(features.unsqueeze(1), entry, starts)
    found = states.flatten(2) @ memory._readout().T
    torch.testing.assert_close(found[:, 0], torch.stack(expected), atol=1e-6, rtol=0)  # B and C were drawn in float32


def test_steps_and_decays_begin_in_their_ranges():
    torch.manual_seed(0)
    memory = S5(state_size=512, num_blocks=8).build(2)
    steps = memory.log_step.exp()
    assert steps.min() >= 0.001 * 0.999
    assert steps.max() <= 0.1 * 1.001
    assert steps.log().mean().item() == pytest.approx(torch.tensor(0.01).log().item(), abs=0.4)  # log-uniform
    torch.testing.assert_close(memory.log_decay.exp(), torch.full((256,), 0.5))


def test_states_stay_bounded_over_2000_steps_for_any_parameters():
    torch.manual_seed(0)
    for _ in range(5):
        memory = S5(hidden_size=4, state_size=32).build(2).double()
        with torch.no_grad():
            for name in ("log_decay", "frequency", "log_step"):
                getattr(memory, name).normal_(std=4.0)
            decays, read = memory._discretised()
            assert (decays.abs() <= 1.0).all()
            assert torch.isfinite(read).all()
            inputs, starts = torch.randn(2000, 1, 2).double(), torch.zeros(2000, 1, dtype=torch.bool)
            state = memory(inputs, memory.initial_state(1), starts)[1][0]
            reached = inputs.abs().amax() * read.abs().sum(1).max() * 2000
            assert state.abs().max() <= reached


def test_expm1_keeps_its_digits_near_zero():
    real, imaginary = torch.tensor([-1e-6, -0.5, -3.0]), torch.tensor([2e-6, 40.0, 0.1])
    exact = torch.exp(torch.complex(real.double(), imaginary.double())) - 1
    torch.testing.assert_close(expm1(real, imaginary).to(exact.dtype), exact, rtol=2e-6, atol=0)


def test_under_autocast_the_state_stays_float32_and_acting_equals_the_sequence():
    memory, inputs = S5(hidden_size=8, state_size=8).build(3), torch.randn(6, 2, 3)
    starts = torch.zeros(6, 2, dtype=torch.bool)
    with torch.autocast("cpu", dtype=torch.bfloat16), torch.no_grad():
        leaving, state = memory(inputs, memory.initial_state(2), starts)[1], memory.initial_state(2)
        for t in range(6):
            state = memory(inputs[t : t + 1], state, starts[t : t + 1])[1]
    assert leaving[0].dtype == state[0].dtype == torch.float32
    torch.testing.assert_close(state, leaving, atol=1e-2, rtol=1e-2)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("hidden_size", 0),
        ("state_size", 7),
        ("state_size", True),
        ("num_blocks", 0),
        ("step_min", 0.0),
        ("step_max", 1e-4),
    ],
)
def test_a_bad_field_is_named(field, value):
    with pytest.raises(ValueError, match=f": {field} must be"):
        S5(**{field: value})
