"""Where the columns of [T, B] are cut: the pieces between episode starts, in the order of a packed batch.

Pieces that begin with a start enter with the initial state, the others with the state handed in, so no loop over time
needs a reset. Packed rows are ordered as in torch's PackedSequence: row k of every piece that is so long, longest piece
first, then row k + 1. The pieces may be dealt out to several segments, each packed by itself, that share nothing.

The plan is made on the host, where `starts` lives, so the device is never waited for.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from recurrent_rl.memory.base import State


@dataclass(frozen=True, slots=True)
class Segment:
    """Some of the pieces, packed.

    Args:
        rows: Their part of the packed rows.
        pieces: Their part of the pieces.
        sizes: int64 [longest], the number of pieces with a row k; it never grows.
    """

    rows: slice
    pieces: slice
    sizes: np.ndarray


@dataclass(frozen=True, slots=True)
class Pieces:
    """Where each row goes. R = T B packed rows, S pieces.

    Args:
        gather: [R], flat row t B + b at each place of the packed rows.
        scatter: [R], its inverse.
        columns: [S], the column of each piece.
        fresh: [S, 1] bool, the piece begins with a start.
        last: [B], the last piece of each column.
        last_row: [B], its last packed row.
        segments: One after another they cover all packed rows and all pieces.
    """

    gather: Tensor
    scatter: Tensor
    columns: Tensor
    fresh: Tensor
    last: Tensor
    last_row: Tensor
    segments: list[Segment]


def cut(starts: Tensor, device: torch.device, n_segments: int = 1) -> Pieces:
    """Cut [T, B] host flags into pieces, deal them out and copy the indices to `device` without waiting.

    There are at most `n_segments` segments: none is without a piece.
    """
    flags = starts.numpy()
    steps, n_columns = flags.shape
    column, begin, length = _between_starts(flags)
    n_segments = min(n_segments, len(column))
    longest_first = np.argsort(-length, kind="stable")
    order = np.concatenate([longest_first[i::n_segments] for i in range(n_segments)])  # segment by segment
    column, begin, length = column[order], begin[order], length[order]
    segments, rows, first = [], [], 0
    for i in range(n_segments):
        pieces = slice(first, first + len(longest_first[i::n_segments]))
        sizes, row = _packed(begin[pieces] * n_columns + column[pieces], length[pieces], n_columns)
        done = segments[-1].rows.stop if segments else 0
        segments.append(Segment(slice(done, done + len(row)), pieces, sizes))
        rows.append(row)
        first = pieces.stop
    gather = np.concatenate(rows)
    scatter = np.empty_like(gather)
    scatter[gather] = np.arange(len(gather))
    last = np.empty(n_columns, dtype=np.int64)
    ends_column = begin + length == steps
    last[column[ends_column]] = np.flatnonzero(ends_column)
    return Pieces(
        gather=_copied(gather, device),
        scatter=_copied(scatter, device),
        columns=_copied(column, device),
        fresh=_copied(flags[begin, column][:, None], device),
        last=_copied(last, device),
        last_row=_copied(scatter[(steps - 1) * n_columns + np.arange(n_columns)], device),
        segments=segments,
    )


def _between_starts(flags: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return column, first row and length of every piece, by column and then by time."""
    begins = flags.copy()
    begins[0] = True
    column, begin = np.nonzero(begins.T)
    end = np.append(begin[1:], 0)
    end[np.append(column[1:] != column[:-1], True)] = len(flags)
    return column, begin, end - begin


def _packed(first: np.ndarray, length: np.ndarray, stride: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the sizes per step and the flat row of each packed row, for pieces that begin at flat rows `first`."""
    sizes = (length[None, :] > np.arange(length[0])[:, None]).sum(1)  # [longest]
    step = np.repeat(np.arange(len(sizes)), sizes)  # row within a piece, for each place
    piece = np.arange(len(step)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    return sizes, first[piece] + step * stride


def _copied(array: np.ndarray, device: torch.device) -> Tensor:
    host = torch.from_numpy(np.ascontiguousarray(array))
    return host.pin_memory().to(device, non_blocking=True) if device.type == "cuda" else host.to(device)


def pack(pieces: Pieces, inputs: Tensor) -> Tensor:
    """Return [T, B, I] as packed rows [R, I], R = T B."""
    return _Reorder.apply(inputs.flatten(0, 1), pieces.gather, pieces.scatter)  # type: ignore[return-value]  # [R, I]


def unpack(pieces: Pieces, packed: Tensor, shape: torch.Size) -> Tensor:
    """Return packed rows [R, H] as [T, B, H], `shape` beginning with T, B."""
    rows = _Reorder.apply(packed, pieces.scatter, pieces.gather)
    return rows.unflatten(0, shape[:2])  # type: ignore[union-attr]  # [T, B, H]


def enter(pieces: Pieces, entry: State, initial: State) -> State:
    """Return the state that enters each piece, leaves [S, H]."""
    return tuple(
        torch.where(pieces.fresh, new, old.index_select(0, pieces.columns))  # [S, H]
        for new, old in zip(initial, entry, strict=True)
    )


class _Reorder(torch.autograd.Function):
    """Rows in another order; the gradient is the inverse order, where index_select would add into zeros."""

    @staticmethod
    def forward(ctx, rows, order, inverse):
        """Return rows[order]."""
        ctx.inverse, ctx.order = inverse, order
        return rows.index_select(0, order)

    @staticmethod
    def backward(ctx, gradient):
        """Return the gradient in the order of the rows."""
        return _Reorder.apply(gradient, ctx.inverse, ctx.order), None, None
