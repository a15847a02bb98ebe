"""The fused loops and the packed (cuDNN) path give what the plain loop gives: outputs, exit states, gradients."""

import logging
import subprocess
import sys
from functools import partial

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from recurrent_rl.memory import GRU, LSTM, RNN
from recurrent_rl.memory.kernels import choose
from recurrent_rl.memory.kernels.fused import plan, run_fused, segments_for
from recurrent_rl.memory.kernels.loop import Resets, run_loop, run_row
from recurrent_rl.memory.kernels.packed import run_packed
from recurrent_rl.memory.kernels.pieces import cut, deal, pack, unpack

SPECS = [
    RNN(hidden_size=4, num_layers=2, learned_initial_state=True),
    RNN(hidden_size=4, nonlinearity="relu"),
    LSTM(hidden_size=4, num_layers=2, learned_initial_state=True),
    LSTM(hidden_size=4, bias=False),
    GRU(hidden_size=4, num_layers=2, learned_initial_state=True),
    GRU(hidden_size=4, bias=False),
]


EXACT = {"dtype": torch.float64, "atol": 1e-10, "rtol": 0}
SINGLE = {"dtype": torch.float32, "atol": 1e-5, "rtol": 1e-5}


def runner(memory, path, starts, device, segments=1):
    if path == "loop":
        return partial(run_loop, memory.cell, resets=Resets.of(starts, torch.device(device)))
    if path == "fused":
        return partial(run_fused, memory.cell, plan=plan(starts, segments))
    return partial(run_packed, memory.cell, pieces=cut(starts, torch.device(device)))


def everything(memory, run, inputs, state, weights):
    """Outputs, exit state, and the gradients of a random functional of both with respect to everything."""
    outputs, leaving = memory._run(inputs, state, run)
    total = sum((x * w).sum() for x, w in zip((outputs, *leaving), weights, strict=True))
    gradients = torch.autograd.grad(total, [inputs, *state, *memory.parameters()], materialize_grads=True)
    return [outputs, *leaving, *gradients]


def compare(spec, path, starts, *, segments=1, dtype, atol, rtol):
    """Run a path and the plain loop on the same random everything; gradients are compared in units of the largest."""
    memory = spec.build(3).to(dtype)
    for parameter in memory.parameters():
        parameter.data += 0.2 * torch.randn_like(parameter) / parameter.shape[-1] ** 0.5  # no chaos
    inputs = torch.randn(*starts.shape, 3, dtype=dtype, requires_grad=True)
    state = tuple(torch.randn_like(leaf, requires_grad=True) for leaf in memory.initial_state(starts.shape[1]))
    weights = [torch.randn(*starts.shape, spec.hidden_size, dtype=dtype), *(torch.randn_like(leaf) for leaf in state)]
    expected = everything(memory, runner(memory, "loop", starts, "cpu"), inputs, state, weights)
    found = everything(memory, runner(memory, path, starts, "cpu", segments), inputs, state, weights)
    for one, other in zip(found, expected, strict=True):
        scale = other.abs().max().clamp(min=1.0)
        torch.testing.assert_close(one / scale, other / scale, atol=atol, rtol=rtol)


SHAPES = {
    "steps": st.integers(1, 9),
    "columns": st.integers(1, 5),
    "density": st.sampled_from([0.0, 0.2, 1.0]),
    "seed": st.integers(0, 999),
}


@pytest.mark.parametrize("spec", SPECS, ids=repr)
@settings(max_examples=12, deadline=None)
@given(**SHAPES)
def test_packed_equals_the_plain_loop(spec, steps, columns, density, seed):
    torch.manual_seed(seed)
    compare(spec, "packed", torch.rand(steps, columns) < density, **EXACT)


@pytest.mark.parametrize("spec", SPECS, ids=repr)
@settings(max_examples=25, deadline=None)
@given(**SHAPES, segments=st.integers(1, 5))
def test_fused_equals_the_plain_loop(spec, steps, columns, density, seed, segments):
    torch.manual_seed(seed)
    compare(spec, "fused", torch.rand(steps, columns) < density, segments=segments, **SINGLE)


