"""Pointwise recurrences are the plain loop: values, gradients, resets, compiled and by torch's operations."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from recurrent_rl.compiled import threads
from recurrent_rl.functional.pointwise import gated_scan, paired_scan, relu_scan

TOLERANCES = {torch.float64: 1e-10, torch.float32: 1e-5}
SCANS = {gated_scan: 2, paired_scan: 3, relu_scan: 1}


@pytest.fixture
def compiled(monkeypatch):
    monkeypatch.delenv("RECURRENT_RL_KERNELS", raising=False)


def gated_step(h, row, span):
    logits, candidates = row.chunk(2, dim=-1)
    return (1 - span * logits.sigmoid()) * h + logits.sigmoid() * candidates


def paired_step(h, row, span):
    i, f, candidates = row.chunk(3, dim=-1)
    z = i.sigmoid() / (i.sigmoid() + f.sigmoid())
    return (1 - span * z) * h + z * candidates


def relu_step(h, row, weight):
    return torch.relu(weight * h + row)


STEPS = {gated_scan: gated_step, paired_scan: paired_step, relu_scan: relu_step}


def plain_loop(step, rows, weight, entry, initial, starts):
    state, states = entry, []
    for row, start in zip(rows, starts, strict=True):
        state = step(torch.where(start.unsqueeze(-1), initial, state), row, weight)
        states.append(state)
    return torch.stack(states)


def arguments(scan, steps, columns, size, dtype=torch.float32, seed=0):
    torch.manual_seed(seed)
    rows, entry, initial = (
        torch.randn(steps, columns, SCANS[scan] * size),
        torch.randn(columns, size),
        torch.randn(size),
    )
    weight = torch.rand(size) if scan is relu_scan else torch.randint(1, 3, (size,)).float()
    tensors = [tensor.to(dtype) for tensor in (rows, weight, entry, initial)]
    for tensor in tensors if scan is relu_scan else (tensors[0], *tensors[2:]):
        tensor.requires_grad_()
    return tensors, torch.rand(steps, columns) < 0.2


def assert_same(function, other, tensors, starts, tolerance):
    results, sources = [], [tensor for tensor in tensors if tensor.requires_grad]
    for run in (function, other):
        states = run(*tensors, starts)
        weights = torch.randn(states.shape, dtype=states.dtype, generator=torch.Generator().manual_seed(1))
        results.append((states, *torch.autograd.grad((states * weights).sum(), sources)))
    for one, two in zip(*results, strict=True):
        assert (one - two).abs().max() <= tolerance * max(1.0, two.abs().max().item())


@pytest.mark.parametrize("dtype", TOLERANCES, ids=str)
@pytest.mark.parametrize("scan", SCANS)
@settings(max_examples=20, deadline=None)
@given(steps=st.integers(1, 30), columns=st.integers(1, 5), size=st.integers(1, 19), seed=st.integers(0, 99))
def test_values_and_gradients_are_those_of_the_plain_loop(scan, dtype, steps, columns, size, seed):
    tensors, starts = arguments(scan, steps, columns, size, dtype, seed)
    assert_same(scan, lambda *x: plain_loop(STEPS[scan], *x), tensors, starts, TOLERANCES[dtype])


@pytest.mark.parametrize("scan", SCANS)
def test_threads_give_what_one_thread_gives(scan, monkeypatch):
    monkeypatch.setattr(threads, "WORTH_A_THREAD", 1)
    tensors, starts = arguments(scan, 30, 5, 7)
    assert_same(scan, lambda *x: plain_loop(STEPS[scan], *x), tensors, starts, 1e-5)


@pytest.mark.parametrize("dtype", TOLERANCES, ids=str)
@pytest.mark.parametrize("scan", SCANS)
def test_no_nan_passes_a_start(scan, dtype):
    (rows, weight, entry, initial), starts = arguments(scan, 20, 2, 3, dtype)
    starts[:11], starts[11] = False, True
    states = scan(rows, weight, torch.full_like(entry, torch.nan), initial, starts)
    assert states[11:].isfinite().all()
    (gradient,) = torch.autograd.grad(states[11:].sum(), [rows])
    assert gradient[11:].isfinite().all()


@pytest.mark.parametrize("dtype", TOLERANCES, ids=str)
@pytest.mark.parametrize("scan", SCANS)
def test_a_nan_in_the_first_block_shows_in_the_states(scan, dtype):
    (rows, weight, entry, initial), starts = arguments(scan, 4, 2, 3, dtype)
    rows = torch.cat([torch.full_like(rows[..., :3], torch.nan), rows[..., 3:]], dim=-1)
    assert scan(rows, weight, entry, initial, starts).isnan().all()


@pytest.mark.parametrize("scan", [gated_scan, paired_scan])
def test_gates_are_right_to_rounding_from_closed_to_open(scan, compiled):
    logits = torch.linspace(-120.0, 120.0, 4801)
    blocks = [logits] if scan is gated_scan else [0.75 * logits, -0.25 * logits]
    gates = torch.cat([*blocks, torch.ones_like(logits)]).expand(2, 1, -1)  # h = 0 and c = 1: h' is z
    nothing, starts = torch.zeros_like(logits), torch.ones(2, 1, dtype=torch.bool)
    found = scan(gates, torch.ones_like(logits), nothing.unsqueeze(0), nothing, starts)[0, 0]
    exact = scan(gates.double(), nothing.double() + 1, nothing.double().unsqueeze(0), nothing.double(), starts)[0, 0]
    some = exact > 1e-29
    assert ((found - exact)[some].abs() <= 1e-6 * exact[some]).all()
    assert (found[exact < 1e-31] == 0).all()
    assert (found[exact > 1 - 1e-9] == 1).all()


@pytest.mark.parametrize("dtype", TOLERANCES, ids=str)
def test_two_closed_gates_share_as_their_logits_differ(dtype):
    gates = torch.tensor([-60.0, -61.0, 1.0], dtype=dtype).expand(2, 1, 3)
    one, starts = torch.ones(1, dtype=dtype), torch.ones(2, 1, dtype=torch.bool)
    z = paired_scan(gates, one, 0 * one.unsqueeze(0), 0 * one, starts)[0, 0, 0]
    torch.testing.assert_close(z, torch.sigmoid(one[0]))


@pytest.mark.parametrize("scan", SCANS)
@pytest.mark.parametrize("steps", [1, 5])
def test_everything_but_starts_may_lie_on_the_meta_device(scan, steps):
    tensors, starts = arguments(scan, steps, 3, 4)
    rows, weight, entry, initial = [tensor.detach().to("meta").requires_grad_() for tensor in tensors]
    states = scan(rows, weight, entry, initial, starts)
    states.sum().backward()
    assert states.shape == (steps, 3, 4)


@pytest.mark.parametrize("scan", SCANS)
def test_under_autocast_states_stay_float32(scan):
    (rows, weight, entry, initial), starts = arguments(scan, 6, 2, 3)
    expected = scan(rows, weight, entry, initial, starts)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = scan(rows.bfloat16(), weight, entry, initial, starts)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, expected, atol=0.1, rtol=0.1)  # the rows were rounded


def test_shapes_that_do_not_fit_are_refused(compiled):
    (rows, weight, entry, initial), starts = arguments(gated_scan, 6, 2, 3)
    with pytest.raises(ValueError, match="expected"):
        gated_scan(rows, weight, entry[:1], initial, starts)


def test_second_derivatives_are_refused_with_a_way_out(compiled):
    (rows, weight, entry, initial), starts = arguments(gated_scan, 6, 2, 3)
    states = gated_scan(rows, weight, entry, initial, starts)
    with pytest.raises(RuntimeError, match="RECURRENT_RL_KERNELS=loop"):
        torch.autograd.grad(states.sum(), rows, create_graph=True)


@pytest.mark.parametrize(
    ("i", "f"), [(-100.0, -90.0), (-90.0, -100.0), (-85.0, -82.0), (-3000.0, -2999.0), (200.0, 100.0)]
)
def test_gates_that_are_closed_beyond_the_reach_of_exp_still_share_by_their_difference(i, f, compiled):
    results = []
    for dtype in (torch.float32, torch.float64):
        gates = torch.tensor([i, f, 1.0], dtype=dtype).expand(3, 1, -1).clone().requires_grad_()
        nothing, starts = torch.zeros(1, dtype=dtype), torch.tensor([[True], [False], [False]])
        states = paired_scan(gates, torch.ones(1, dtype=dtype), nothing.unsqueeze(0), nothing, starts)
        results.append((states, *torch.autograd.grad(states.sum(), gates)))
    for found, exact in zip(*results, strict=True):
        torch.testing.assert_close(found.double(), exact, atol=1e-6, rtol=1e-4)
