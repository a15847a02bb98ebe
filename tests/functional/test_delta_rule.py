"""Matrix memories by chunks are the plain loop: values, gradients, resets, at any number of rows."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from recurrent_rl.functional.delta_rule import CHUNK, Chunks, delta_rule, linear_attention, put_back, set_aside


def plain_delta_rule(queries, keys, values, rates, entry, starts):
    memory, outputs = entry, []
    for t in range(len(queries)):
        memory = torch.where(starts[t].view(-1, 1, 1, 1), 0.0, memory)
        error = values[t] - torch.einsum("bnvk,bnk->bnv", memory, keys[t])
        memory = memory + torch.einsum("bn,bnv,bnk->bnvk", rates[t], error, keys[t])
        outputs.append(torch.einsum("bnvk,bnk->bnv", memory, queries[t]))
    return torch.stack(outputs), memory


def plain_linear_attention(queries, keys, values, entry, starts):
    memory, outputs = entry, []
    for t in range(len(queries)):
        memory = torch.where(starts[t].view(-1, 1, 1, 1), 0.0, memory)
        memory = memory + torch.einsum("bnv,bnk->bnvk", values[t], keys[t])
        outputs.append(torch.einsum("bnvk,bnk->bnv", memory, queries[t]))
    return torch.stack(outputs), memory


RULES = {"delta": (delta_rule, plain_delta_rule), "sum": (linear_attention, plain_linear_attention)}


def arguments(kind, steps, columns=3, density=0.1, dtype=torch.float64, seed=0):
    torch.manual_seed(seed)
    heads, width, rows = 2, 4, 5
    queries, keys = torch.randn(2, steps, columns, heads, width, dtype=dtype)
    keys = keys / keys.norm(dim=-1, keepdim=True)
    tensors = [queries, keys, torch.randn(steps, columns, heads, rows, dtype=dtype)]
    if kind == "delta":
        tensors.append(torch.rand(steps, columns, heads, dtype=dtype))
    tensors.append(torch.randn(columns, heads, rows, width, dtype=dtype))
    return [tensor.detach().requires_grad_() for tensor in tensors], torch.rand(steps, columns) < density


def values_and_gradients(rule, tensors, starts):
    outputs, memory = rule(*tensors, starts)
    draw = torch.Generator().manual_seed(1)
    total = sum((x * torch.randn(x.shape, generator=draw, dtype=x.dtype)).sum() for x in (outputs, memory))
    return outputs, memory, *torch.autograd.grad(total, tensors)


def assert_same(kind, tensors, starts, tolerance):
    for found, expected in zip(*(values_and_gradients(rule, tensors, starts) for rule in RULES[kind]), strict=True):
        assert found.shape == expected.shape
        assert (found - expected).abs().max() <= tolerance * max(1.0, expected.abs().max().item())


@pytest.mark.parametrize("kind", RULES)
@settings(max_examples=20, deadline=None)
@given(steps=st.integers(1, 3 * CHUNK), density=st.sampled_from([0.0, 0.02, 0.3, 1.0]), seed=st.integers(0, 99))
def test_values_and_gradients_are_those_of_the_plain_loop(kind, steps, density, seed):
    tensors, starts = arguments(kind, steps, density=density, seed=seed)
    assert_same(kind, tensors, starts, 1e-10)


@pytest.mark.parametrize("kind", RULES)
def test_float32_is_the_plain_loop_within_rounding(kind):
    tensors, starts = arguments(kind, 200, density=0.01, dtype=torch.float32)
    assert_same(kind, tensors, starts, 2e-5)


@pytest.mark.parametrize("steps", [1, 2, CHUNK - 1, CHUNK, CHUNK + 1, 5 * CHUNK + 3])
def test_chunks_are_cut_and_joined_without_loss(steps):
    rows = torch.randn(steps, 3, 2, 4)
    chunks = Chunks.of(torch.zeros(steps, 3, dtype=torch.bool), rows.device)
    assert chunks.rows <= CHUNK
    assert chunks.count * chunks.rows - steps < chunks.rows
    assert torch.equal(chunks.join(chunks.cut(rows), steps), rows)


def test_masks_of_a_chunk_by_hand():
    starts = torch.tensor([[False], [True], [False], [False]])
    chunks = Chunks.of(starts, starts.device, rows=2)
    assert chunks.same[:, 0, 0].tolist() == [[[True, False], [False, True]], [[True, False], [True, True]]]
    assert chunks.inherits[:, 0, 0, :, 0].tolist() == [[True, False], [True, True]]
    assert chunks.whole.flatten().tolist() == [False, True]
    assert chunks.lasting[:, 0, 0, :, 0].tolist() == [[False, True], [True, True]]


def test_a_write_at_rate_one_replaces_what_the_key_held():
    steps = 70
    (_, keys, values, _, entry), starts = arguments("delta", steps, density=0.0)
    keys = keys.detach()[:1].expand(steps, -1, -1, -1)
    outputs, _ = delta_rule(keys, keys, values, torch.ones(steps, 3, 2).double(), entry, starts)
    torch.testing.assert_close(outputs, values, atol=1e-10, rtol=0)


def test_the_same_key_at_rate_one_stays_stable_over_2000_rows():
    (queries, _, values, _, entry), starts = arguments("delta", 2000, density=0.0, dtype=torch.float32)
    keys = torch.nn.functional.normalize(torch.ones_like(queries), dim=-1)
    sign = torch.where(torch.arange(2000) % 2 == 0, 1.0, -1.0).view(-1, 1, 1, 1)
    outputs, memory = delta_rule(queries, sign * keys, values, torch.ones(2000, 3, 2), entry, starts)
    assert outputs.abs().max() < 100
    assert memory.abs().max() < 10


@pytest.mark.parametrize("kind", RULES)
@pytest.mark.parametrize("steps", [1, 40])
def test_everything_but_starts_may_lie_on_the_meta_device(kind, steps):
    tensors, starts = arguments(kind, steps)
    moved = [tensor.detach().to("meta").requires_grad_() for tensor in tensors]
    outputs, memory = RULES[kind][0](*moved, starts)
    (outputs.sum() + memory.sum()).backward()
    assert outputs.shape == (steps, 3, 2, 5)
    assert all(tensor.grad.shape == tensor.shape for tensor in moved)


@pytest.mark.parametrize("kind", RULES)
@pytest.mark.parametrize("steps", [1, 6])
def test_under_autocast_everything_stays_float32(kind, steps):
    tensors, starts = arguments(kind, steps, dtype=torch.float32)
    expected = RULES[kind][0](*tensors, starts)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = RULES[kind][0](*tensors, starts)
    assert all(one.dtype == torch.float32 and torch.equal(one, other) for one, other in zip(found, expected))


def test_rows_that_are_not_finite_are_set_aside_to_the_end_of_their_episode():
    starts = torch.tensor([[0, 0], [0, 1], [1, 0], [0, 0], [0, 1]]).bool()
    inputs, state = torch.ones(5, 2, 2), (torch.ones(2, 1),)
    inputs[1, 0, 0], inputs[2, 1, 1] = torch.nan, torch.inf
    clean, _, lost = set_aside(inputs, state, starts)
    assert clean.isfinite().all()
    assert lost.T.int().tolist() == [[0, 1, 0, 0, 0], [0, 0, 1, 1, 0]]


def test_a_column_that_is_lost_is_set_aside_until_its_first_start():
    starts = torch.tensor([[False, False, False], [False, True, False], [False, False, False]])
    state = torch.tensor([[1.0], [2.0], [3.0]]), torch.tensor([torch.nan, torch.inf, 5.0])
    _, clean, lost = set_aside(torch.zeros(3, 3, 1), state, starts)
    assert [leaf.flatten().tolist() for leaf in clean] == [[0.0, 0.0, 3.0], [0.0, 0.0, 5.0]]
    assert lost.tolist() == [[True, True, False], [True, False, False], [True, False, False]]
    outputs, leaving = put_back(torch.zeros(3, 3, 1), clean, lost)
    assert torch.equal(outputs.squeeze(-1).isnan(), lost)
    assert [leaf.flatten().isnan().tolist() for leaf in leaving] == [[True, False, False]] * 2
