"""Gradients are scaled as `torch.nn.utils.clip_grad_norm_` does it, in one pass."""

import pytest
import torch

from recurrent_rl.functional import clip_gradients

SHAPES = [(), (1,), (255,), (256, 3), (513,), (0,), (64, 64)]


@pytest.fixture(autouse=True)
def compiled(monkeypatch):
    monkeypatch.delenv("RECURRENT_RL_KERNELS", raising=False)


def parameters(scale, dtype):
    torch.manual_seed(0)
    found = [torch.nn.Parameter(torch.zeros(shape, dtype=dtype)) for shape in SHAPES]
    for parameter in found:
        parameter.grad = (scale * torch.randn(parameter.shape)).to(dtype)
    return found


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("scale", [0.0, 1e-4, 1.0, 1e3, float("inf"), float("nan")])
def test_norm_and_gradients_are_torchs(scale, dtype):
    ours, theirs = parameters(scale, dtype), parameters(scale, dtype)
    norm = clip_gradients([parameter.grad for parameter in ours], 0.5)
    expected = torch.nn.utils.clip_grad_norm_(theirs, 0.5)
    torch.testing.assert_close(norm, expected, rtol=1e-6, atol=0, equal_nan=True)
    for one, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(one.grad, other.grad, rtol=1e-6, atol=0, equal_nan=True)


def test_gradients_below_the_limit_keep_their_bits():
    ours, before = parameters(1e-4, torch.float32), parameters(1e-4, torch.float32)
    clip_gradients([parameter.grad for parameter in ours], 0.5)
    assert all(torch.equal(one.grad, other.grad) for one, other in zip(ours, before, strict=True))


def test_strides_meta_and_nothing_are_taken():
    transposed = torch.ones(4, 3).t()
    assert clip_gradients([transposed], 1.0).item() == pytest.approx(12**0.5)
    assert transposed.norm().item() == pytest.approx(1.0, rel=1e-5)
    assert clip_gradients([torch.ones(3, device="meta")], 1.0).is_meta
    assert clip_gradients([], 1.0).item() == 0.0
