"""The fused loops, the packed (cuDNN) path and the row path give what the plain loop gives."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from recurrent_rl.memory import GRU, LSTM, RNN
from recurrent_rl.memory.kernels import common
from recurrent_rl.memory.kernels.loop import fused_path, loop_path, row_path
from recurrent_rl.memory.kernels.packed import packed_path, plan

SPECS = [
    RNN(hidden_size=4, num_layers=2, learned_initial_state=True),
    RNN(hidden_size=4, nonlinearity="relu"),
    LSTM(hidden_size=4, num_layers=2, learned_initial_state=True),
    LSTM(hidden_size=4, bias=False),
    GRU(hidden_size=4, num_layers=2, learned_initial_state=True),
    GRU(hidden_size=4, bias=False),
]


PATHS = {"row": row_path, "fused": fused_path, "packed": packed_path, "loop": loop_path}


def everything(memory, path, inputs, state, starts, weights):
    """Outputs, exit state, and the gradients of a random functional of both with respect to everything."""
    outputs, leaving = memory._run(PATHS[path], inputs, state, starts)
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


@pytest.mark.parametrize("spec", SPECS, ids=repr)
@pytest.mark.parametrize("start", [False, True])
def test_row_path_equals_the_plain_loop(spec, start):
    torch.manual_seed(0)
    memory = spec.build(3).double()
    inputs = torch.randn(1, 3, 3, dtype=torch.float64, requires_grad=True)
    state = tuple(torch.randn_like(leaf, requires_grad=True) for leaf in memory.initial_state(3))
    starts = torch.tensor([[False, start, False]])
    weights = [torch.randn(1, 3, 4).double(), *(torch.randn_like(leaf) for leaf in state)]
    expected = everything(memory, "loop", inputs, state, starts, weights)
    for one, other in zip(everything(memory, "row", inputs, state, starts, weights), expected, strict=True):
        torch.testing.assert_close(one, other, atol=1e-12, rtol=0)


@pytest.mark.parametrize("spec", SPECS, ids=repr)
def test_fused_gradients_equal_finite_differences(spec):
    torch.manual_seed(0)
    memory = spec.build(2).double()
    inputs = torch.randn(4, 2, 2, dtype=torch.float64, requires_grad=True)
    state = tuple(torch.randn_like(leaf, requires_grad=True) for leaf in memory.initial_state(2))
    starts = torch.tensor([[0, 1], [0, 0], [1, 0], [0, 0]], dtype=torch.bool)
    names, parameters = zip(*memory.named_parameters(), strict=True)

    def run(x, *rest):
        swapped = dict(zip(names, rest[len(state) :], strict=True))
        outputs, leaving = torch.func.functional_call(memory, swapped, (x, rest[: len(state)], starts))
        return outputs, *leaving

    assert torch.autograd.gradcheck(run, (inputs, *state, *parameters))


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("spec", SPECS, ids=repr)
def test_a_call_changes_nothing_that_it_is_given(spec, path):
    """One row and one column: where views are contiguous by accident, and an in-place step would reach its source."""
    memory = spec.build(3)
    for parameter in memory.parameters():
        parameter.data += torch.randn_like(parameter)
    inputs, starts = torch.randn(1, 1, 3, requires_grad=True), torch.ones(1, 1, dtype=torch.bool)
    state = tuple(torch.randn_like(leaf) for leaf in memory.initial_state(1))
    given = [inputs, *state, *memory.parameters(), *memory.buffers()]
    before = [tensor.detach().clone() for tensor in given]
    outputs, leaving = memory._run(PATHS[path], inputs, state, starts)
    outputs.sum().backward()
    assert all(torch.equal(one, other) for one, other in zip(given, before, strict=True))
    exits = [leaf.clone() for leaf in leaving]
    outputs.detach().zero_()
    assert all(torch.equal(one, other) for one, other in zip(leaving, exits, strict=True))


@pytest.mark.parametrize("spec", SPECS, ids=repr)
def test_fused_backward_runs_twice_and_its_gradients_share_no_memory(spec):
    torch.manual_seed(0)
    memory, starts = spec.build(3), torch.rand(5, 2) < 0.3
    outputs, _ = memory(torch.randn(5, 2, 3), memory.initial_state(2), starts)
    parameters = [parameter for name, parameter in memory.named_parameters() if name != "initial"]
    first = torch.autograd.grad(outputs.sum(), parameters, retain_graph=True)
    second = torch.autograd.grad(outputs.sum(), parameters)
    assert all(torch.equal(one, other) for one, other in zip(first, second, strict=True))
    assert len({gradient.data_ptr() for gradient in first}) == len(first)


@pytest.mark.parametrize("spec", SPECS, ids=repr)
def test_fused_outputs_are_the_same_without_gradients_and_for_strided_inputs(spec):
    torch.manual_seed(0)
    memory, starts = spec.build(3), torch.rand(7, 4) < 0.3
    inputs, state = torch.randn(4, 7, 3).transpose(0, 1), memory.initial_state(4)
    outputs, leaving = memory(inputs, state, starts)
    with torch.no_grad():
        again, left = memory(inputs.contiguous(), state, starts)
    assert torch.equal(outputs, again)
    assert all(torch.equal(one, other) for one, other in zip(leaving, left, strict=True))


@pytest.mark.parametrize("path", ["fused", "packed"])
@pytest.mark.parametrize("spec", SPECS[::2], ids=repr)
def test_gradients_over_several_blocks_equal_the_plain_loop(spec, path, monkeypatch):
    monkeypatch.setattr(common, "_BLOCK", 24)  # three rows of two columns and four units
    torch.manual_seed(0)
    memory, starts = spec.build(3).double(), torch.rand(8, 2) < 0.4
    inputs = torch.randn(8, 2, 3, dtype=torch.float64, requires_grad=True)
    state = tuple(torch.randn_like(leaf, requires_grad=True) for leaf in memory.initial_state(2))
    weights = [torch.randn(8, 2, 4).double(), *(torch.randn_like(leaf) for leaf in state)]
    expected = everything(memory, "loop", inputs, state, starts, weights)
    for one, other in zip(everything(memory, path, inputs, state, starts, weights), expected, strict=True):
        torch.testing.assert_close(one, other, atol=1e-10, rtol=0)


@pytest.mark.parametrize("path", ["fused", "packed"])
@pytest.mark.parametrize("spec", SPECS, ids=repr)
def test_nan_in_a_state_that_is_replaced_reaches_no_gradient(spec, path):
    memory, starts = spec.build(3), torch.zeros(4, 2, dtype=torch.bool)
    starts[0] = True
    state = tuple(torch.full_like(leaf, torch.nan) for leaf in memory.initial_state(2))
    outputs, _ = memory._run(PATHS[path], torch.randn(4, 2, 3), state, starts)
    outputs.sum().backward()
    assert all(torch.isfinite(parameter.grad).all() for parameter in memory.parameters())


@pytest.mark.parametrize("path", ["row", "fused", "packed", "loop"])
@pytest.mark.parametrize("spec", SPECS, ids=repr)
def test_path_traces_on_the_meta_device(spec, path):
    memory = spec.build(3).to("meta")
    for steps in (1, 6) if path != "row" else (1,):
        starts, inputs = torch.rand(steps, 4) < 0.3, torch.zeros(steps, 4, 3, device="meta")
        outputs, leaving = memory._run(PATHS[path], inputs, memory.initial_state(4), starts)
        outputs.sum().backward()
        assert {tensor.device.type for tensor in (outputs, *leaving)} == {"meta"}


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
    with torch.backends.cudnn.flags(allow_tf32=False):
        found, _ = memory(inputs.cuda(), memory.initial_state(5), starts)
    torch.testing.assert_close(found.cpu(), expected, atol=1e-5, rtol=1e-4)
