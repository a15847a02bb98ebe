"""The pointwise part of gated layers, in one pass each way over rows [..., H]."""

from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import gelu

from recurrent_rl.compiled.choice import alike, refuse_second_derivatives, why_not


def gelu_with_skip(values: Tensor, weight: Tensor, inputs: Tensor) -> Tensor:
    """Return gelu(values + weight * inputs), [..., H], with gelu in its tanh form.

        gelu(x) = x / 2 (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3)))

    Args:
        values: [..., H].
        weight: [H].
        inputs: [..., H].

    Source: Hendrycks and Gimpel 2016, Gaussian Error Linear Units.
    """
    fits = weight.shape == values.shape[-1:] and (weight.dtype, weight.device) == (values.dtype, values.device)
    if fits and _compiles(values, inputs):
        return _Gelu.apply(values, weight, inputs)  # type: ignore[return-value]
    return gelu(torch.addcmul(values, inputs, weight), approximate="tanh")


def gated(values: Tensor, logits: Tensor) -> Tensor:
    """Return values * sigmoid(logits), [..., H] as both arguments are.

    Source: Dauphin et al. 2017, Language Modeling with Gated Convolutional Networks.
    """
    if _compiles(values, logits):
        return _Gated.apply(values, logits)  # type: ignore[return-value]
    return values * torch.sigmoid(logits)


def _compiles(values: Tensor, other: Tensor) -> bool:
    return values.numel() > values.shape[-1] and why_not(values) is None and alike(values, other)


class _Gelu(torch.autograd.Function):
    """(values [..., H], weight [H], inputs [..., H]) -> [..., H]."""

    @staticmethod
    def forward(ctx: Any, values, weight, inputs):
        """Return the outputs."""
        from recurrent_rl.functional import glu_kernels

        values, weight, inputs = values.contiguous(), weight.contiguous(), inputs.contiguous()
        outputs = torch.empty_like(values)
        _run(glu_kernels.gelu_forward, values, [weight, values, inputs, outputs])
        ctx.save_for_backward(values, weight, inputs)
        return outputs

    @staticmethod
    def backward(ctx: Any, gradient):
        """Return the gradients of values, weight and inputs."""
        refuse_second_derivatives()
        from recurrent_rl.functional import glu_kernels

        values, weight, inputs = ctx.saved_tensors
        of_values, of_inputs = torch.empty_like(values), torch.empty_like(inputs)
        of_weight = weight.new_zeros((torch.get_num_threads(), len(weight)))  # each part adds up its own
        by_row = [values, inputs, gradient.contiguous(), of_values, of_inputs]
        _run(glu_kernels.gelu_backward, values, [weight, of_weight, *by_row])
        return of_values, of_weight.sum(0), of_inputs


class _Gated(torch.autograd.Function):
    """(values, logits) -> values * sigmoid(logits), all [..., H]."""

    @staticmethod
    def forward(ctx: Any, values, logits):
        """Return the outputs."""
        from recurrent_rl.functional import glu_kernels

        values, logits = values.contiguous(), logits.contiguous()
        outputs = torch.empty_like(values)
        _run(glu_kernels.gated_forward, values, [values, logits, outputs])
        ctx.save_for_backward(values, logits)
        return outputs

    @staticmethod
    def backward(ctx: Any, gradient):
        """Return the gradients of values and logits."""
        refuse_second_derivatives()
        from recurrent_rl.functional import glu_kernels

        values, logits = ctx.saved_tensors
        of_values, of_logits = torch.empty_like(values), torch.empty_like(logits)
        _run(glu_kernels.gated_backward, values, [values, logits, gradient.contiguous(), of_values, of_logits])
        return of_values, of_logits


def _run(task: Any, values: Tensor, tensors: list[Tensor]) -> None:
    """Run a task over the rows of all values."""
    from recurrent_rl.compiled.threads import run_parts

    size = values.shape[-1]
    run_parts(task, values.numel() // size, values.numel(), [size], tensors)