@pytest.mark.parametrize("layers", [1, 2, 3, 4])
@pytest.mark.parametrize("hidden_size", [1, 17, 64, 130])
@pytest.mark.parametrize("kind", [RNN, LSTM, GRU])
def test_fused_equals_the_plain_loop_at_any_size(kind, hidden_size, layers):
    torch.manual_seed(0)
    compare(kind(hidden_size=hidden_size, num_layers=layers), "fused", torch.rand(40, 13) < 0.1, segments=2, **SINGLE)


def test_one_long_column_runs_with_more_threads_than_pieces():
    memory, starts = LSTM(hidden_size=128).build(3), torch.zeros(1100, 1, dtype=torch.bool)
    torch.set_num_threads(2)
    inputs = torch.randn(1100, 1, 3)
    assert segments_for(starts.numel(), memory.cell, 128) == 2
    outputs, _ = memory(inputs, memory.initial_state(1), starts)
    outputs.sum().backward()
    assert memory.weight_hh_l0.grad.isfinite().all()


def test_fused_takes_strided_inputs_and_an_expanded_state():
    torch.manual_seed(0)
    memory = LSTM(hidden_size=6).build(4)
    wide, starts = torch.randn(5, 7, 8), torch.rand(7, 5) < 0.3
    inputs = wide.transpose(0, 1)[..., ::2]
    found, _ = memory(inputs, memory.initial_state(5), starts)
    expected, _ = memory(inputs.contiguous(), memory.initial_state(5), starts)
    assert torch.equal(found, expected)


def test_fused_gives_a_column_the_same_bits_in_any_batch():
    torch.manual_seed(0)
    memory, starts = GRU(hidden_size=32).build(4), torch.rand(20, 9) < 0.2
    inputs = torch.randn(20, 9, 4)
    together = memory._run(inputs, memory.initial_state(9), runner(memory, "fused", starts, "cpu", 3))[0]
    again = memory._run(inputs, memory.initial_state(9), runner(memory, "fused", starts, "cpu", 1))[0]
    assert torch.equal(together, again)


def test_fused_passes_nan_on():
    memory = LSTM(hidden_size=4).build(2)
    inputs, starts = torch.zeros(3, 2, 2), torch.zeros(3, 2, dtype=torch.bool)
    inputs[1, 0] = torch.nan
    outputs, _ = memory(inputs, memory.initial_state(2), starts)
    assert outputs[1:, 0].isnan().all()
    assert outputs[:, 1].isfinite().all()


@pytest.mark.parametrize("spec", SPECS[::2], ids=repr)
def test_plain_loop_gradients_equal_finite_differences(spec):
    torch.manual_seed(0)
    memory = spec.build(2).double()
    inputs = torch.randn(4, 2, 2, dtype=torch.float64, requires_grad=True)
    state = tuple(torch.randn_like(leaf, requires_grad=True) for leaf in memory.initial_state(2))
    starts = torch.tensor([[0, 1], [0, 0], [1, 0], [0, 0]], dtype=torch.bool)
    assert torch.autograd.gradcheck(lambda x, *leaves: memory(x, leaves, starts)[0], (inputs, *state))


@pytest.mark.parametrize("spec", SPECS, ids=repr)
def test_plain_loop_traces_on_the_meta_device(spec):
    memory = spec.build(3).to("meta")
    starts = torch.rand(6, 4) < 0.3
    inputs = torch.zeros(6, 4, 3, device="meta")
    outputs, _ = memory._run(inputs, memory.initial_state(4), runner(memory, "loop", starts, "meta"))
    outputs.sum().backward()
    assert outputs.device.type == "meta"


def row_runner(memory, starts, device):
    return partial(run_row, memory.cell, starts=starts[0].to(device).unsqueeze(-1))


