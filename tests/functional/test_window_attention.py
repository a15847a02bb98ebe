"""Window attention is the plain sum over one's own last rows: values, gradients, no NaN from out of reach."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from recurrent_rl.functional import window_attention as module
from recurrent_rl.functional.window_attention import leaving_rows, own_rows, rows_in_reach, window_attention


def plain(queries, keys, values, bias, reach):
    """The same, number by number."""
    steps, columns, size = queries.shape
    heads, before = len(bias), len(keys) - steps
    width = size // heads
    outputs = torch.zeros_like(queries)
    for t in range(steps):
        for b in range(columns):
            for head in range(heads):
                part = slice(head * width, (head + 1) * width)
                seen = [before + t - n for n in range(int(reach[t, b]) + 1)]
                scores = torch.stack([queries[t, b, part] @ keys[row, b, part] for row in seen]) / width**0.5
                weights = (scores + bias[head, : len(seen)]).softmax(0)
                outputs[t, b, part] = sum(weight * values[row, b, part] for weight, row in zip(weights, seen))
    return outputs


def arguments(steps, columns, window, heads, seed):
    torch.manual_seed(seed)
    starts, held = torch.rand(steps, columns) < 0.15, torch.randint(window, (columns,))
    reach = rows_in_reach(starts, held, window - 1)
    rows = window - 1 + steps
    shapes = [(steps, columns, 3 * heads), (rows, columns, 3 * heads), (rows, columns, 3 * heads), (heads, window)]
    return [torch.randn(shape, dtype=torch.float64).requires_grad_() for shape in shapes], reach


@settings(max_examples=25, deadline=None)
@given(
    steps=st.integers(1, 50), columns=st.integers(1, 3), window=st.integers(1, 20), heads=st.integers(1, 3),
    seed=st.integers(0, 99),
)  # fmt: skip
def test_values_and_gradients_are_those_of_the_plain_sum(steps, columns, window, heads, seed):
    tensors, reach = arguments(steps, columns, window, heads, seed)
    results = []
    for function in (window_attention, plain):
        outputs = function(*tensors, reach)
        weights = torch.randn(outputs.shape, dtype=outputs.dtype, generator=torch.Generator().manual_seed(1))
        results.append((outputs, *torch.autograd.grad((outputs * weights).sum(), tensors)))
    for one, other in zip(*results, strict=True):
        torch.testing.assert_close(one, other, atol=1e-10, rtol=0)


@settings(max_examples=30, deadline=None)
@given(steps=st.integers(1, 20), most=st.integers(0, 9), seed=st.integers(0, 99))
def test_reach_counts_the_rows_since_the_start(steps, most, seed):
    torch.manual_seed(seed)
    starts, held = torch.rand(steps, 3) < 0.2, torch.randint(most + 1, (3,))
    count, expected = held, []
    for flags in starts:
        count = torch.where(flags, 0, count)
        expected.append(count)
        count = (count + 1).clamp(max=most)
    assert torch.equal(rows_in_reach(starts, held, most), torch.stack(expected))


def test_own_rows_are_the_last_held_ones_and_nothing_comes_from_the_others():
    rows = torch.arange(1.0, 13.0).reshape(4, 3, 1)
    rows[0] = torch.nan
    rows.requires_grad_()
    kept = own_rows(rows, torch.tensor([0, 1, 3]))
    assert kept.squeeze(-1).t().tolist() == [[0, 0, 0, 0], [0, 0, 0, 11], [0, 6, 9, 12]]
    (gradient,) = torch.autograd.grad(kept.sum(), rows)
    assert torch.equal(gradient, (kept.detach() != 0).float())


def test_leaving_rows_after_one_step_are_those_after_many():
    rows, held = torch.randn(6, 2, 3), torch.tensor([2, 5])
    rows = own_rows(rows, torch.tensor([2, 6]))  # what steps 0 and 1 have left
    assert torch.equal(leaving_rows(rows, 1, held), own_rows(rows[1:], held).transpose(0, 1))


@pytest.mark.parametrize("poisoned", [0, 1, 2], ids=["queries", "keys", "values"])
@pytest.mark.parametrize("bad", [torch.nan, torch.inf, -torch.inf])
@pytest.mark.parametrize("steps", [12, 60])
def test_what_is_not_finite_reaches_its_own_episode_and_no_further(poisoned, bad, steps):
    tensors, _ = arguments(steps, 2, window=8, heads=2, seed=0)
    starts = torch.zeros(steps, 2, dtype=torch.bool)
    starts[6, 0] = True
    reach = rows_in_reach(starts, torch.full((2,), 7), 7)
    tensors[poisoned] = tensors[poisoned].detach().clone()
    row = 5 if poisoned == 0 else 12  # of the queries, and the same of keys and values, which begin 7 rows earlier
    tensors[poisoned][row, 0, 0] = bad
    for tensor in tensors:
        tensor.requires_grad_()
    outputs = window_attention(*tensors, reach)
    assert outputs[5, 0].isnan().all()
    clean = torch.ones(steps, 2, dtype=torch.bool)
    clean[5, 0] = False
    assert outputs[clean].isfinite().all()
    for gradient in torch.autograd.grad(outputs.square().sum(), tensors, retain_graph=True):
        assert gradient.isfinite().all()
    with_replaced = [torch.where(tensor.isfinite(), tensor, 0.0) for tensor in tensors]
    torch.testing.assert_close(outputs[clean], window_attention(*with_replaced, reach)[clean])


def test_scores_grow_with_the_window_and_not_with_time(monkeypatch):
    sizes, attend = [], module._attend

    def counted(queries, keys, values, bias, visible):
        sizes.append(visible.numel())
        return attend(queries, keys, values, bias, visible)

    monkeypatch.setattr(module, "_attend", counted)
    tensors, reach = arguments(2000, 1, window=32, heads=1, seed=0)
    window_attention(*tensors, reach)
    assert sum(sizes) <= 2016 * (2 * 32 - 1)
