"""Gated layers' pointwise passes are torch's operations: values, gradients, threads, what does not fit."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from recurrent_rl.compiled import threads
from recurrent_rl.functional.glu import gated, gelu_with_skip


@pytest.fixture
def compiled(monkeypatch):
    monkeypatch.delenv("RECURRENT_RL_KERNELS", raising=False)


def plain_gelu(values, weight, inputs):
    x = values + weight * inputs
    return 0.5 * x * (1 + torch.tanh((2 / torch.pi) ** 0.5 * (x + 0.044715 * x**3)))


def plain_gate(values, logits):
    return values * logits.sigmoid()


PASSES = {"gelu": (gelu_with_skip, plain_gelu), "gate": (gated, plain_gate)}


def arguments(name, shape, scale=3.0):
    values, other, weight = scale * torch.randn(shape), scale * torch.randn(shape), torch.randn(shape[-1])
    return [values, weight, other] if name == "gelu" else [values, other]


def with_gradients(function, tensors):
    tensors = [tensor.clone().requires_grad_() for tensor in tensors]
    outputs = function(*tensors)
    weights = torch.randn(outputs.shape, generator=torch.Generator().manual_seed(1)).to(outputs)
    return (outputs, *torch.autograd.grad((outputs * weights).sum(), tensors))


def assert_same(name, tensors):
    function, plain = PASSES[name]
    exact = with_gradients(plain, [tensor.double() for tensor in tensors])
    summed = max(tensor.numel() for tensor in tensors) ** 0.5  # a weight's gradient adds up all rows, each rounded
    for found, wanted in zip(with_gradients(function, tensors), exact, strict=True):
        assert (found - wanted).abs().max() <= 2e-6 * summed * max(1.0, wanted.abs().max().item())


@pytest.mark.parametrize("name", PASSES)
@settings(max_examples=20, deadline=None)
@given(rows=st.integers(1, 30), columns=st.integers(1, 4), size=st.integers(1, 40), seed=st.integers(0, 99))
def test_values_and_gradients_are_those_of_torch_in_float64(name, rows, columns, size, seed):
    torch.manual_seed(seed)
    assert_same(name, arguments(name, (rows, columns, size)))


@pytest.mark.parametrize("name", PASSES)
def test_threads_share_the_rows_and_add_up_their_gradients(name, monkeypatch, compiled):
    monkeypatch.setattr(threads, "WORTH_A_THREAD", 1)
    torch.manual_seed(0)
    assert_same(name, arguments(name, (31, 3, 9)))


@pytest.mark.parametrize("name", PASSES)
def test_huge_numbers_give_numbers_and_nan_stays_nan(name, compiled):
    huge = torch.tensor([[-1e20, -50.0, -16.5, 0.0, 16.5, 50.0, 1e20]]).expand(2, -1)
    ones = torch.ones(7)
    tensors = [huge, ones, torch.zeros(2, 7)] if name == "gelu" else [huge, huge]
    assert all(result.isfinite().all() for result in with_gradients(PASSES[name][0], tensors))
    tensors[0] = torch.full((2, 7), torch.nan)
    assert PASSES[name][0](*tensors).isnan().all()


@pytest.mark.parametrize("name", PASSES)
def test_nothing_huge_passes_a_closed_gate(name, compiled):
    huge = torch.tensor([-3e38, -1e30]).expand(2, -1)
    tensors = [huge, torch.ones(2), torch.zeros(2, 2)] if name == "gelu" else [huge, torch.full((2, 2), -100.0)]
    function = PASSES[name][0]
    assert (function(*tensors) == 0).all()
    gradients = with_gradients(function, tensors)[1:]
    assert (gradients[0] == 0).all()
    assert (gradients[-1] == 0).all()


@pytest.mark.parametrize("name", PASSES)
def test_what_is_not_contiguous_counts_as_it_stands(name):
    torch.manual_seed(0)
    turned = [tensor.transpose(0, 1) if tensor.dim() == 3 else tensor for tensor in arguments(name, (5, 6, 7))]
    assert_same(name, turned)


@pytest.mark.parametrize("name", PASSES)
def test_all_may_lie_on_the_meta_device(name):
    tensors = [tensor.to("meta") for tensor in arguments(name, (3, 2, 5))]
    assert with_gradients(PASSES[name][0], tensors)[0].shape == (3, 2, 5)


def test_shapes_that_differ_are_broadcast_by_torch_and_not_read_past_their_end(compiled):
    values, logits = torch.randn(4, 3, 5), torch.randn(5)
    torch.testing.assert_close(gated(values, logits), values * logits.sigmoid())
    torch.testing.assert_close(gelu_with_skip(values, torch.ones(1), values), plain_gelu(values, torch.ones(1), values))


@pytest.mark.parametrize("name", PASSES)
def test_second_derivatives_are_refused_with_a_way_out(name, compiled):
    tensors = [tensor.requires_grad_() for tensor in arguments(name, (4, 2, 3))]
    outputs = PASSES[name][0](*tensors)
    with pytest.raises(RuntimeError, match="RECURRENT_RL_KERNELS=loop"):
        torch.autograd.grad(outputs.sum(), tensors, create_graph=True)