@pytest.mark.parametrize("density", [0.0, 0.4, 1.0])
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-12), (torch.float32, 1e-6)])
@pytest.mark.parametrize("spec", [*SPECS, GRU(hidden_size=4, num_layers=3)], ids=repr)
def test_a_single_row_equals_the_plain_loop(spec, dtype, tolerance, density):
    torch.manual_seed(0)
    memory = spec.build(3).to(dtype)
    for parameter in memory.parameters():
        parameter.data += 0.2 * torch.randn_like(parameter)
    inputs, starts = torch.randn(1, 5, 3, dtype=dtype, requires_grad=True), torch.rand(1, 5) < density
    state = tuple(torch.randn_like(leaf, requires_grad=True) for leaf in memory.initial_state(5))
    weights = [torch.randn(1, 5, spec.hidden_size, dtype=dtype), *(torch.randn_like(leaf) for leaf in state)]
    expected = everything(memory, runner(memory, "loop", starts, "cpu"), inputs, state, weights)
    found = everything(memory, row_runner(memory, starts, "cpu"), inputs, state, weights)
    chosen, leaving = memory(inputs, state, starts)
    assert all(torch.equal(one, other) for one, other in zip((chosen, *leaving), found))
    for one, other in zip(found, expected, strict=True):
        scale = other.abs().max().clamp(min=1.0)
        torch.testing.assert_close(one / scale, other / scale, atol=tolerance, rtol=0)


@pytest.mark.parametrize("spec", SPECS, ids=repr)
def test_a_single_row_runs_on_the_meta_device_wherever_starts_are(spec):
    memory = spec.build(3).to("meta")
    for device in ("cpu", "meta"):
        starts = torch.zeros(1, 4, dtype=torch.bool, device=device)
        outputs, _ = memory(torch.zeros(1, 4, 3, device="meta"), memory.initial_state(4), starts)
        outputs.sum().backward()
        assert outputs.device.type == "meta"


def test_a_single_row_passes_no_nan_over_a_start():
    memory, starts = LSTM(hidden_size=4).build(3), torch.tensor([[True, False]])
    state = tuple(torch.full_like(leaf, torch.nan) for leaf in memory.initial_state(2))
    outputs, _ = memory(torch.zeros(1, 2, 3), state, starts)
    assert outputs[0, 0].isfinite().all()
    assert outputs[0, 1].isnan().all()


@pytest.mark.parametrize("segments", [1, 3])
def test_pieces_are_longest_first_and_cover_every_row_once(segments):
    starts = torch.rand(17, 6) < 0.2
    parts = deal(starts.numpy(), segments)
    assert sorted(row for part in parts for row in part.gather.tolist()) == list(range(17 * 6))
    for part in parts:
        assert part.sizes.tolist() == sorted(part.sizes.tolist(), reverse=True)
        assert part.sizes.sum() == len(part.gather)
        assert part.sizes[0] == len(part.columns)


def test_packing_is_undone_by_unpacking_and_so_are_gradients():
    pieces = cut(torch.rand(17, 6) < 0.2, torch.device("cpu"))
    assert pieces.gather[pieces.scatter].tolist() == list(range(17 * 6))
    rows = torch.randn(17, 6, 2, requires_grad=True)
    assert torch.equal(unpack(pieces, pack(pieces, rows), rows.shape), rows)
    (gradient,) = torch.autograd.grad((pack(pieces, rows) * pack(pieces, rows).detach()).sum(), rows)
    assert torch.equal(gradient, rows)


def test_the_fast_path_is_taken_in_float32_and_says_why_it_is_not(monkeypatch, caplog):
    monkeypatch.delenv("RECURRENT_RL_KERNELS", raising=False)
    memory, starts = GRU(hidden_size=4).build(3), torch.zeros(5, 2, dtype=torch.bool)
    inputs = torch.zeros(5, 2, 3)
    assert choose.choose_kernel(memory.cell, 4, inputs, starts).func is run_fused
    choose._say_once.cache_clear()
    with caplog.at_level(logging.INFO, logger="recurrent_rl"):
        assert choose.choose_kernel(memory.cell, 4, inputs.double(), starts).func is run_loop
        monkeypatch.setenv("RECURRENT_RL_KERNELS", "loop")
        assert choose.choose_kernel(memory.cell, 4, inputs, starts).func is run_loop
    assert "float64" in caplog.text
    assert "RECURRENT_RL_KERNELS=loop" in caplog.text


