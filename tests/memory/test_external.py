"""An external memory is the paper's equations, finds slots by content and has finite gradients everywhere."""

import pytest
import torch
from torch import sigmoid, tanh
from torch.nn.functional import cosine_similarity, softplus

from recurrent_rl.memory.external import External, addressed
from recurrent_rl.testing import check_memory

SPECS = [External(hidden_size=6, slots=5, width=3), External(hidden_size=3, slots=1, width=1)]
STEPS, COLUMNS, INPUTS = 25, 3, 3


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=str)
@pytest.mark.parametrize("spec", [*SPECS, External()], ids=repr)
def test_memory_keeps_the_contract(spec, dtype):
    check_memory(spec, dtype=dtype)


def by_the_paper(spec, memory, inputs, starts):
    """One column after another, slot by slot."""
    columns = [_column(spec, memory, inputs[:, b], starts[:, b]) for b in range(inputs.shape[1])]
    return torch.stack(columns, dim=1)


def _column(spec, memory, inputs, starts):
    outputs = []
    for t, x in enumerate(inputs):
        if t == 0 or starts[t]:
            slots = memory.slots
            read, h, c = (x.new_zeros(size) for size in (spec.width, spec.hidden_size, spec.hidden_size))
        gates = memory.projection(x) + memory.controller(torch.cat([read, h]))
        candidate, enter, forget, leave = gates.chunk(4)
        c = sigmoid(forget) * c + sigmoid(enter) * tanh(candidate)
        h = sigmoid(leave) * tanh(c)
        sizes = [spec.width] * 4 + [1] * 3
        write_key, read_key, erase, write, write_strength, read_strength, gate = memory.interface(h).split(sizes)
        at = sigmoid(gate) * _address(slots, write_key, write_strength)
        slots = slots * (1 - torch.outer(at, sigmoid(erase))) + torch.outer(at, write)
        read = slots.T @ _address(slots, read_key, read_strength)
        outputs.append(memory.output(torch.cat([h, read])))
    return torch.stack(outputs)


def _address(slots, key, strength):
    return torch.softmax((1 + softplus(strength)) * cosine_similarity(slots, key.unsqueeze(0), dim=-1, eps=0.0), dim=0)


@pytest.mark.parametrize("density", [0.0, 0.2])
@pytest.mark.parametrize("spec", SPECS, ids=repr)
def test_outputs_and_gradients_are_those_of_the_equations(spec, density, monkeypatch):
    monkeypatch.setattr("recurrent_rl.memory.external.FLOOR", 0.0)  # the paper has none
    torch.manual_seed(0)
    memory = spec.build(INPUTS).double()
    inputs, starts = torch.randn(STEPS, COLUMNS, INPUTS).double(), torch.rand(STEPS, COLUMNS) < density
    found, expected = (
        memory(inputs, memory.initial_state(COLUMNS), starts)[0],
        by_the_paper(spec, memory, inputs, starts),
    )
    torch.testing.assert_close(found, expected, atol=1e-10, rtol=0)
    weights = torch.randn_like(found)
    parameters = list(memory.parameters())
    gradients = [torch.autograd.grad((x * weights).sum(), parameters) for x in (found, expected)]
    for one, other in zip(*gradients, strict=True):
        torch.testing.assert_close(one, other, atol=1e-10, rtol=1e-10)


@pytest.mark.parametrize(("memory", "key"), [(0.0, 0.0), (0.0, 1.0), (1.0, 0.0), (1e-20, 1e-20)])
def test_addresses_and_their_gradients_are_finite_at_zero(memory, key):
    slots, key = torch.full((1, 3, 2), memory, requires_grad=True), torch.full((1, 2), key, requires_grad=True)
    weights = addressed(slots, key, torch.zeros(1, 1))
    torch.testing.assert_close(weights, torch.full((1, 3), 1 / 3))
    gradients = torch.autograd.grad(weights[0, 0], (slots, key))
    assert all(gradient.isfinite().all() for gradient in gradients)


