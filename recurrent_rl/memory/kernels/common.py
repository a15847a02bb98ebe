"""What the fused loops share. Shapes: T rows, B columns, H units, G gates."""

import torch
from torch import Tensor


def reset(starts: Tensor, initial: Tensor, state: Tensor) -> Tensor:
    """Return [B, H]: `initial` [H] in the columns where `starts` [B, 1] is true, `state` [B, H] elsewhere."""
    return torch.where(starts, initial, state)


def entering(entry: Tensor, after: Tensor, initial: Tensor, starts: Tensor) -> Tensor:
    """Return the state that enters each row [T, B, H].

    Args:
        entry: [B, H], before the first row.
        after: [T, B, H], the state after each row.
        initial: [H].
        starts: [T, B, 1] bool.
    """
    before = torch.cat([entry.unsqueeze(0), after[:-1]])  # [T, B, H]
    return torch.where(starts, initial, before)


def split_reset_gradient(starts: Tensor, gradient: Tensor) -> tuple[Tensor, Tensor]:
    """Return the gradient of `reset` with respect to `initial` [H] and `state` [B, H]."""
    zero = gradient.new_zeros(())
    return torch.where(starts, gradient, zero).sum(0), torch.where(starts, zero, gradient)


def recurrent_weight_gradient(gradient: Tensor, entering_state: Tensor) -> Tensor:
    """Return d/dW of `entering_state @ W.T` summed over rows, [G H, H], in one product.

    Args:
        gradient: [T, B, G H].
        entering_state: [T, B, H].
    """
    return gradient.flatten(0, 1).t() @ entering_state.flatten(0, 1)
