"""A linear scan is the plain loop: values, gradients, resets, real and complex, by every path."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from recurrent_rl.compiled import threads
from recurrent_rl.functional import scan
from recurrent_rl.functional.scan import linear_scan

TOLERANCES = {torch.float64: 1e-10, torch.complex128: 1e-10, torch.float32: 1e-5, torch.complex64: 1e-5}


@pytest.fixture
def compiled(monkeypatch):
    monkeypatch.delenv("RECURRENT_RL_KERNELS", raising=False)


def plain_loop(decays, updates, entry, initial, starts):
    state, states = entry, []
    for t in range(len(updates)):
        before = torch.where(starts[t].unsqueeze(-1), initial, state)
        state = (decays if decays.dim() == 1 else decays[t]) * before + updates[t]
        states.append(state)
    return torch.stack(states)


def arguments(steps, columns, size, dtype, constant=False, seed=0):
    torch.manual_seed(seed)
    shapes = [(size,) if constant else (steps, columns, size), (steps, columns, size), (columns, size), (size,)]
    tensors = [torch.randn(shape, dtype=dtype) for shape in shapes]
    tensors[0] = 0.9 * tensors[0] / tensors[0].abs().clamp(min=1.0)
    starts = torch.rand(steps, columns) < 0.2
    return [tensor.requires_grad_() for tensor in tensors], starts


def assert_same(run, other, tensors, starts, tolerance):
    results = []
    for function in (run, other):
        states = function(*tensors, starts)
        weights = torch.randn(states.shape, dtype=states.dtype, generator=torch.Generator().manual_seed(1))
        results.append((states, *torch.autograd.grad((states * weights).abs().square().sum(), tensors)))
    for one, two in zip(*results, strict=True):
        assert (one - two).abs().max() <= tolerance * max(1.0, two.abs().max().item())


@pytest.mark.parametrize("constant", [False, True], ids=["moving", "constant"])
@pytest.mark.parametrize("dtype", TOLERANCES, ids=str)
@settings(max_examples=15, deadline=None)
@given(steps=st.integers(1, 40), columns=st.integers(1, 5), size=st.integers(1, 19), seed=st.integers(0, 99))
def test_values_and_gradients_are_those_of_the_plain_loop(dtype, constant, steps, columns, size, seed):
    tensors, starts = arguments(steps, columns, size, dtype, constant, seed)
    assert_same(linear_scan, plain_loop, tensors, starts, TOLERANCES[dtype])


@pytest.mark.parametrize("dtype", [torch.float64, torch.complex128], ids=str)
@settings(max_examples=15, deadline=None)
@given(steps=st.integers(2, 70), seed=st.integers(0, 99))
def test_the_associative_scan_is_the_plain_loop(dtype, steps, seed):
    (decays, updates, entry, initial), starts = arguments(steps, 3, 4, dtype, seed=seed)

    def by_doubling(decays, updates, entry, initial, starts):
        rows = torch.where(starts.unsqueeze(-1), initial, torch.cat([entry.unsqueeze(0), 0 * updates[1:]]))
        return scan._by_doubling(decays, updates + decays * rows, starts)

    assert_same(by_doubling, plain_loop, [decays, updates, entry, initial], starts, 1e-10)


@pytest.mark.parametrize("dtype", TOLERANCES, ids=str)
@pytest.mark.parametrize("doubling", [False, True], ids=["as chosen", "by doubling"])
def test_no_nan_passes_a_start(dtype, doubling, monkeypatch):
    tensors, _ = arguments(20, 2, 3, dtype)
    starts = torch.zeros(20, 2, dtype=torch.bool)
    starts[11] = True
    decays, updates, entry, initial = tensors
    entry = torch.full_like(entry, torch.nan).requires_grad_()
    if doubling:
        states = scan._by_doubling(decays, updates + torch.where(starts.unsqueeze(-1), decays * initial, 0), starts)
        rows = torch.full_like(updates, torch.nan)
        rows[11:] = updates[11:]
        states = scan._by_doubling(decays, rows, starts)
    else:
        states = linear_scan(decays, updates, entry, initial, starts)
    assert states[11:].isfinite().all()
    if not doubling:
        gradients = torch.autograd.grad(states[11:].abs().sum(), tensors[:2])
        assert all(gradient[11:].isfinite().all() for gradient in gradients)
        assert (gradients[1][:11] == 0).all()


def test_the_torch_path_can_be_differentiated_twice():
    tensors, starts = arguments(12, 2, 3, torch.float64)
    assert torch.autograd.gradgradcheck(lambda *x: linear_scan(*x, starts), tensors)
    assert torch.autograd.gradcheck(lambda *x: linear_scan(*x, starts), tensors)


@pytest.mark.parametrize("steps", [1, 5, 40])
def test_everything_but_starts_may_lie_on_the_meta_device(steps):
    tensors, starts = arguments(steps, 3, 4, torch.float32)
    moved = [tensor.detach().to("meta").requires_grad_() for tensor in tensors]
    states = linear_scan(*moved, starts)
    states.sum().backward()
    assert states.shape == (steps, 3, 4)
    assert all(tensor.grad.shape == tensor.shape for tensor in moved)


def test_threads_give_what_one_thread_gives(monkeypatch):
    monkeypatch.setattr(threads, "WORTH_A_THREAD", 1)
    tensors, starts = arguments(30, 5, 7, torch.float32)
    assert_same(linear_scan, plain_loop, tensors, starts, 1e-5)


def test_under_autocast_states_stay_float32():
    tensors, starts = arguments(6, 2, 3, torch.float32)
    expected = linear_scan(*tensors, starts)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = linear_scan(tensors[0], tensors[1], *tensors[2:], starts)
    assert found.dtype == torch.float32
    assert torch.equal(found, expected)


@pytest.mark.parametrize("place", range(4))
def test_complex_arguments_may_be_lazily_conjugated(place, compiled):
    tensors, starts = arguments(6, 2, 3, torch.complex64)
    tensors = [tensor.detach() for tensor in tensors]
    tensors[place] = tensors[place].conj()
    torch.testing.assert_close(linear_scan(*tensors, starts), plain_loop(*tensors, starts))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
def test_starts_that_changed_before_the_way_back_are_noticed(dtype):
    tensors, starts = arguments(6, 2, 3, dtype)
    total = linear_scan(*tensors, starts).sum()
    starts.logical_not_()
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        total.backward()


def test_tensors_on_several_devices_are_refused_and_not_read_by_address(compiled):
    (decays, updates, entry, initial), starts = arguments(6, 2, 3, torch.float32)
    with pytest.raises(ValueError, match="device"):
        linear_scan(decays.detach().to("meta"), updates, entry, initial, starts)


def test_shapes_that_do_not_fit_are_refused(compiled):
    (decays, updates, entry, initial), starts = arguments(6, 2, 3, torch.float32)
    with pytest.raises(ValueError, match="do not fit"):
        linear_scan(decays, updates, entry[:1], initial, starts)
    for other in (decays[0], decays[:1], decays[:, :1]):
        with pytest.raises(ValueError, match="do not fit"):
            linear_scan(other, updates, entry, initial, starts)
