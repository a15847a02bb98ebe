"""The compiled layer gives what torch's operations give."""

import pytest
import torch

from recurrent_rl.compiled.product import HAS_BFLOAT16
from recurrent_rl.functional import dense as module
from recurrent_rl.functional.dense import ACTIVATIONS, dense


@pytest.fixture(autouse=True)
def _always_compiled(monkeypatch):
    monkeypatch.delenv("RECURRENT_RL_KERNELS", raising=False)
    monkeypatch.setattr(module, "WORTH_A_PASS", 0)


def everything(function, x, weight, bias, outer):
    out = function(x, weight, bias)
    return [out, *torch.autograd.grad((out * outer).sum(), [x, weight, *([] if bias is None else [bias])])]


@pytest.mark.parametrize("activation", list(ACTIVATIONS))
@pytest.mark.parametrize(("shape", "outputs"), [((1, 1), 1), ((7, 3), 5), ((3, 50, 33), 64), ((2100, 40), 70)])
@pytest.mark.parametrize("has_bias", [True, False])
def test_values_and_gradients_equal_torchs(activation, shape, outputs, has_bias):
    torch.manual_seed(0)
    x, weight = torch.randn(shape, requires_grad=True), torch.randn(outputs, shape[-1], requires_grad=True)
    bias = torch.randn(outputs, requires_grad=True) if has_bias else None
    outer = torch.randn(*shape[:-1], outputs)
    found = everything(lambda *tensors: dense(*tensors, activation), x, weight, bias, outer)
    expected = everything(
        lambda x, w, b: ACTIVATIONS[activation](torch.nn.functional.linear(x, w, b)), x, weight, bias, outer
    )
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5 * max(1.0, other.abs().max().item()))


@pytest.mark.skipif(not HAS_BFLOAT16, reason="needs AVX512-BF16")
def test_autocast_rounds_to_bfloat16_and_keeps_float32():
    torch.manual_seed(0)
    x, weight, bias = torch.randn(300, 64), torch.randn(64, 64) / 8, torch.randn(64)
    exact = dense(x, weight, bias, "tanh")
    with torch.autocast("cpu", torch.bfloat16):
        found = dense(x, weight, bias, "tanh")
    assert found.dtype == torch.float32
    assert 1e-5 < (found - exact).abs().max() < 0.05


def test_a_second_derivative_is_refused_in_words():
    x, weight = torch.randn(5, 3, requires_grad=True), torch.randn(4, 3, requires_grad=True)
    with pytest.raises(RuntimeError, match="RECURRENT_RL_KERNELS=loop"):
        torch.autograd.grad(dense(x, weight, None, "tanh").sum(), x, create_graph=True)


@pytest.mark.parametrize("activation", list(ACTIVATIONS))
def test_a_nan_shows_in_the_gradient_as_it_does_in_torchs(activation):
    x, weight = torch.full((3, 2), torch.nan, requires_grad=True), torch.ones(4, 2, requires_grad=True)
    found = everything(lambda *tensors: dense(*tensors, activation), x, weight, None, torch.ones(3, 4))
    expected = everything(
        lambda x, w, _: ACTIVATIONS[activation](torch.nn.functional.linear(x, w)), x, weight, None, torch.ones(3, 4)
    )
    torch.testing.assert_close(found, expected, equal_nan=True)


def test_what_does_not_fit_is_left_to_torch_to_refuse():
    for weight in (torch.randn(4, 2), torch.randn(4, 3).double()):
        with pytest.raises(RuntimeError):
            dense(torch.randn(5, 3), weight, None, "tanh")
