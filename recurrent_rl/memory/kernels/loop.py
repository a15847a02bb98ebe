"""The time loop by autograd: one product for all input projections, then a step per row."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import _VF, Tensor
from torch.nn.functional import linear

from recurrent_rl.memory.base import State

RunLoop = Callable[..., tuple[Tensor, State]]
Weights = tuple[Tensor, Tensor, Tensor | None, Tensor | None]


@dataclass(frozen=True, slots=True)
class Resets:
    """Where episodes start: [T, B, 1] bool on the device, and for each row on the host whether any column does."""

    device: Tensor
    any: list[bool]

    @classmethod
    def of(cls, starts: Tensor, device: torch.device) -> "Resets":
        """Read `starts` [T, B] on the host and copy it over without waiting."""
        return cls(starts.to(device, non_blocking=True).unsqueeze(-1), starts.any(dim=1).tolist())


@dataclass(frozen=True)
class Cell:
    """A step function and its sizes: (input projection [B, G H], hidden projection [B, G H], state) -> state."""

    name: str
    gates: int
    leaves: int
    step: Callable[[Tensor, Tensor, State], State]


def _tanh(projected: Tensor, hidden: Tensor, state: State) -> State:
    return (torch.tanh(projected + hidden),)


def _relu(projected: Tensor, hidden: Tensor, state: State) -> State:
    return (torch.relu(projected + hidden),)


def _lstm(projected: Tensor, hidden: Tensor, state: State) -> State:
    enter, forget, candidate, leave = (projected + hidden).chunk(4, dim=1)
    memory = torch.sigmoid(forget) * state[1] + torch.sigmoid(enter) * torch.tanh(candidate)
    return torch.sigmoid(leave) * torch.tanh(memory), memory


def _gru(projected: Tensor, hidden: Tensor, state: State) -> State:
    reset_x, update_x, candidate_x = projected.chunk(3, dim=1)
    reset_h, update_h, candidate_h = hidden.chunk(3, dim=1)
    candidate = torch.tanh(candidate_x + torch.sigmoid(reset_x + reset_h) * candidate_h)
    return (torch.lerp(candidate, state[0], torch.sigmoid(update_x + update_h)),)


def in_float32(run: RunLoop) -> RunLoop:
    """Return the loop without autocast, which would round states too."""
    if not torch.is_autocast_enabled("cpu"):
        return run

    def run_without(*arguments: Any, **named: Any) -> tuple[Tensor, State]:
        with torch.autocast("cpu", enabled=False):
            return run(*arguments, **named)

    return run_without


def run_row(
    cell: Cell, inputs: Tensor, entry: State, initial: State, starts: Tensor, weights: Weights
) -> tuple[Tensor, State]:
    """Run one layer over a single row by torch's own cell, with nothing read on the host, so a CUDA graph can hold it.

    Arguments and results as in `run_loop` with T = 1, but for `starts`, bool [B, 1] on the device.
    """
    state = tuple(torch.where(starts, new, old) for new, old in zip(initial, entry, strict=True))  # [B, H]
    torch_cell = {"lstm": _VF.lstm_cell, "gru": _VF.gru_cell, "tanh": _VF.rnn_tanh_cell, "relu": _VF.rnn_relu_cell}
    after = torch_cell[cell.name](inputs[0], state if cell.leaves > 1 else state[0], *weights)
    # autocast computes in half precision; states stay as they were
    leaving = tuple(leaf.to(entry[0].dtype) for leaf in (after if cell.leaves > 1 else (after,)))
    return leaving[0].unsqueeze(0), leaving


tanh_cell = Cell("tanh", 1, 1, _tanh)
relu_cell = Cell("relu", 1, 1, _relu)
lstm_cell = Cell("lstm", 4, 2, _lstm)
gru_cell = Cell("gru", 3, 1, _gru)


def run_loop(
    cell: Cell, inputs: Tensor, entry: State, initial: State, resets: Resets, weights: Weights
) -> tuple[Tensor, State]:
    """Run one layer over T rows.

    Args:
        cell: Its step.
        inputs: [T, B, I].
        entry: Leaves [B, H].
        initial: Leaves [H].
        resets: Where episodes start.
        weights: weight_ih [G H, I], weight_hh [G H, H] and biases [G H] or None.

    Returns:
        Outputs [T, B, H] and the state after the last row.
    """
    weight_ih, weight_hh, bias_ih, bias_hh = weights
    projected = linear(inputs, weight_ih, bias_ih)  # [T, B, G H]
    state, outputs = entry, []
    for t in range(len(inputs)):
        if resets.any[t]:
            state = tuple(torch.where(resets.device[t], new, old) for new, old in zip(initial, state, strict=True))
        state = cell.step(projected[t], linear(state[0], weight_hh, bias_hh), state)
        outputs.append(state[0])
    return torch.stack(outputs), state
