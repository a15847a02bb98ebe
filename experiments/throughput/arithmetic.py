"""The arithmetic that cannot be avoided: FLOPs, and the rate at which this machine multiplies matrices."""

import time
from functools import cache

import torch
from torch import Tensor, nn

from experiments.throughput.timing import Timing

SIZE = 2048
PRODUCT_FLOPS = 2 * SIZE**3


def flops_per_step(policy: nn.Module, n_epochs: int) -> int:
    """Return the FLOPs that one environment step costs, from the sizes of the layers.

    A weight matrix [m, n] is one product of 2 m n FLOPs. A step is acted on once, and each epoch costs three times that:
    forward, and the gradients of inputs and of weights. Everything that is no matrix product counts nothing.
    """
    forward = sum(2 * weight.numel() for weight in policy.parameters() if weight.ndim == 2)
    return forward * (1 + 3 * n_epochs)


@cache
def _factors(dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    return tuple(torch.randn(SIZE, SIZE, generator=generator).to(dtype) for _ in range(2))  # type: ignore[return-value]


def multiply(dtype: torch.dtype = torch.float32) -> Timing:
    """Time one product of two 2048 x 2048 matrices."""
    left, right = _factors(dtype)
    started = time.perf_counter()
    torch.mm(left, right)
    return Timing(time.perf_counter() - started)


def product_rate(dtype: torch.dtype, repetitions: int = 10) -> float:
    """Return the median FLOP/s of that product."""
    multiply(dtype)
    seconds = sorted(multiply(dtype).whole for _ in range(repetitions))
    return PRODUCT_FLOPS / seconds[repetitions // 2]
