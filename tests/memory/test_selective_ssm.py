"""SelectiveSSM: the block is Mamba's equations, in pieces too, and can be told by its input what to keep."""

import pytest
import torch
from torch.nn.functional import silu, softplus

from recurrent_rl.functional import selective_scan
from recurrent_rl.memory.selective_ssm import SelectiveSSM
from recurrent_rl.testing import check_memory

SPECS = [
    SelectiveSSM(hidden_size=5, state_size=3),
    SelectiveSSM(hidden_size=17, state_size=2, expand=1, conv_size=2),  # 17: the step goes through two numbers
    SelectiveSSM(hidden_size=4, state_size=1, expand=3, conv_size=1),
]


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=str)
@pytest.mark.parametrize("spec", SPECS, ids=repr)
def test_it_keeps_the_contract(spec, dtype):
    check_memory(spec, dtype=dtype)


def test_it_keeps_the_contract_in_pieces(monkeypatch):
    monkeypatch.setattr(selective_scan, "ROOM", 4 * 10 * 3 * 4)  # four rows of four columns
    check_memory(SPECS[0])


def by_the_paper(memory, inputs, starts):
    """Return outputs [T, H] of one column, and the state after them, step by step."""
    channels, (rank, size, _), taps = memory.channels, memory.sizes, memory.taps.shape[1]
    rates = -memory.log_rates.exp()
    state, window, outputs = torch.zeros(channels, size).double(), [torch.zeros(channels).double()] * (taps - 1), []
    for x, start in zip(inputs, starts, strict=True):
        if start:
            state, window = torch.zeros_like(state), [torch.zeros(channels).double()] * (taps - 1)
        entering, gate = memory.enter(x).split(channels)
        seen = [*window, entering]
        window = seen[1:]
        value = silu(memory.bias + sum(memory.taps[:, i] * seen[i] for i in range(taps)))
        narrow, read, write = memory.select(value).split([rank, size, size])
        step = softplus(memory.step(narrow))
        state = torch.exp(step[:, None] * rates) * state + torch.outer(step * value, read)
        outputs.append(memory.leave((state @ write + memory.skip * value) * silu(gate)))
    return torch.stack(outputs), state, torch.stack(window) if window else torch.zeros(0, channels).double()


@pytest.mark.parametrize("room", [2**22, 50], ids=["whole", "in pieces"])
@pytest.mark.parametrize("density", [0.0, 0.3])
@pytest.mark.parametrize("spec", SPECS, ids=repr)
def test_outputs_state_and_gradients_are_those_of_the_papers_equations(spec, density, room, monkeypatch):
    monkeypatch.setattr(selective_scan, "ROOM", room)
    torch.manual_seed(0)
    memory, inputs, starts = spec.build(2).double(), torch.randn(12, 3, 2).double(), torch.rand(12, 3) < density
    outputs, state = memory(inputs, memory.initial_state(3), starts)
    columns = [by_the_paper(memory, inputs[:, b], starts[:, b].tolist()) for b in range(3)]
    expected = torch.stack([column[0] for column in columns], dim=1)
    torch.testing.assert_close(outputs, expected, atol=1e-10, rtol=0)
    for i, leaf in enumerate(state, 1):
        torch.testing.assert_close(leaf, torch.stack([column[i] for column in columns]), atol=1e-10, rtol=0)
    seed = torch.randn_like(outputs)
    parameters = list(memory.parameters())
    found, wanted = (torch.autograd.grad((x * seed).sum(), parameters) for x in (outputs, expected))
    torch.testing.assert_close(found, wanted, atol=1e-10, rtol=1e-10)


def test_rates_and_steps_begin_as_in_the_paper():
    memory = SelectiveSSM(hidden_size=64, state_size=5).build(2)
    expected = torch.tensor([1.0, 2.0, 3.0, 4.0, 5.0]).expand(128, 5)
    torch.testing.assert_close(memory.log_rates.exp(), expected)
    steps = softplus(memory.step.bias)
    assert steps.min() >= 0.001 * 0.99
    assert steps.max() <= 0.1 * 1.01


def test_states_stay_bounded_over_2000_steps_for_any_parameters():
    torch.manual_seed(0)
    for _ in range(3):
        memory = SelectiveSSM(hidden_size=4, state_size=3).build(2).double()
        with torch.no_grad():
            memory.log_rates.normal_(std=3.0)
            memory.step.bias.normal_(std=3.0)
            inputs, starts = torch.randn(2000, 1, 2).double(), torch.zeros(2000, 1, dtype=torch.bool)
            states = memory(inputs, memory.initial_state(1), starts)[1]
            values = memory._convolved(memory.enter(inputs).chunk(2, -1)[0], memory.initial_state(1)[1], starts)[0]
            step = softplus(memory.step(memory.select(values)[..., : memory.sizes[0]]))
            most = ((step * values).abs() * memory.select(values).abs().amax()).sum(0).amax()
        assert states[0].abs().max() <= most  # what was written, all of it kept


def test_a_hand_set_step_keeps_a_mark_through_other_inputs():
    """Step large at a mark, tiny without one: the state after 300 other inputs is the mark's, to a thousandth."""
    memory = SelectiveSSM(hidden_size=1, state_size=1, expand=1, conv_size=1).build(2).double()
    with torch.no_grad():
        for parameter in memory.parameters():
            parameter.zero_()
        memory.taps.fill_(1.0)
        memory.enter.weight[0] = torch.tensor([8.0, 0.0]).double()  # x: 8 at the mark (1, 0), else 0
        memory.bias.fill_(0.5)  # so that a mark has a value and others have one as well
        memory.select.weight[0], memory.select.weight[1] = 3.0, 1.0
        memory.step.weight.fill_(1.0)
        memory.step.bias.fill_(-18.0)
        inputs = torch.zeros(301, 1, 2).double()
        inputs[0, 0, 0] = 1.0
        after = [
            memory(inputs[:n], memory.initial_state(1), torch.zeros(n, 1, dtype=torch.bool))[1][0] for n in (1, 301)
        ]
    assert after[0].item() > 1.0
    assert after[1].item() == pytest.approx(after[0].item(), rel=1e-3)


def test_under_autocast_the_state_stays_float32():
    memory, inputs = SelectiveSSM(hidden_size=8).build(3), torch.randn(6, 2, 3)
    with torch.autocast("cpu", dtype=torch.bfloat16), torch.no_grad():
        for steps in (1, 6):
            leaving = memory(inputs[:steps], memory.initial_state(2), torch.zeros(steps, 2, dtype=torch.bool))[1]
            assert [leaf.dtype for leaf in leaving] == [torch.float32] * 2


@pytest.mark.parametrize("field", ["hidden_size", "state_size", "expand", "conv_size"])
@pytest.mark.parametrize("value", [0, 1.5])
def test_a_bad_field_is_named(field, value):
    with pytest.raises(ValueError, match=f": {field} must be"):
        SelectiveSSM(**{field: value})
