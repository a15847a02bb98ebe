"""cuDNN over a PackedSequence cut at episode starts.

Each column of [T, B] is cut where an episode starts. The pieces, longest first, are the sequences of one packed batch:
those that begin with a start enter with the initial state, the others with the state handed in. All layers run in one
call. The plan is made on the host, where `starts` lives, so the device is never waited for. The same code runs on the
CPU.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from recurrent_rl.memory.base import State
from recurrent_rl.memory.kernels.cells import Cell, Weights
from recurrent_rl.memory.kernels.loop import reset_row


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
    """

    gather: Tensor
    scatter: Tensor
    sizes: Tensor
    columns: Tensor
    fresh: Tensor
    last: Tensor


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
    fresh = flags[begin, column][:, None]

    def copied(array: np.ndarray) -> Tensor:
        host = torch.from_numpy(np.ascontiguousarray(array))
        return host.pin_memory().to(device, non_blocking=True) if device.type == "cuda" else host.to(device)

    return PackedPlan(
        copied(gather), copied(scatter), torch.from_numpy(sizes), copied(column), copied(fresh), copied(last)
    )


def packed_path(
    cell: Cell,
    inputs: Tensor,
    entry: State,
    initial: Tensor,
    starts: Tensor,
    layers: list[Weights],
    dropout_rate: float,
) -> tuple[Tensor, State]:
    """Run a stack over T rows, all layers in one call; arguments and results as in `kernels.loop.run_layers`."""
    if len(starts) == 1:
        return _one_row(cell, inputs, entry, initial, starts, layers, dropout_rate)
    pieces = plan(starts, inputs.device)
    packed = inputs.flatten(0, 1).index_select(0, pieces.gather)  # [T B, I]
    entering = tuple(
        torch.where(pieces.fresh.unsqueeze(-1), new, old.index_select(0, pieces.columns))  # [S, L, H]
        for new, old in zip(initial, entry, strict=True)
    )
    result = cell.native(packed, pieces.sizes, _layers_first(entering), *_settings(layers, dropout_rate))
    outputs = result[0].index_select(0, pieces.scatter).unflatten(0, inputs.shape[:2])  # [T, B, H]
    return outputs, tuple(leaf.index_select(1, pieces.last).transpose(0, 1) for leaf in result[1:])  # [B, L, H]


def _one_row(
    cell: Cell,
    inputs: Tensor,
    entry: State,
    initial: Tensor,
    starts: Tensor,
    layers: list[Weights],
    dropout_rate: float,
) -> tuple[Tensor, State]:
    """Act: one row needs no plan. It is the same kernel as for T rows, so that acting and learning round alike."""
    entry = reset_row(entry, initial, starts)
    batch_first = False
    result = cell.native(inputs, _layers_first(entry), *_settings(layers, dropout_rate), batch_first)
    return result[0], tuple(leaf.transpose(0, 1) for leaf in result[1:])  # [B, L, H]


def _layers_first(state: State) -> State | Tensor:
    """Return leaves [L, B, H] as torch's kernels want them: a lone leaf without its tuple."""
    leaves = tuple(leaf.transpose(0, 1).contiguous() for leaf in state)  # [L, B, H]
    return leaves[0] if len(leaves) == 1 else leaves


def _settings(layers: list[Weights], dropout_rate: float) -> tuple[list[Tensor], bool, int, float, bool, bool]:
    """Return weights, has_biases, num_layers, dropout, train and bidirectional.

    `train` is always true, since cuDNN keeps nothing for a gradient otherwise; without dropout it means no more.
    """
    weights = [weight for layer in layers for weight in layer if weight is not None]
    return weights, len(weights) == 4 * len(layers), len(layers), dropout_rate, True, False
