"""The step cells: for each its sizes and its kernels."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import _VF, Tensor

from recurrent_rl.memory.base import State
from recurrent_rl.memory.kernels.common import Resets
from recurrent_rl.memory.kernels.gru import run_gru
from recurrent_rl.memory.kernels.lstm import run_lstm
from recurrent_rl.memory.kernels.rnn import run_relu, run_tanh

Weights = tuple[Tensor, Tensor, Tensor | None, Tensor | None]
"""weight_ih [G H, I], weight_hh [G H, H], bias_ih and bias_hh [G H] or None."""


@dataclass(frozen=True)
class Cell:
    """One kind of recurrence.

    Args:
        mode: What torch.nn.RNN, LSTM and GRU call it.
        gates: G, blocks of H rows in each weight.
        leaves: Of the state.
        step: The equations: (input projection [B, G H], hidden projection [B, G H], state) -> state.
        native_step: The same by torch's own cell: (inputs [B, I], state, weights) -> state.
        fused: One layer over T rows with its gradient written out.
        native: torch's own kernel over whole sequences, cuDNN's on CUDA.
    """

    mode: str
    gates: int
    leaves: int
    step: Callable[[Tensor, Tensor, State], State]
    native_step: Callable[[Tensor, State, Weights], State]
    fused: Callable[[Tensor, State, State, Resets, Weights], tuple[Tensor, State]]
    native: Callable[..., Any]


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


def _native_tanh(inputs: Tensor, state: State, weights: Weights) -> State:
    return (torch.rnn_tanh_cell(inputs, state[0], *weights),)


def _native_relu(inputs: Tensor, state: State, weights: Weights) -> State:
    return (torch.rnn_relu_cell(inputs, state[0], *weights),)


def _native_lstm(inputs: Tensor, state: State, weights: Weights) -> State:
    return torch.lstm_cell(inputs, state, *weights)


def _native_gru(inputs: Tensor, state: State, weights: Weights) -> State:
    return (torch.gru_cell(inputs, state[0], *weights),)


tanh_cell = Cell("RNN_TANH", 1, 1, _tanh, _native_tanh, run_tanh, _VF.rnn_tanh)
relu_cell = Cell("RNN_RELU", 1, 1, _relu, _native_relu, run_relu, _VF.rnn_relu)
lstm_cell = Cell("LSTM", 4, 2, _lstm, _native_lstm, run_lstm, _VF.lstm)
gru_cell = Cell("GRU", 3, 1, _gru, _native_gru, run_gru, _VF.gru)
