"""Independently recurrent units: each sees its own past alone."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from recurrent_rl.functional.dense import dense
from recurrent_rl.functional.pointwise import relu_scan
from recurrent_rl.memory.base import Memory, MemorySpec, State
from recurrent_rl.memory.checks import require_between, require_whole


@dataclass(frozen=True, kw_only=True)
class IndRNN(MemorySpec):
    """The independently recurrent network, with relu.

        h'    = relu(W x + b + u * h)                     [H], elementwise in h
        |u|  <= gamma^(1 / horizon)                       what a unit holds grows by gamma over the horizon at most

    The paper cuts weights off at the bound after each optimiser step. Here u = bound * tanh(w) for a parameter w, so that
    the bound holds under any optimiser and for any parameter. At first u is uniform between 0 and the bound, as in the
    paper for relu. Sums of many inputs grow with time whatever the bound.

    Args:
        hidden_size: Units, H.
        horizon: Steps T over which the bound is to hold, such as the longest episode.
        gamma: Growth allowed over that many steps; 1 for units that never grow by themselves.

    Source: Li et al. 2018, Independently Recurrent Neural Network (IndRNN): Building A Longer and Deeper RNN.
    """

    hidden_size: int = 64
    horizon: int = 1024
    gamma: float = 2.0

    def __post_init__(self) -> None:
        require_whole(self, "hidden_size", "horizon")
        require_between(self, "gamma", 1.0, 1e6)

    def build(self, input_size: int) -> "IndRNNMemory":
        """Return a new memory that reads inputs [T, B, input_size]."""
        return IndRNNMemory(self, input_size)


class IndRNNMemory(Memory):
    """State: h [B, H]."""

    initial: Tensor

    def __init__(self, spec: IndRNN, input_size: int) -> None:
        super().__init__()
        self.spec = spec
        self.input_size, self.output_size = input_size, spec.hidden_size
        self.bound = spec.gamma ** (1 / spec.horizon)
        self.projection = nn.Linear(input_size, spec.hidden_size)
        self.recurrence = nn.Parameter(torch.rand(spec.hidden_size).atanh())  # w
        self.register_buffer("initial", torch.zeros(spec.hidden_size), persistent=False)

    def initial_state(self, batch_size: int) -> State:
        """Return zeros [B, H]."""
        return (self.initial.expand(batch_size, -1),)

    def forward(self, inputs: Tensor, state: State, starts: Tensor) -> tuple[Tensor, State]:
        """See `Memory.forward`."""
        projected = dense(inputs, self.projection.weight, self.projection.bias)  # [T, B, H]
        outputs = relu_scan(projected, self.weight, state[0], self.initial, starts)
        return outputs, (outputs[-1],)

    @property
    def weight(self) -> Tensor:
        """The recurrent weights u [H]."""
        return self.bound * torch.tanh(self.recurrence)
