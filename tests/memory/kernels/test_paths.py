"""The fused loops and the packed (cuDNN) path give what the plain loop gives: outputs, exit states, gradients."""

from functools import partial

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from recurrent_rl.memory import GRU, LSTM, RNN
from recurrent_rl.memory.kernels.fused import run_fused
from recurrent_rl.memory.kernels.loop import Resets, run_loop
from recurrent_rl.memory.kernels.packed import plan, run_packed

SPECS = [
    RNN(hidden_size=4, num_layers=2, learned_initial_state=True),
    RNN(hidden_size=4, nonlinearity="relu"),
    LSTM(hidden_size=4, num_layers=2, learned_initial_state=True),
    LSTM(hidden_size=4, bias=False),
    GRU(hidden_size=4, num_layers=2, learned_initial_state=True),
    GRU(hidden_size=4, bias=False),
]


def runner(memory, path, starts, device):
    if path in ("packed", "fused"):
        run = {"packed": run_packed, "fused": run_fused}[path]
        return partial(run, memory.cell, pieces=plan(starts, torch.device(device)))
    return partial(run_loop, memory.cell, resets=Resets.of(starts, torch.device(device)))


def everything(memory, path, inputs, state, starts, weights):
    """Outputs, exit state, and the gradients of a random functional of both with respect to everything."""
    outputs, leaving = memory._run(inputs, state, runner(memory, path, starts, "cpu"))
    total = sum((x * w).sum() for x, w in zip((outputs, *leaving), weights, strict=True))
    gradients = torch.autograd.grad(total, [inputs, *state, *memory.parameters()], materialize_grads=True)
    return [outputs, *leaving, *gradients]


@pytest.mark.parametrize("path", ["fused", "packed"])
@pytest.mark.parametrize("spec", SPECS, ids=repr)
@settings(max_examples=12, deadline=None)
@given(
    steps=st.integers(1, 9),
    columns=st.integers(1, 5),
    density=st.sampled_from([0.0, 0.2, 1.0]),
    seed=st.integers(0, 999),
)
def test_path_equals_the_plain_loop(spec, path, steps, columns, density, seed):
    torch.manual_seed(seed)
    memory = spec.build(3).double()
    for parameter in memory.parameters():
        parameter.data += 0.1 * torch.randn_like(parameter)
    inputs = torch.randn(steps, columns, 3, dtype=torch.float64, requires_grad=True)
    state = tuple(torch.randn_like(leaf, requires_grad=True) for leaf in memory.initial_state(columns))
    starts = torch.rand(steps, columns) < density
    weights = [torch.randn(steps, columns, 4).double(), *(torch.randn_like(leaf) for leaf in state)]
    expected = everything(memory, "loop", inputs, state, starts, weights)
    found = everything(memory, path, inputs, state, starts, weights)
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, atol=1e-10, rtol=0)


@pytest.mark.parametrize("spec", SPECS[::2], ids=repr)
def test_fused_gradients_equal_finite_differences(spec):
    torch.manual_seed(0)
    memory = spec.build(2).double()
    inputs = torch.randn(4, 2, 2, dtype=torch.float64, requires_grad=True)
    state = tuple(torch.randn_like(leaf, requires_grad=True) for leaf in memory.initial_state(2))
    starts = torch.tensor([[0, 1], [0, 0], [1, 0], [0, 0]], dtype=torch.bool)
    assert torch.autograd.gradcheck(lambda x, *leaves: memory(x, leaves, starts)[0], (inputs, *state))


@pytest.mark.parametrize("path", ["fused", "loop"])
@pytest.mark.parametrize("spec", SPECS, ids=repr)
def test_path_traces_on_the_meta_device(spec, path):
    memory = spec.build(3).to("meta")
    starts = torch.rand(6, 4) < 0.3
    inputs = torch.zeros(6, 4, 3, device="meta")
    outputs, _ = memory._run(inputs, memory.initial_state(4), runner(memory, path, starts, "meta"))
    outputs.sum().backward()
    assert outputs.device.type == "meta"


@pytest.mark.parametrize("spec", SPECS, ids=repr)
def test_a_single_row_equals_the_plain_loop(spec):
    torch.manual_seed(0)
    memory = spec.build(3).double()
    inputs, starts = torch.randn(1, 5, 3).double(), torch.tensor([[True, False, False, True, False]])
    state = tuple(torch.randn_like(leaf) for leaf in memory.initial_state(5))
    expected, leaving = memory._run(inputs, state, runner(memory, "loop", starts, "cpu"))
    found, left = memory(inputs, state, starts)
    torch.testing.assert_close(found, expected, atol=1e-12, rtol=0)
    for one, other in zip(left, leaving, strict=True):
        torch.testing.assert_close(one, other, atol=1e-12, rtol=0)


def test_packed_plan_pieces_are_longest_first_and_cover_every_row_once():
    starts = torch.rand(17, 6) < 0.2
    pieces = plan(starts, torch.device("cpu"))
    assert sorted(pieces.gather.tolist()) == list(range(17 * 6))
    assert pieces.gather[pieces.scatter].tolist() == list(range(17 * 6))
    assert pieces.sizes.tolist() == sorted(pieces.sizes.tolist(), reverse=True)
    assert int(pieces.sizes.sum()) == 17 * 6


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("spec", SPECS, ids=repr)
def test_cudnn_equals_the_cpu_loop(spec):
    torch.manual_seed(0)
    memory = spec.build(3)
    inputs, starts = torch.randn(12, 5, 3), torch.rand(12, 5) < 0.2
    expected, _ = memory(inputs, memory.initial_state(5), starts)
    memory.to("cuda")
    found, _ = memory(inputs.cuda(), memory.initial_state(5), starts)
    torch.testing.assert_close(found.cpu(), expected, atol=1e-5, rtol=1e-4)
