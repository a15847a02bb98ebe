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
        sizes: int64 [longest], the number of pieces with a row k; it never grows.
        gather: int64 [R], the flat row t B + b of each packed row.
        columns: int64 [S], the column of each piece.
        fresh: bool [S], the piece begins with a start.
        ends: bool [S], the piece ends with row T - 1.
    """

    sizes: np.ndarray
    gather: np.ndarray
    columns: np.ndarray
    fresh: np.ndarray
    ends: np.ndarray


def deal(flags: np.ndarray, n_segments: int = 1) -> list[Segment]:
    """Cut flags [T, B] into pieces and deal them out to at most `n_segments` segments, none without a piece."""
    column, begin, length = _between_starts(flags)
    longest_first = np.argsort(-length, kind="stable")
    n_segments = min(n_segments, len(column))
    return [
        _segment(flags, *(x[longest_first[i::n_segments]] for x in (column, begin, length))) for i in range(n_segments)
    ]


def _segment(flags: np.ndarray, column: np.ndarray, begin: np.ndarray, length: np.ndarray) -> Segment:
    sizes, gather = _packed(begin * flags.shape[1] + column, length, flags.shape[1])
    return Segment(sizes, gather, column, flags[begin, column], begin + length == len(flags))


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
    sizes = np.searchsorted(-length, -np.arange(length[0]))  # [longest], how many are longer than k
    step = np.repeat(np.arange(len(sizes)), sizes)  # row within a piece, for each place
    piece = np.arange(len(step)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    return sizes, first[piece] + step * stride


@dataclass(frozen=True, slots=True)
class Pieces:
    """All pieces in one segment, as indices on the training device. R = T B packed rows, S pieces.

    Args:
        sizes: int64 [longest], pieces per step, on the host as cuDNN wants it.
        gather: [R], flat row t B + b at each place of the packed rows.
        scatter: [R], its inverse.
        columns: [S], the column of each piece.
        fresh: [S, 1] bool, the piece begins with a start.
        last: [B], the last piece of each column.
    """

    sizes: Tensor
    gather: Tensor
    scatter: Tensor
    columns: Tensor
    fresh: Tensor
    last: Tensor


def cut(starts: Tensor, device: torch.device) -> Pieces:
    """Cut [T, B] host flags into pieces and copy the indices to `device` without waiting."""
    (segment,) = deal(starts.numpy())
    scatter = np.empty_like(segment.gather)
    scatter[segment.gather] = np.arange(len(scatter))
    last = np.empty(starts.shape[1], dtype=np.int64)
    last[segment.columns[segment.ends]] = np.flatnonzero(segment.ends)
    return Pieces(
        torch.from_numpy(segment.sizes),
        _copied(segment.gather, device),
        _copied(scatter, device),
        _copied(segment.columns, device),
        _copied(segment.fresh[:, None], device),
        _copied(last, device),
    )


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
