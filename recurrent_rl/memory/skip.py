"""The direct way from inputs to outputs of a linear system, D x: diagonal where there are as many of both."""

import torch
from torch import Tensor

from recurrent_rl.functional.dense import dense


def initial_skip(outputs: int, inputs: int) -> Tensor:
    """Return D [H, I] with variance 1 / I, or its diagonal [H] with variance 1 where it is square."""
    return torch.randn(outputs) if outputs == inputs else torch.randn(outputs, inputs) / inputs**0.5


def add_skip(outputs: Tensor, skip: Tensor, inputs: Tensor) -> Tensor:
    """Return outputs + D x [T, B, H] for inputs x [T, B, I]."""
    return torch.addcmul(outputs, inputs, skip) if skip.dim() == 1 else outputs + dense(inputs, skip, None)
