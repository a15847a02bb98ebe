"""Fully connected layers with their activation, by the compiled pass where that is worth it."""

from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import linear

from recurrent_rl.compiled.choice import bfloat16_wanted, refuse_second_derivatives, why_not

WORTH_A_PASS = 2**17  # multiplications, 3 microseconds; below, torch's own operations are called more quickly
ACTIVATIONS = {"none": lambda x: x, "tanh": torch.tanh, "relu": torch.relu}


def dense(x: Tensor, weight: Tensor, bias: Tensor | None, activation: str = "none") -> Tensor:
    """Return f(x W^T + b), [..., O].

    Args:
        x: [..., I].
        weight: W [O, I].
        bias: b [O], or None.
        activation: f, one of "none", "tanh" and "relu".
    """
    if why_not(x) is not None or not _fits(x, weight, bias):
        return ACTIVATIONS[activation](linear(x, weight, bias))
    if x.numel() * len(weight) < WORTH_A_PASS:
        return _by_operations(x, weight, bias, activation)
    with_bias = weight.new_zeros(len(weight)) if bias is None else bias
    return _Dense.apply(x, weight, with_bias, activation, bfloat16_wanted())  # type: ignore[return-value]


def _fits(x: Tensor, weight: Tensor, bias: Tensor | None) -> bool:
    """Whether the compiled pass, which reads memory by addresses alone, finds what it expects there."""
    parameters = [weight] if bias is None else [weight, bias]
    same = all((tensor.dtype, tensor.device) == (x.dtype, x.device) for tensor in parameters)
    return same and weight.shape[1:] == x.shape[-1:] and (bias is None or bias.shape == weight.shape[:1])


def _by_operations(x: Tensor, weight: Tensor, bias: Tensor | None, activation: str) -> Tensor:
    if torch.is_autocast_enabled("cpu"):  # for so few numbers it costs more than it gains
        with torch.autocast("cpu", enabled=False):
            return ACTIVATIONS[activation](linear(x, weight, bias))
    return ACTIVATIONS[activation](linear(x, weight, bias))


class _Dense(torch.autograd.Function):
    """(x [..., I], W [O, I], b [O]) -> f(x W^T + b) [..., O]."""

    @staticmethod
    def forward(ctx: Any, x, weight, bias, activation, bfloat16):
        """Return the outputs."""
        from recurrent_rl.compiled.dense_calls import run_forward

        x, weight, bias = x.contiguous(), weight.contiguous(), bias.contiguous()
        out = x.new_empty((*x.shape[:-1], len(weight)))
        run_forward(x, weight, bias, out, activation, bfloat16)
        ctx.save_for_backward(x, weight, bias, out)
        ctx.activation, ctx.bfloat16 = activation, bfloat16
        return out

    @staticmethod
    def backward(ctx: Any, grad_out):
        """Return the gradients of x, W and b."""
        refuse_second_derivatives()
        from recurrent_rl.compiled.dense_calls import run_backward

        x, weight, bias, out = ctx.saved_tensors
        grad_out, wants_x = grad_out.contiguous(), ctx.needs_input_grad[0]
        gradients = run_backward(x, weight, bias, out, grad_out, ctx.activation, ctx.bfloat16, wants_x)
        return *gradients, None, None
