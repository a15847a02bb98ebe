"""A batch in pieces of time, for gradients that flow through so many steps at most."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from recurrent_rl.memory.base import State
from recurrent_rl.sequence.batch import Batch


@dataclass(frozen=True)
class Piece:
    """Some steps of some columns.

    Args:
        batch: Columns that have not ended before the piece.
        columns: Which columns of the piece before go on, indices [b]; None in the first piece.
    """

    batch: Batch
    columns: Tensor | None


def pieces(batch: Batch, horizon: int) -> Iterator[Piece]:
    """Yield a batch whose targets are [T, B, ...] in pieces of `horizon` steps; columns that have ended are left out.

    Every column but those that end within a piece fills it, so that the state after it is the one to go on with.
    """
    if batch.targets is None or batch.targets.shape[:2] != batch.inputs.shape[:2]:
        raise ValueError("bptt_horizon needs a problem with targets at each step; set it to None for this one.")
    going = torch.arange(len(batch.lengths))
    for first in range(0, len(batch.inputs), horizon):
        on = batch.lengths[going] > first
        columns, going = torch.nonzero(on).squeeze(1), going[on]
        lengths = (batch.lengths[going] - first).clamp(max=horizon)
        there, rows = going.to(batch.inputs.device), slice(first, first + horizon)
        chosen = Batch(batch.inputs[rows][:, there], lengths, batch.targets[rows][:, there])
        yield Piece(chosen, None if first == 0 else columns)


def carried(state: State | None, columns: Tensor | None) -> State | None:
    """Return the state of the columns that go on, without its history; None where a model begins."""
    if state is None or columns is None:
        return None
    return tuple(leaf.detach()[columns.to(leaf.device)] for leaf in state)
