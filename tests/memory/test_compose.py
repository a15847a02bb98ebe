"""Wrapped memories are what their parts say, and keep the contract."""

import json

import pytest
import torch

from recurrent_rl.checkpoint.codec import decode, encode
from recurrent_rl.memory import GRU, LSTM, RNN, FrameWindow, NoMemory
from recurrent_rl.memory.compose import Normed, Residual, Stack
from recurrent_rl.testing import check_memory

SPECS = [
    Stack([GRU(hidden_size=4)]),
    Stack([LSTM(hidden_size=4), FrameWindow(2), RNN(hidden_size=5, learned_initial_state=True)]),
    Stack([NoMemory(), NoMemory()]),
    Residual(GRU(hidden_size=3)),
    Residual(LSTM(hidden_size=5)),
    Residual(Normed(NoMemory())),
    Normed(GRU(hidden_size=4)),
    Stack([Residual(Normed(GRU(hidden_size=3))), Residual(Normed(LSTM(hidden_size=3)))]),
]


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=str)
@pytest.mark.parametrize("spec", [*SPECS, Stack(), Residual(), Normed()], ids=repr)
def test_wrapped_memories_keep_the_contract(spec, dtype):
    check_memory(spec, dtype=dtype)


def run(memory, steps=7, columns=3):
    torch.manual_seed(1)
    inputs, starts = torch.randn(steps, columns, memory.input_size), torch.rand(steps, columns) < 0.3
    return inputs, starts, memory(inputs, memory.initial_state(columns), starts)


def test_a_stack_feeds_each_layer_with_the_one_below():
    memory = Stack([LSTM(hidden_size=4), GRU(hidden_size=5)]).build(3)
    inputs, starts, (outputs, state) = run(memory)
    below, above = memory.layers
    middle, lower = below(inputs, below.initial_state(3), starts)
    expected, upper = above(middle, above.initial_state(3), starts)
    assert memory.output_size == 5
    assert torch.equal(outputs, expected)
    assert all(torch.equal(one, other) for one, other in zip(state, lower + upper, strict=True))


def test_a_residual_adds_the_input_or_its_projection_where_sizes_differ():
    for size in (3, 5):
        memory = Residual(GRU(hidden_size=size)).build(3)
        inputs, starts, (outputs, _) = run(memory)
        inner = memory.inner(inputs, memory.initial_state(3), starts)[0]
        around = inputs if size == 3 else inputs @ memory.around.weight.T
        torch.testing.assert_close(outputs, around + inner)


def test_a_normed_memory_does_not_see_the_scale_of_its_inputs():
    memory = Normed(GRU(hidden_size=4)).build(6)
    inputs, starts, (outputs, _) = run(memory)
    torch.testing.assert_close(
        memory(100.0 * inputs, memory.initial_state(3), starts)[0], outputs, atol=1e-3, rtol=1e-3
    )


@pytest.mark.parametrize("spec", SPECS, ids=repr)
def test_specs_of_specs_survive_a_checkpoint(spec):
    assert decode(json.loads(json.dumps(encode(spec))), trust=False) == spec


@pytest.mark.parametrize(
    "make", [lambda: Stack([]), lambda: Stack(GRU()), lambda: Stack(["gru"]), lambda: Residual(3), lambda: Normed(GRU)]
)
def test_what_is_no_spec_is_refused(make):
    with pytest.raises(ValueError, match=r"spec"):
        make()
