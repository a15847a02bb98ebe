"""Paths that go layer by layer: the fused loops, the plain loop that all are tested against, and a lone row."""

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor
from torch.nn.functional import dropout, linear

from recurrent_rl.memory.base import State
from recurrent_rl.memory.kernels.cells import Cell, Weights
from recurrent_rl.memory.kernels.common import Resets

RunLayer = Callable[[Cell, Tensor, State, State, Tensor, Weights], tuple[Tensor, State]]


def run_fused(
    cell: Cell, inputs: Tensor, entry: State, initial: State, starts: Tensor, weights: Weights
) -> tuple[Tensor, State]:
    """Run one layer by its fused loop; arguments and results as in `run_loop`.

    Differentiable once: for a second derivative use the plain loop.
    """
    return cell.fused(inputs, entry, initial, Resets.of(starts, inputs.device), weights)


def run_loop(
    cell: Cell, inputs: Tensor, entry: State, initial: State, starts: Tensor, weights: Weights
) -> tuple[Tensor, State]:
    """Run one layer over T rows by the cell's equations.

    Args:
        cell: Its equations.
        inputs: [T, B, I].
        entry: Leaves [B, H].
        initial: Leaves [H].
        starts: [T, B] bool, on the host.
        weights: Of this layer.

    Returns:
        Outputs [T, B, H] and the state after the last row.
    """
    weight_ih, weight_hh, bias_ih, bias_hh = weights
    projected = linear(inputs, weight_ih, bias_ih)  # [T, B, G H]
    flags = starts.to(inputs.device, non_blocking=True).unsqueeze(-1)  # [T, B, 1]
    state, outputs = entry, []
    for t in range(len(inputs)):
        state = tuple(torch.where(flags[t], new, old) for new, old in zip(initial, state, strict=True))
        state = cell.step(projected[t], linear(state[0], weight_hh, bias_hh), state)
        outputs.append(state[0])
    return torch.stack(outputs), state


def run_layers(
    run_layer: RunLayer,
    cell: Cell,
    inputs: Tensor,
    entry: State,
    initial: Tensor,
    starts: Tensor,
    layers: list[Weights],
    dropout_rate: float,
) -> tuple[Tensor, State]:
    """Run a stack, layer by layer.

    Args:
        run_layer: How one layer is run.
        cell: Of all layers.
        inputs: [T, B, I].
        entry: Leaves [B, L, H].
        initial: [leaves, L, H].
        starts: [T, B] bool, on the host.
        layers: L weights.
        dropout_rate: Between layers.

    Returns:
        Outputs [T, B, H] of the last layer, and the exit leaves [B, L, H].
    """
    outputs, exits = inputs, []
    for layer, weights in enumerate(layers):
        if layer > 0 and dropout_rate > 0:
            outputs = dropout(outputs, dropout_rate)
        before = tuple(leaf[:, layer] for leaf in entry)
        outputs, leaving = run_layer(cell, outputs, before, initial[:, layer].unbind(), starts, weights)
        exits.append(leaving)
    return outputs, tuple(torch.stack(leaves, dim=1) for leaves in zip(*exits, strict=True))  # [B, L, H]


fused_path, loop_path = partial(run_layers, run_fused), partial(run_layers, run_loop)


def row_path(
    cell: Cell,
    inputs: Tensor,
    entry: State,
    initial: Tensor,
    starts: Tensor,
    layers: list[Weights],
    dropout_rate: float,
) -> tuple[Tensor, State]:
    """Act: run a stack over one row, T = 1, by torch's own cells; arguments and results as in `run_layers`."""
    state, outputs, exits = reset_row(entry, initial, starts), inputs[0], []
    for layer, weights in enumerate(layers):
        if layer > 0 and dropout_rate > 0:
            outputs = dropout(outputs, dropout_rate)
        exits.append(cell.native_step(outputs, tuple(leaf[:, layer] for leaf in state), weights))
        outputs = exits[-1][0]
    return outputs.unsqueeze(0), tuple(torch.stack(leaves, dim=1) for leaves in zip(*exits, strict=True))  # [B, L, H]


def reset_row(state: State, initial: Tensor, starts: Tensor) -> State:
    """Return leaves [B, L, H] with the initial state [leaves, L, H] in the columns that start in a lone row [1, B]."""
    if not starts.any():
        return state
    flags = starts[0].to(initial.device, non_blocking=True)[:, None, None]  # [B, 1, 1]
    return tuple(torch.where(flags, new, old) for new, old in zip(initial, state, strict=True))
