"""What the fused loops share. R packed rows, S pieces, H units, G gates.

Packed rows are ordered as in torch's PackedSequence: row k of every piece that is so long, longest piece first, then row
k + 1. `sizes[k]` is the number of pieces with a row k; it never grows.
"""

import torch
from torch import Tensor


def rows_of(packed: Tensor, sizes: list[int]) -> tuple[Tensor, ...]:
    """Return views [sizes[k], ...] of [R, ...], one per step k."""
    return packed.split(sizes)


def entering(entry: Tensor, after: Tensor, sizes: list[int]) -> Tensor:
    """Return the state that enters each packed row [R, H].

    Args:
        entry: [S, H], before each piece's first row.
        after: [R, H], the state after each row.
        sizes: Pieces per step.
    """
    before = [rows[:n] for rows, n in zip(after.split(sizes), sizes[1:])]
    return torch.cat([entry, *before])


def carried(gradient: Tensor, entry: Tensor, sizes: list[int]) -> tuple[list[Tensor], list[Tensor]]:
    """Return buffers in which a gradient with respect to the state runs backwards in time.

    Args:
        gradient: [R, H], with respect to the state after each row; copied.
        entry: [S, H], for its shape.
        sizes: Pieces per step.

    Returns:
        The buffer of the entry state [S, H] followed by those after each step [sizes[k], H]; and for each step the part of
        the buffer before it that this step's rows continue, [sizes[k], H].
    """
    buffers = [torch.zeros_like(entry), *gradient.clone().split(sizes)]
    return buffers, [buffer[:n] for buffer, n in zip(buffers, sizes)]


def weight_gradient(gradient: Tensor, entering_state: Tensor) -> Tensor:
    """Return d/dW of `entering_state @ W.T` summed over rows, [G H, H], in one product.

    Args:
        gradient: [R, G H].
        entering_state: [R, H].
    """
    return gradient.t() @ entering_state