def test_a_strong_key_picks_the_slot_of_its_own_direction_whatever_its_length():
    slots = torch.tensor([[[0.1, 0.0], [0.0, 9.0], [-1.0, -1.0]]])
    weights = addressed(slots, torch.tensor([[0.0, 0.5]]), torch.tensor([[50.0]]))
    torch.testing.assert_close(weights, torch.tensor([[0.0, 1.0, 0.0]]), atol=1e-6, rtol=0)


def test_slots_begin_small_and_different():
    slots = External(slots=8, width=6).build(INPUTS).initial_state(1)[0][0]
    assert slots.abs().max() < 1.0
    assert torch.pdist(slots).min() > 0.01


def test_what_is_written_under_a_key_is_read_back():
    """Hand-set: inputs command which slot is written, with what, and which is read; the controller only passes them on."""
    memory = _obedient()
    key = torch.eye(3)
    say = lambda w, v, g, r: torch.cat([key[w], torch.tensor([v, g]), key[r]])  # noqa: E731
    commands = [say(0, 0.3, 1, 0), say(1, -0.2, 1, 0), say(2, 0.9, 0, 1), say(0, 0.5, 1, 1), say(2, 0.0, 0, 0)]
    inputs = torch.stack(commands).unsqueeze(1)  # [T, 1, 8]
    outputs, _ = memory(inputs, memory.initial_state(1), torch.zeros(len(inputs), 1, dtype=torch.bool))
    torch.testing.assert_close(outputs[:, 0, 0], torch.tensor([0.3, 0.3, -0.2, -0.2, 0.5]), atol=0.01, rtol=0)


@torch.no_grad()
def _obedient():
    """A memory of three slots of width 4, three numbers of key and one of value; its controller's h is about its input."""
    memory = External(hidden_size=8, slots=3, width=4).build(8)
    for parameter in memory.parameters():
        parameter.zero_()
    small = 0.01  # tanh is nearly the identity there
    memory.projection.weight[:8] = small * torch.eye(8)
    memory.projection.bias.copy_(torch.tensor([0.0, 50.0, -50.0, 50.0]).repeat_interleave(8))
    memory.slots[:, :3] = torch.eye(3)
    interface = memory.interface.weight.view(19, 8)
    for row in range(3):
        interface[row, row] = interface[4 + row, 5 + row] = interface[12 + row, row] = 1 / small  # both keys; written
    interface[15, 3] = 1 / small  # the value
    memory.interface.bias[8:12] = 50.0  # erase all
    memory.interface.bias[16:18] = 60.0  # strengths
    interface[18, 4], memory.interface.bias[18] = 100 / small, -50.0  # the gate
    memory.output.weight[0, 8 + 3] = 1.0
    return memory


@pytest.mark.parametrize("scale", [1.0, 30.0, 1e3])
def test_any_weights_give_finite_outputs_over_2000_steps(scale):
    torch.manual_seed(0)
    memory = External(hidden_size=6, slots=4, width=3).build(INPUTS)
    with torch.no_grad():
        for parameter in memory.parameters():
            parameter.normal_(0.0, scale)
        inputs = torch.randn(2000, 2, INPUTS)
        outputs, state = memory(inputs, memory.initial_state(2), torch.zeros(2000, 2, dtype=torch.bool))
    assert outputs.isfinite().all()
    assert all(leaf.isfinite().all() for leaf in state)


@pytest.mark.parametrize("name", ["hidden_size", "slots", "width"])
@pytest.mark.parametrize("value", [0, -1, 2.0, True])
def test_bad_fields_are_refused_by_name(name, value):
    with pytest.raises(ValueError, match=f"{name} must"):
        External(**{name: value})


@pytest.mark.parametrize("steps", [1, 5])
def test_under_autocast_the_state_stays_float32(steps):
    memory = External().build(INPUTS)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        _, state = memory(torch.randn(steps, 2, 3), memory.initial_state(2), torch.zeros(steps, 2, dtype=torch.bool))
    assert all(leaf.dtype == torch.float32 for leaf in state)
