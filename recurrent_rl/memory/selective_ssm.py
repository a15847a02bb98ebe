"""The selective state-space block of Mamba: what is kept and written depends on the input."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

from recurrent_rl.functional.causal_filter import filtered_silu, last_rows
from recurrent_rl.functional.dense import dense
from recurrent_rl.functional.glu import gated
from recurrent_rl.functional.selective_scan import selective_scan
from recurrent_rl.memory.base import Memory, MemorySpec, State
from recurrent_rl.memory.checks import require_whole

STEP_MIN, STEP_MAX = 0.001, 0.1  # of the initial step at input zero, as in the paper


@dataclass(frozen=True, kw_only=True)
class SelectiveSSM(MemorySpec):
    """Mamba's block: E = expand H channels, each a linear system of N states whose step, input and output follow the input.

        x[t], z[t] = W x_in[t]                                              [E] each
        v[t] = silu(conv(x[t - K + 1], ..., x[t]))                          [E], a filter per channel; zeros before a start
        step[t] = softplus(W_up W_down v[t] + b)                            [E], through R = ceil(H / 16) numbers
        B[t], C[t] = W_B v[t], W_C v[t]                                     [N] each
        s[t] = exp(step[t] A) * s[t - 1] + (step[t] * v[t]) outer B[t]      [E, N]
        y[t] = s[t] C[t] + D * v[t]                                         [E]
        output[t] = W_out (y[t] * silu(z[t]))                               [H]

    A = -exp(a) [E, N] is real, so no value of the parameters makes it unstable; it begins as -1, ..., -N in every channel.
    The step at input zero begins log-uniform in [0.001, 0.1].

    As in the authors' code B is discretised by step * B, where the paper writes zero-order hold. Normalisation and the way
    around the block are left to wrappers.

    Args:
        hidden_size: Size of the output, H.
        state_size: States of each channel, N.
        expand: Channels for each of the outputs, E / H.
        conv_size: Inputs that the convolution sees, K, the present one among them.

    Source: Gu and Dao 2023, Mamba: Linear-Time Sequence Modeling with Selective State Spaces; resets inside the scan as in
    Lu et al. 2023, Structured State Space Models for In-Context Reinforcement Learning.
    """

    hidden_size: int = 64
    state_size: int = 16
    expand: int = 2
    conv_size: int = 4

    def __post_init__(self) -> None:
        require_whole(self, "hidden_size", "state_size", "expand", "conv_size")

    def build(self, input_size: int) -> "SelectiveMemory":
        """Return a new memory that reads inputs [T, B, input_size]."""
        return SelectiveMemory(self, input_size)


class SelectiveMemory(Memory):
    """The memory of `SelectiveSSM`; leaves: states [B, E, N] and the convolution's last inputs [B, K - 1, E]."""

    zero: Tensor

    def __init__(self, spec: SelectiveSSM, input_size: int) -> None:
        super().__init__()
        self.spec, self.input_size, self.output_size = spec, input_size, spec.hidden_size
        channels, rank = spec.expand * spec.hidden_size, math.ceil(spec.hidden_size / 16)
        self.channels, self.sizes = channels, [rank, spec.state_size, spec.state_size]
        self.enter = nn.Linear(input_size, 2 * channels, bias=False)
        bound = spec.conv_size**-0.5
        taps = torch.empty(channels, spec.conv_size).uniform_(-bound, bound)  # the newest last
        self.taps = nn.Parameter(taps)
        self.bias = nn.Parameter(torch.empty(channels).uniform_(-bound, bound))
        self.select = nn.Linear(channels, sum(self.sizes), bias=False)
        self.step = nn.Linear(rank, channels)
        self.log_rates = nn.Parameter(torch.arange(1.0, spec.state_size + 1).log().repeat(channels, 1))  # [E, N]
        self.skip = nn.Parameter(torch.ones(channels))
        self.leave = nn.Linear(channels, spec.hidden_size, bias=False)
        self.register_buffer("zero", torch.zeros(()), persistent=False)  # carries device and dtype
        self._initialise_step()

    @torch.no_grad()
    def _initialise_step(self) -> None:
        steps = torch.empty(self.channels).uniform_(math.log(STEP_MIN), math.log(STEP_MAX)).exp()
        self.step.bias.copy_(steps + torch.log(-torch.expm1(-steps)))  # softplus of this gives the step

    def initial_state(self, batch_size: int) -> State:
        """Return zeros, [B, E, N] and [B, K - 1, E]."""
        states = self.zero.expand(batch_size, self.channels, self.spec.state_size)
        return states, self.zero.expand(batch_size, self.spec.conv_size - 1, self.channels)

    def forward(self, inputs: Tensor, state: State, starts: Tensor) -> tuple[Tensor, State]:
        """See `Memory.forward`."""
        # Two products: the halves of one would have to be copied, and their gradients joined.
        entering, gate = (dense(inputs, rows, None) for rows in self.enter.weight.chunk(2))  # [T, B, E] each
        values, window = self._convolved(entering.to(state[1].dtype), state[1], starts)
        outputs, states = self._scanned(values, state[0], starts)
        return dense(gated(outputs * gate, gate), self.leave.weight, None).to(states.dtype), (states, window)

    def _convolved(self, entering: Tensor, window: Tensor, starts: Tensor) -> tuple[Tensor, Tensor]:
        """Return filtered inputs [T, B, E], and the last K - 1 inputs [B, K - 1, E], zero where of another episode."""
        before = window.transpose(0, 1)  # [K - 1, B, E]
        values = filtered_silu(entering, before, self.taps.flip(1).t(), self.bias, starts)
        return values, last_rows(entering, before, starts).transpose(0, 1)

    def _scanned(self, values: Tensor, entry: Tensor, starts: Tensor) -> tuple[Tensor, Tensor]:
        """Return what the systems give for values [T, B, E], [T, B, E], and their last states [B, E, N]."""
        select = dense(values, self.select.weight, None)
        narrow, read, write = select.split(self.sizes, dim=-1)  # [T, B, R], [T, B, N] and [T, B, N]
        steps = softplus(dense(narrow, self.step.weight, self.step.bias))  # [T, B, E]
        outputs, states = selective_scan(steps, values, read, write, -self.log_rates.exp(), entry, starts)
        return torch.addcmul(outputs, self.skip, values), states
