"""Gated Transformer-XL."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from recurrent_rl.functional.window_attention import (
    finite_rows,
    finite_window_attention,
    leaving_rows,
    own_rows,
    rows_in_reach,
    spoilt_rows,
)
from recurrent_rl.memory.base import Memory, MemorySpec, State
from recurrent_rl.memory.checks import require_between, require_divisor, require_whole


@dataclass(frozen=True, kw_only=True)
class GTrXL(MemorySpec):
    """Gated Transformer-XL: each layer attends to its last M inputs and the present one, and gates what it adds.

        x_0[t] = W x[t] + b                                                    [B, D], D = hidden_size
        y[t] = gate(x_l[t], relu(attention(norm(x_l))[t]))                     over t - M ... t, of the same episode
        x_l+1[t] = gate'(y[t], relu(W_2 relu(W_1 norm'(y[t]) + b_1) + b_2))    W_1 [F, D], F = mlp_size
        output[t] = x_L[t]

    with the GRU-type gate

        r = sigmoid(W_r y + U_r x)        z = sigmoid(W_z y + U_z x - b_g)
        gate(x, y) = (1 - z) x + z tanh(W_g y + U_g (r x))

    The layer norms stand before the attention and the perceptron, and the gates in place of the residual sums, so that a
    path from input to output exists that b_g > 0 keeps near the identity in the beginning.

    The state is the last M inputs of each layer [B, L, M, D], zero where they are not of the present episode, and how
    many of them are [B], int64.

    Departures from the paper: its memory goes segment by segment, with a gradient that stops between segments, and a
    step sees M to M + segment steps back; ours slides, every step sees M steps back, and within a call the gradient
    flows through the memory, since T steps at once must be what T single steps are. Relative positions are a learned
    bias for each head and distance, as in `Attention`, not Transformer-XL's projected sinusoids. b_g is learned, one
    number a unit. The input is projected to the width first. Without dropout.

    Args:
        hidden_size: Width of the layers, D.
        num_layers: Layers, L.
        num_heads: Heads of each attention; divides hidden_size.
        memory_length: Steps before the present one that a layer sees, M.
        mlp_size: Hidden units of each layer's perceptron, F.
        gate_bias: Initial b_g of all gates, -10 to 10.

    Raises:
        ValueError: A field out of range, or num_heads does not divide hidden_size.

    Source: Parisotto et al. 2020, Stabilizing Transformers for Reinforcement Learning.
    """

    hidden_size: int = 64
    num_layers: int = 2
    num_heads: int = 4
    memory_length: int = 32
    mlp_size: int = 128
    gate_bias: float = 2.0

    def __post_init__(self) -> None:
        require_whole(self, "num_layers", "memory_length", "mlp_size")
        require_divisor(self, "num_heads", "hidden_size")
        require_between(self, "gate_bias", -10.0, 10.0)

    def build(self, input_size: int) -> Memory:
        """Return a new memory that reads inputs [T, B, input_size]."""
        return GTrXLMemory(self, input_size)


class GTrXLMemory(Memory):
    """The memory of `GTrXL`."""

    zero: Tensor

    def __init__(self, spec: GTrXL, input_size: int) -> None:
        super().__init__()
        self.spec, self.input_size, self.output_size = spec, input_size, spec.hidden_size
        self.embed = nn.Linear(input_size, spec.hidden_size)
        self.layers = nn.ModuleList(_Layer(spec) for _ in range(spec.num_layers))
        self.register_buffer("zero", torch.zeros(()), persistent=False)  # carries device and dtype
        self.apply(_initialise)

    def initial_state(self, batch_size: int) -> State:
        """Return no steps: zeros [B, L, M, D] and [B]."""
        spec = self.spec
        rows = self.zero.expand(batch_size, spec.num_layers, spec.memory_length, spec.hidden_size)
        return rows, torch.zeros(batch_size, dtype=torch.int64, device=self.zero.device)

    def forward(self, inputs: Tensor, state: State, starts: Tensor) -> tuple[Tensor, State]:
        """See `Memory.forward`."""
        entry, held = state
        reach = rows_in_reach(starts, held, self.spec.memory_length)
        held = (reach[-1] + 1).clamp(max=self.spec.memory_length)
        outputs, leaving = self.embed(inputs).to(entry.dtype), []
        for index, layer in enumerate(self.layers):
            before = own_rows(entry[:, index].transpose(0, 1), reach[0])  # [M, B, D]
            rows = torch.cat([before, outputs])  # [M + T, B, D]
            leaving.append(leaving_rows(rows, len(inputs), held))
            outputs = layer(rows, reach)
        return outputs, (torch.stack(leaving, dim=1), held)


class _Layer(nn.Module):
    """One layer: rows [M + T, B, D], the memory first, to outputs [T, B, D]."""

    def __init__(self, spec: GTrXL) -> None:
        super().__init__()
        size = spec.hidden_size
        self.attention_norm, self.mlp_norm = nn.LayerNorm(size), nn.LayerNorm(size)
        self.query, self.recall = nn.Linear(size, size), nn.Linear(size, 2 * size)  # recall: keys and values
        self.combine = nn.Linear(size, size)
        self.bias = nn.Parameter(torch.zeros(spec.num_heads, spec.memory_length + 1))
        self.mlp = nn.Sequential(nn.Linear(size, spec.mlp_size), nn.ReLU(), nn.Linear(spec.mlp_size, size), nn.ReLU())
        self.attention_gate, self.mlp_gate = (_Gate(size, spec.gate_bias) for _ in range(2))

    def forward(self, rows: Tensor, reach: Tensor) -> Tensor:
        if len(reach) == 1:
            return self._of_finite(rows, reach)
        fine, bad = finite_rows(
            rows
        )  # what is NaN before a start must not meet what comes after, on the way back either
        return torch.where(spoilt_rows(bad, reach).unsqueeze(-1), torch.nan, self._of_finite(fine, reach))

    def _of_finite(self, rows: Tensor, reach: Tensor) -> Tensor:
        present = len(rows) - len(reach)
        normed = self.attention_norm(rows)
        keys, values = self.recall(normed).chunk(2, dim=-1)
        attended = finite_window_attention(self.query(normed[present:]), keys, values, self.bias, reach)
        outputs = self.attention_gate(rows[present:], self.combine(attended).relu())
        return self.mlp_gate(outputs, self.mlp(self.mlp_norm(outputs)))


class _Gate(nn.Module):
    """The GRU-type gate between a stream x and an update y, both [..., D]."""

    def __init__(self, size: int, bias: float) -> None:
        super().__init__()
        self.of_update = nn.Linear(size, 3 * size, bias=False)  # W_r, W_z, W_g
        self.of_stream = nn.Linear(size, 2 * size, bias=False)  # U_r, U_z
        self.of_reset = nn.Linear(size, size, bias=False)  # U_g
        self.bias = nn.Parameter(torch.full((size,), bias))  # b_g

    def forward(self, stream: Tensor, update: Tensor) -> Tensor:
        reset_y, mix_y, candidate_y = self.of_update(update).chunk(3, dim=-1)
        reset_x, mix_x = self.of_stream(stream).chunk(2, dim=-1)
        mix = torch.sigmoid(mix_y + mix_x - self.bias)
        candidate = torch.tanh(candidate_y + self.of_reset(torch.sigmoid(reset_y + reset_x) * stream))
        return stream + mix * (candidate - stream)  # in the stream's type under autocast


@torch.no_grad()
def _initialise(module: nn.Module) -> None:
    if isinstance(module, nn.Linear):
        nn.init.xavier_uniform_(module.weight)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
