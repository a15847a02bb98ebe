"""Positions for attention that are computed, not learned, so that they go on beyond the lengths seen in training."""

import torch
from torch import Tensor

LONGEST_WAVE = 10_000.0


def angles(steps: int, size: int, like: Tensor) -> Tensor:
    """Return angles [T, size / 2] of step t: t / 10000^(2 i / size), on the device of `like`.

    In its type, but at least in float32: in bfloat16 steps 256 and 257 would be the same.
    """
    rates = LONGEST_WAVE ** -(torch.arange(0, size, 2, dtype=torch.float64) / size)
    turns = torch.arange(steps, dtype=torch.float64).unsqueeze(1) * rates
    return turns.to(like.device, torch.promote_types(like.dtype, torch.float32), non_blocking=True)


def sinusoids(steps: int, size: int, like: Tensor) -> Tensor:
    """Return positions [T, size] to add to inputs of the type of `like`: sines and cosines of the angles in turn.

    Source: Vaswani et al. 2017, Attention Is All You Need.
    """
    turns = angles(steps, size, like)
    return torch.stack([turns.sin(), turns.cos()], dim=-1).flatten(1).to(like.dtype)  # [T, size]


def rotate(x: Tensor, turns: Tensor) -> Tensor:
    """Return queries or keys [..., T, d] with numbers i and i + d / 2 turned, as a pair, by angle i of [T, d / 2].

    The product of a query and a key then depends on how far apart they are, not on where they stand.

    Source: Su et al. 2021, RoFormer: Enhanced Transformer with Rotary Position Embedding (there neighbours are pairs).
    """
    one, other = x.chunk(2, dim=-1)  # [..., T, d / 2]
    sine, cosine = turns.sin(), turns.cos()
    return torch.cat([one * cosine - other * sine, one * sine + other * cosine], dim=-1).to(x.dtype)
