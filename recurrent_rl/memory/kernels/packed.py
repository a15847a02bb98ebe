"""Packed pieces between episode starts, and cuDNN over them.

Each column of [T, B] is cut where an episode starts. The pieces, longest first, are the sequences of one packed batch:
those that begin with a start enter with the initial state, the others with the state handed in. The plan is made on the
host, where `starts` lives, so the device is never waited for. The same code runs on the CPU.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import _VF, Tensor

from recurrent_rl.memory.base import State
from recurrent_rl.memory.kernels.loop import Cell, Weights


@dataclass(frozen=True, slots=True)
class PackedPlan:
    """Where each row goes. S pieces, sorted by length.

    Args:
        gather: [T B], flat row t B + b at each place of the packed data.
        scatter: [T B], its inverse.
        sizes: Pieces that are still running, per row of the packed batch; on the host, as cuDNN wants it.
        columns: [S], the column of each piece.
        fresh: [S, 1] bool, the piece begins with a start.
        last: [B], the last piece of each column.
        last_row: [B], its last packed row.
    """

    gather: Tensor
    scatter: Tensor
    sizes: Tensor
    columns: Tensor
    fresh: Tensor
    last: Tensor
    last_row: Tensor


def plan(starts: Tensor, device: torch.device) -> PackedPlan:
    """Cut [T, B] host flags into pieces and copy the indices to `device` without waiting."""
    flags = starts.numpy()
    steps, n_columns = flags.shape
    begins = flags.copy()
    begins[0] = True
    column, begin = np.nonzero(begins.T)  # by column, then by time
    end = np.append(begin[1:], 0)
    end[np.append(column[1:] != column[:-1], True)] = steps
    order = np.argsort(begin - end, kind="stable")  # longest first
    begin, column, length = begin[order], column[order], (end - begin)[order]
    sizes = (length[None, :] > np.arange(length[0])[:, None]).sum(1)  # [longest]
    offset = np.repeat(np.arange(len(sizes)), sizes)  # row within a piece, for each place
    piece = np.arange(steps * n_columns) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    gather = (begin[piece] + offset) * n_columns + column[piece]
    scatter = np.empty_like(gather)
    scatter[gather] = np.arange(len(gather))
    last = np.empty(n_columns, dtype=np.int64)
    ends_column = begin + length == steps
    last[column[ends_column]] = np.flatnonzero(ends_column)
    last_row = scatter[(steps - 1) * n_columns + np.arange(n_columns)]
    fresh = flags[begin, column][:, None]

    def copied(array: np.ndarray) -> Tensor:
        host = torch.from_numpy(np.ascontiguousarray(array))
        return host.pin_memory().to(device, non_blocking=True) if device.type == "cuda" else host.to(device)

    return PackedPlan(
        gather=copied(gather),
        scatter=copied(scatter),
        sizes=torch.from_numpy(sizes),
        columns=copied(column),
        fresh=copied(fresh),
        last=copied(last),
        last_row=copied(last_row),
    )


def pack(pieces: PackedPlan, inputs: Tensor) -> Tensor:
    """Return [T, B, I] as packed rows [R, I], R = T B."""
    return inputs.flatten(0, 1).index_select(0, pieces.gather)  # [R, I]


def unpack(pieces: PackedPlan, packed: Tensor, inputs: Tensor) -> Tensor:
    """Return packed rows [R, H] as [T, B, H], T and B those of `inputs`."""
    return packed.index_select(0, pieces.scatter).unflatten(0, inputs.shape[:2])  # [T, B, H]


def enter(pieces: PackedPlan, entry: State, initial: State) -> State:
    """Return the state that enters each piece, leaves [S, H]."""
    return tuple(
        torch.where(pieces.fresh, new, old.index_select(0, pieces.columns))  # [S, H]
        for new, old in zip(initial, entry, strict=True)
    )


def run_packed(
    cell: Cell, inputs: Tensor, entry: State, initial: State, pieces: PackedPlan, weights: Weights
) -> tuple[Tensor, State]:
    """Run one layer over T rows; arguments and results as in `kernels.loop.run_layer`, with a plan for `starts`."""
    state = tuple(leaf.unsqueeze(0) for leaf in enter(pieces, entry, initial))  # [1, S, H]
    flat_weights = [weight for weight in weights if weight is not None]
    has_biases = len(flat_weights) == 4
    kernels = {"lstm": _VF.lstm, "gru": _VF.gru, "tanh": _VF.rnn_tanh, "relu": _VF.rnn_relu}
    hidden = state if cell.leaves > 1 else state[0]
    result = kernels[cell.name](
        pack(pieces, inputs), pieces.sizes, hidden, flat_weights, has_biases, 1, 0.0, True, False
    )
    return unpack(pieces, result[0], inputs), tuple(
        leaf[0].index_select(0, pieces.last) for leaf in result[1:]
    )  # [B, H]
