"""Attention over the last steps of one's own episode."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from recurrent_rl.functional.window_attention import leaving_rows, own_rows, rows_in_reach, window_attention
from recurrent_rl.memory.base import Memory, MemorySpec, State
from recurrent_rl.memory.checks import require_divisor, require_whole


@dataclass(frozen=True, kw_only=True)
class Attention(MemorySpec):
    """Causal multi-head attention over the last M steps of one's own episode, the present one included.

        q[t], k[t], v[t] = W x[t] + b                                          each [B, D], D = hidden_size
        score[t, n] = q[t] . k[t - n] / sqrt(d) + r[n]                         for each head, d = D / num_heads
        output[t] = W_o sum over n of softmax(score[t])[n] v[t - n] + b_o      0 <= n < M, of the same episode

    Positions are relative: r is a learned bias for each head and distance n, zero in the beginning, so that all steps
    of the window are equally near. There is no residual path, no norm and no layer behind; wrap it for these. What a
    step does not see is masked, not padded.

    The state is the keys and values of the last M - 1 steps [B, M - 1, 2 D], zero where they are not of the present
    episode, and how many of them are [B], int64.

    Args:
        hidden_size: Width of queries, keys, values and output, D.
        num_heads: Heads; divides hidden_size.
        window: Steps that are attended to, M.

    Raises:
        ValueError: A field below 1, or num_heads does not divide hidden_size.

    Source: Vaswani et al. 2017, Attention Is All You Need; Raffel et al. 2020, Exploring the Limits of Transfer Learning
    with a Unified Text-to-Text Transformer (the bias; theirs puts far distances together, ours has one for each).
    """

    hidden_size: int = 64
    num_heads: int = 4
    window: int = 32

    def __post_init__(self) -> None:
        require_whole(self, "window")
        require_divisor(self, "num_heads", "hidden_size")

    def build(self, input_size: int) -> Memory:
        """Return a new memory that reads inputs [T, B, input_size]."""
        return AttentionMemory(self, input_size)


class AttentionMemory(Memory):
    """The memory of `Attention`."""

    zero: Tensor

    def __init__(self, spec: Attention, input_size: int) -> None:
        super().__init__()
        self.spec, self.input_size, self.output_size = spec, input_size, spec.hidden_size
        self.project = nn.Linear(input_size, 3 * spec.hidden_size)  # queries, keys, values
        self.combine = nn.Linear(spec.hidden_size, spec.hidden_size)
        self.bias = nn.Parameter(torch.zeros(spec.num_heads, spec.window))
        self.register_buffer("zero", torch.zeros(()), persistent=False)  # carries device and dtype
        for layer in (self.project, self.combine):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)

    def initial_state(self, batch_size: int) -> State:
        """Return no steps: zeros [B, M - 1, 2 D] and [B]."""
        rows = self.zero.expand(batch_size, self.spec.window - 1, 2 * self.spec.hidden_size)
        return rows, torch.zeros(batch_size, dtype=torch.int64, device=self.zero.device)

    def forward(self, inputs: Tensor, state: State, starts: Tensor) -> tuple[Tensor, State]:
        """See `Memory.forward`."""
        entry, held = state
        before, size = self.spec.window - 1, self.spec.hidden_size
        reach = rows_in_reach(starts, held, before)
        queries, rows = self.project(inputs).to(entry.dtype).split([size, 2 * size], dim=-1)
        rows = torch.cat([own_rows(entry.transpose(0, 1), reach[0]), rows])  # [M - 1 + T, B, 2 D]
        keys, values = rows.chunk(2, dim=-1)
        attended = window_attention(queries, keys, values, self.bias, reach)
        held = (reach[-1] + 1).clamp(max=before)
        leaving = leaving_rows(rows, len(inputs), held)
        return self.combine(attended).to(entry.dtype), (leaving, held)
