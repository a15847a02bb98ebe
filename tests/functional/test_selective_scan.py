"""The selective scan is the plain loop: values, gradients, resets, blocks, threads, compiled and by torch's operations."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from recurrent_rl.compiled import threads
from recurrent_rl.functional import selective_scan as module
from recurrent_rl.functional.selective_scan import selective_scan

TOLERANCES = {torch.float64: 1e-10, torch.float32: 2e-5}


@pytest.fixture
def compiled(monkeypatch):
    monkeypatch.delenv("RECURRENT_RL_KERNELS", raising=False)


def plain_loop(steps, values, read, write, rates, entry, starts):
    state, outputs = entry, []
    for t, start in enumerate(starts):
        state = torch.where(start[:, None, None], 0.0, state)
        update = (steps[t] * values[t])[:, :, None] * read[t][:, None, :]
        state = torch.exp(steps[t][:, :, None] * rates) * state + update
        outputs.append((state * write[t][:, None, :]).sum(-1))
    return torch.stack(outputs), state


def arguments(rows, columns, channels, count, dtype=torch.float32, seed=0):
    torch.manual_seed(seed)
    steps = torch.rand(rows, columns, channels)
    values = torch.randn(rows, columns, channels)
    read, write = torch.randn(2, rows, columns, count)
    rates, entry = -3.0 * torch.rand(channels, count), torch.randn(columns, channels, count)
    tensors = [tensor.to(dtype).requires_grad_() for tensor in (steps, values, read, write, rates, entry)]
    return tensors, torch.rand(rows, columns) < 0.15


def results(function, tensors, starts):
    """Return outputs, last states, and the gradients through both."""
    outputs, last = function(*tensors, starts)
    weights = torch.Generator().manual_seed(1)
    total = sum((part * torch.randn(part.shape, generator=weights).to(part)).sum() for part in (outputs, last))
    return (outputs, last, *torch.autograd.grad(total, tensors))


def assert_same(function, tensors, starts, tolerance):
    for one, two in zip(results(function, tensors, starts), results(plain_loop, tensors, starts), strict=True):
        assert (one - two).abs().max() <= tolerance * max(1.0, two.abs().max().item())


@pytest.mark.parametrize("dtype", TOLERANCES, ids=str)
@settings(max_examples=25, deadline=None)
@given(
    rows=st.integers(1, 40), columns=st.integers(1, 4), channels=st.integers(1, 19), count=st.integers(1, 5),
    seed=st.integers(0, 99),
)  # fmt: skip
def test_values_and_gradients_are_those_of_the_plain_loop(dtype, rows, columns, channels, count, seed):
    tensors, starts = arguments(rows, columns, channels, count, dtype, seed)
    assert_same(selective_scan, tensors, starts, TOLERANCES[dtype])


def test_threads_give_what_one_thread_gives(monkeypatch, compiled):
    monkeypatch.setattr(threads, "WORTH_A_THREAD", 1)
    tensors, starts = arguments(35, 5, 7, 3)
    assert_same(selective_scan, tensors, starts, 2e-5)


@pytest.mark.parametrize("room", [1, 100, 10_000])
def test_pieces_that_are_computed_again_change_nothing(room, monkeypatch):
    monkeypatch.setattr(module, "ROOM", room)
    tensors, starts = arguments(21, 2, 5, 3, torch.float64)
    assert_same(selective_scan, tensors, starts, 1e-10)


@pytest.mark.parametrize("start", [0, 7, 15, 16, 17])
@pytest.mark.parametrize("dtype", TOLERANCES, ids=str)
def test_no_nan_and_no_gradient_passes_a_start(start, dtype):
    tensors, starts = arguments(20, 2, 5, 3, dtype)
    starts[:] = False
    starts[start] = True
    outputs, _ = selective_scan(*tensors, starts)
    gradients = torch.autograd.grad(outputs[start:].sum(), tensors)
    assert all((gradient[:start] == 0).all() for gradient in gradients[:4])
    assert (gradients[5] == 0).all()
    broken = [*tensors[:5], torch.full_like(tensors[5], torch.nan)]
    found, last = selective_scan(*broken, starts)
    assert torch.equal(found[start:], outputs[start:])
    assert last.isfinite().all()
    gradients = torch.autograd.grad(found[start:].sum(), tensors[:4])
    assert all(gradient[start:].isfinite().all() for gradient in gradients)


def test_arguments_that_are_not_contiguous_count_as_they_stand():
    (steps, *others), starts = arguments(9, 4, 5, 3)
    turned = steps.detach().transpose(0, 1).contiguous().transpose(0, 1).requires_grad_()
    assert_same(selective_scan, [turned, *others], starts, 2e-5)


@pytest.mark.parametrize("rows", [1, 18])
def test_everything_but_starts_may_lie_on_the_meta_device(rows):
    tensors, starts = arguments(rows, 2, 5, 3)
    outputs, last = selective_scan(*[tensor.detach().to("meta").requires_grad_() for tensor in tensors], starts)
    outputs.sum().backward()
    assert (outputs.shape, last.shape) == ((rows, 2, 5), (2, 5, 3))


@pytest.mark.parametrize("kernels", ["", "loop"])
@pytest.mark.parametrize("rows", [1, 18])
def test_autocast_rounds_nothing(rows, kernels, monkeypatch):
    monkeypatch.setenv("RECURRENT_RL_KERNELS", kernels)
    tensors, starts = arguments(rows, 2, 5, 3)
    expected = selective_scan(*tensors, starts)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = selective_scan(*tensors, starts)
    assert all(torch.equal(one, two) for one, two in zip(found, expected, strict=True))


def test_shapes_that_do_not_fit_are_refused(compiled):
    (steps, values, read, write, rates, entry), starts = arguments(6, 2, 5, 3)
    with pytest.raises(ValueError, match="expected"):
        selective_scan(steps, values, read[..., :2], write, rates, entry, starts)
    with pytest.raises(ValueError, match="expected"):
        selective_scan(steps, values, read, write, rates, entry[:1], starts)


def test_second_derivatives_are_refused_with_a_way_out(compiled):
    tensors, starts = arguments(6, 2, 5, 3)
    outputs, _ = selective_scan(*tensors, starts)
    with pytest.raises(RuntimeError, match="RECURRENT_RL_KERNELS=loop"):
        torch.autograd.grad(outputs.sum(), tensors[0], create_graph=True)