def test_without_numba_the_plain_loop_trains_and_the_log_says_what_to_install(monkeypatch):
    monkeypatch.delenv("RECURRENT_RL_KERNELS", raising=False)
    script = (
        "import sys; sys.modules['numba'] = None\n"
        "import torch\nfrom recurrent_rl.memory import GRU\n"
        "memory = GRU(hidden_size=4).build(3)\n"
        "outputs, _ = memory(torch.randn(5, 2, 3), memory.initial_state(2), torch.zeros(5, 2, dtype=torch.bool))\n"
        "outputs.sum().backward()\nprint('trained')"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert "trained" in done.stdout
    assert "pip install numba" in done.stderr


@pytest.mark.parametrize(
    ("shape", "state", "starts", "named"),
    [
        ((5, 2, 4), (2, 8), (5, 2), "input weights"),
        ((5, 2, 3), (3, 8), (5, 2), "state's leaf"),
        ((5, 2, 3), (2, 7), (5, 2), "state's leaf"),
        ((5, 2, 3), (2, 8), (5, 3), "starts"),
    ],
)
@pytest.mark.parametrize("kind", [RNN, LSTM, GRU])
def test_what_does_not_fit_is_refused_before_memory_is_read(kind, shape, state, starts, named, monkeypatch):
    monkeypatch.delenv("RECURRENT_RL_KERNELS", raising=False)
    memory = kind(hidden_size=8).build(3)
    leaves = tuple(torch.zeros(state[0], 1, state[1]) for _ in memory.initial_state(1))
    with pytest.raises(ValueError, match=named):
        memory(torch.zeros(shape), leaves, torch.zeros(starts, dtype=torch.bool))


def test_types_that_differ_are_refused_before_memory_is_read(monkeypatch):
    monkeypatch.delenv("RECURRENT_RL_KERNELS", raising=False)
    memory, starts = GRU(hidden_size=8).build(3), torch.zeros(5, 2, dtype=torch.bool)
    with pytest.raises(ValueError, match="float32"):
        memory(torch.zeros(5, 2, 3), tuple(leaf.double() for leaf in memory.initial_state(2)), starts)
    with pytest.raises(ValueError, match="float32"):
        memory.double()(torch.zeros(5, 2, 3), memory.initial_state(2), starts)


def test_a_second_derivative_is_refused_in_words(monkeypatch):
    monkeypatch.delenv("RECURRENT_RL_KERNELS", raising=False)
    memory, starts = GRU(hidden_size=4).build(3), torch.zeros(5, 2, dtype=torch.bool)
    inputs = torch.randn(5, 2, 3, requires_grad=True)
    outputs, _ = memory(inputs, memory.initial_state(2), starts)
    with pytest.raises(RuntimeError, match="RECURRENT_RL_KERNELS=loop"):
        torch.autograd.grad(outputs.sum(), inputs, create_graph=True)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("steps", [1, 12])
@pytest.mark.parametrize("spec", SPECS, ids=repr)
def test_cuda_equals_the_cpu(spec, steps):
    torch.manual_seed(0)
    memory = spec.build(3)
    inputs, starts = torch.randn(steps, 5, 3), torch.rand(steps, 5) < 0.2
    state = tuple(torch.randn_like(leaf) for leaf in memory.initial_state(5))
    expected, _ = memory(inputs, state, starts)
    memory.to("cuda")
    found, _ = memory(inputs.cuda(), tuple(leaf.cuda() for leaf in state), starts)
    torch.testing.assert_close(found.cpu(), expected, atol=1e-5, rtol=1e-4)
    if steps == 1:
        again, _ = memory(inputs.cuda(), tuple(leaf.cuda() for leaf in state), starts.cuda())
        assert torch.equal(again, found)
