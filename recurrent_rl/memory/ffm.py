"""Fast and forgetful memory: traces that fade and oscillate at learned rates."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import layer_norm

from recurrent_rl.functional.scan import linear_scan
from recurrent_rl.memory.base import Memory, MemorySpec, State
from recurrent_rl.memory.checks import require_between, require_whole

LEFT = 0.01  # of a trace of the slowest decay after the longest period, the paper's beta
FASTEST = math.log(torch.finfo(torch.float64).max) / 1024 - 0.02  # 0.673; keeps exp(1024 alpha) in float64 in the code


@dataclass(frozen=True, kw_only=True)
class FFM(MemorySpec):
    """Fast and forgetful memory: m gated inputs, each seen through c oscillations that fade.

        v[t] = (W_1 x[t] + b_1) * sigmoid(W_2 x[t] + b_2)                   [m]
        S[t] = G * S[t - 1] + v[t] outer ones                               [m, c], complex
        G[j, k] = exp(-(alpha[j] + i omega[k]))                             [m, c]
        z[t] = W_3 [Re S[t], Im S[t]] + b_3                                 [H]
        g[t] = sigmoid(W_4 x[t] + b_4)                                      [H]
        output[t] = norm(z[t]) * g[t] + (W_5 x[t] + b_5) * (1 - g[t])       [H], norm without weights

    alpha = exp(a) begins evenly spaced, from 0.673 down to the rate that leaves a hundredth after `max_period` steps (all at
    that rate where it is faster); omega begins at periods evenly spaced from `min_period` to `max_period`.

    Differs from the paper: S is computed by a scan that multiplies by G alone, so that nothing overflows at any T, where the
    paper divides by powers of G in float64 and keeps alpha in bounds by clamping; alpha = exp(a) needs no bounds.

    Args:
        hidden_size: Size of the output, H.
        memory_size: Gated inputs that are kept, m.
        context_size: Oscillations of each, c; the state holds 2 m c numbers.
        min_period: Shortest initial period, in steps.
        max_period: Longest initial period, in steps.

    Source: Morad et al. 2023, Reinforcement Learning with Fast and Forgetful Memory (initial ranges as in its code).
    """

    hidden_size: int = 64
    memory_size: int = 32
    context_size: int = 4
    min_period: float = 1.0
    max_period: float = 1024.0

    def __post_init__(self) -> None:
        require_whole(self, "hidden_size", least=2)  # the norm leaves nothing of a single output
        require_whole(self, "memory_size", "context_size")
        require_between(self, "min_period", 1e-3, 1e9)
        require_between(self, "max_period", self.min_period, 1e9)

    def build(self, input_size: int) -> "FFMMemory":
        """Return a new memory that reads inputs [T, B, input_size]."""
        return FFMMemory(self, input_size)


class FFMMemory(Memory):
    """The memory of `FFM`; its state is one leaf [B, m, c, 2], real and imaginary parts."""

    initial: Tensor

    def __init__(self, spec: FFM, input_size: int) -> None:
        super().__init__()
        self.input_size, self.output_size = input_size, spec.hidden_size
        traces, contexts, hidden = spec.memory_size, spec.context_size, spec.hidden_size
        slowest = -math.log(LEFT) / spec.max_period
        self.log_alpha = nn.Parameter(torch.linspace(max(slowest, FASTEST), slowest, traces).log())
        self.omega = nn.Parameter(2.0 * math.pi / torch.linspace(spec.min_period, spec.max_period, contexts))
        self.sizes = [traces, traces, hidden, hidden]
        self.project = nn.Linear(input_size, sum(self.sizes))  # W_1, W_2, W_4 and W_5, one below the other
        self.mix = nn.Linear(2 * traces * contexts, hidden)
        self.register_buffer("initial", torch.zeros(traces, contexts, 2), persistent=False)

    def initial_state(self, batch_size: int) -> State:
        """Return zeros, [B, m, c, 2]."""
        return (self.initial.expand(batch_size, -1, -1, -1),)

    def forward(self, inputs: Tensor, state: State, starts: Tensor) -> tuple[Tensor, State]:
        """See `Memory.forward`."""
        values, admit, emit, around = self.project(inputs).split(self.sizes, dim=-1)  # [T, B, m] twice, [T, B, H] twice
        traces = self._traces(values * torch.sigmoid(admit), state[0], starts)
        mixed, gate = self.mix(traces.flatten(2)), torch.sigmoid(emit)  # [T, B, H] each
        outputs = layer_norm(mixed, mixed.shape[-1:]) * gate + around * (1.0 - gate)
        return outputs.to(traces.dtype), (traces[-1],)

    def _traces(self, values: Tensor, entry: Tensor, starts: Tensor) -> Tensor:
        """Return S [T, B, m, c, 2] after gated inputs [T, B, m]."""
        shape = entry.shape[1:-1]
        updates = values.to(entry.dtype).unsqueeze(-1).expand(-1, -1, *shape).flatten(2)  # [T, B, m c]
        before, initial = (torch.view_as_complex(leaf.contiguous()) for leaf in (entry, self.initial))
        states = linear_scan(self._decays(), updates, before.flatten(1), initial.flatten(), starts)
        return torch.view_as_real(states).unflatten(2, shape)  # [T, B, m, c, 2]

    def _decays(self) -> Tensor:
        """Return G [m c], complex."""
        size, angle = torch.exp(-self.log_alpha.exp()).unsqueeze(-1), -self.omega
        return torch.complex(size * angle.cos(), size * angle.sin()).flatten()
