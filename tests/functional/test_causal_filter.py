"""The filter over time is the plain loop over taps: values, gradients, windows passed on, resets, threads."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.functional import silu

from recurrent_rl.compiled import threads
from recurrent_rl.functional.causal_filter import filtered_silu, last_rows

TOLERANCES = {torch.float64: 1e-10, torch.float32: 1e-5}


@pytest.fixture
def compiled(monkeypatch):
    monkeypatch.delenv("RECURRENT_RL_KERNELS", raising=False)


def plain_loop(rows, window, taps, bias, starts):
    """Return outputs [T, B, E] and the window that remains, a column and a row at a time."""
    outputs, windows = torch.zeros_like(rows), []
    for b in range(rows.shape[1]):
        seen, made = list(window[:, b]), []
        for t, row in enumerate(rows[:, b]):
            if starts[t, b]:
                seen = [torch.zeros_like(row)] * len(window)
            seen = [*seen, row]
            made.append(silu(bias + sum(tap * one for tap, one in zip(taps, reversed(seen), strict=True))))
            seen = seen[1:]
        outputs = outputs.clone()
        outputs[:, b] = torch.stack(made)
        windows.append(torch.stack(seen) if seen else window[:, b])
    return outputs, torch.stack(windows, dim=1)


def arguments(steps, columns, size, taps, dtype=torch.float32, seed=0):
    torch.manual_seed(seed)
    shapes = [(steps, columns, size), (taps - 1, columns, size), (taps, size), (size,)]
    tensors = [torch.randn(shape).to(dtype).requires_grad_() for shape in shapes]
    return tensors, torch.rand(steps, columns) < 0.25


def assert_same(tensors, starts, tolerance):
    results = []
    for outputs in (filtered_silu(*tensors, starts), plain_loop(*tensors, starts)[0]):
        weights = torch.randn(outputs.shape, generator=torch.Generator().manual_seed(1)).to(outputs)
        sources = [tensor for tensor in tensors if tensor.numel()]
        gradients = torch.autograd.grad(
            (outputs * weights).sum(), sources, materialize_grads=True
        )  # all may be cut off
        results.append((outputs, *gradients))
    for one, two in zip(*results, strict=True):
        assert (one - two).abs().max() <= tolerance * max(1.0, two.abs().max().item())


@pytest.mark.parametrize("dtype", TOLERANCES, ids=str)
@settings(max_examples=30, deadline=None)
@given(
    steps=st.integers(1, 12), columns=st.integers(1, 3), size=st.integers(1, 11), taps=st.integers(1, 5),
    seed=st.integers(0, 99),
)  # fmt: skip
def test_values_gradients_and_windows_are_those_of_the_plain_loop(dtype, steps, columns, size, taps, seed):
    tensors, starts = arguments(steps, columns, size, taps, dtype, seed)
    assert_same(tensors, starts, TOLERANCES[dtype])
    assert torch.equal(last_rows(*tensors[:2], starts), plain_loop(*tensors, starts)[1])


def test_threads_give_what_one_thread_gives(monkeypatch, compiled):
    monkeypatch.setattr(threads, "WORTH_A_THREAD", 1)
    assert_same(*arguments(20, 5, 7, 4), 1e-5)


@pytest.mark.parametrize("dtype", TOLERANCES, ids=str)
def test_no_nan_and_no_gradient_passes_a_start(dtype):
    (rows, window, taps, bias), starts = arguments(9, 2, 3, 4, dtype)
    starts[:] = False
    starts[4] = True
    rows, window = rows.detach().clone(), torch.full_like(window, torch.nan)
    rows[:4] = torch.nan
    rows.requires_grad_()
    outputs = filtered_silu(rows, window, taps, bias, starts)
    assert outputs[4:].isfinite().all()
    (gradient,) = torch.autograd.grad(outputs[4:].sum(), rows)
    assert gradient[4:].isfinite().all()
    assert last_rows(rows, window, starts).isfinite().all()


def test_shapes_that_do_not_fit_are_refused(compiled):
    (rows, window, taps, bias), starts = arguments(6, 2, 3, 4)
    with pytest.raises(ValueError, match="expected"):
        filtered_silu(rows, window[1:], taps, bias, starts)


def test_second_derivatives_are_refused_with_a_way_out(compiled):
    tensors, starts = arguments(6, 2, 3, 4)
    with pytest.raises(RuntimeError, match="RECURRENT_RL_KERNELS=loop"):
        torch.autograd.grad(filtered_silu(*tensors, starts).sum(), tensors[0], create_graph=True)
