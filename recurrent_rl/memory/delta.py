"""Matrix memories: fast weights, written by addition or by the delta rule."""

from abc import abstractmethod
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from recurrent_rl.functional.delta_rule import delta_rule, linear_attention, put_back, set_aside, where_else_zero
from recurrent_rl.memory.base import Memory, MemorySpec, State
from recurrent_rl.memory.checks import require_divisor, require_one_of, require_whole

FLOOR = 1e-6  # keeps quotients and their gradients finite where a vector vanishes


@dataclass(frozen=True, kw_only=True)
class FastWeights(MemorySpec):
    """Fast weights: a matrix per head, read and written with keys that a network computes.

        q, k = phi(W_q x), phi(W_k x) [K]       v = W_v x [V]       b = sigmoid(W_b x + c), one number
        delta:   S = S + b (v - S k) k^T [V, K]       o = S q
        sum:     S = S + v k^T,  z = z + k            o = S q / (z q)
        output = W_o o, of all heads

    K = V = hidden_size / num_heads. The feature map phi is elu(x) + 1 divided by the sum of its components, as in the
    paper for "delta"; the paper's own map DPFP is left out: it multiplies K, and can give zero, which no sum divides.
    z is kept as one more row of S, which has V + 1 rows then.

    Args:
        hidden_size: Outputs, of all heads together.
        num_heads: Heads; a divisor of hidden_size.
        update: "delta" replaces what was stored under a key, "sum" adds to it.

    Source: Schlag et al. 2021, Linear Transformers Are Secretly Fast Weight Programmers; Katharopoulos et al. 2020 (the
    feature map, "sum").
    """

    hidden_size: int = 64
    num_heads: int = 4
    update: Literal["delta", "sum"] = "delta"

    def __post_init__(self) -> None:
        require_divisor(self, "num_heads", "hidden_size")
        require_one_of(self, "update", ("delta", "sum"))

    def build(self, input_size: int) -> Memory:
        """Return a new memory that reads inputs [T, B, input_size]."""
        return (DeltaWeights if self.update == "delta" else SumWeights)(self, input_size)


@dataclass(frozen=True, kw_only=True)
class DeltaNet(MemorySpec):
    """Linear attention with the delta rule: a write first erases what was stored under its key.

        q, k, v = silu(conv(W_q x)), silu(conv(W_k x)), silu(conv(W_v x)); q and k divided by their lengths
        b = sigmoid(W_b x), one number per head
        S = S (I - b k k^T) + b v k^T [V, K]       o = S q
        output = W_o rmsnorm(o), of all heads

    K = V = hidden_size / num_heads. conv is a causal convolution over the last few inputs of the episode, each component
    by itself; without it a memory of one layer cannot tell by the order of inputs what to store under which key.

    Args:
        hidden_size: Outputs, of all heads together.
        num_heads: Heads; a divisor of hidden_size.
        convolution: Inputs that conv sees, the present one among them; 1 is none but the present one.

    Source: Yang et al. 2024, Parallelizing Linear Transformers with the Delta Rule over Sequence Length.
    """

    hidden_size: int = 64
    num_heads: int = 4
    convolution: int = 4

    def __post_init__(self) -> None:
        require_divisor(self, "num_heads", "hidden_size")
        require_whole(self, "convolution")

    def build(self, input_size: int) -> Memory:
        """Return a new memory that reads inputs [T, B, input_size]."""
        return DeltaNetMemory(self, input_size)


class _MatrixMemory(Memory):
    """What matrix memories have in common; a state leaf is S [B, N, rows, K]."""

    initial: Tensor

    def __init__(self, spec: FastWeights | DeltaNet, input_size: int, more_rows: int = 0) -> None:
        super().__init__()
        self.input_size, self.output_size, self.heads = input_size, spec.hidden_size, spec.num_heads
        width = spec.hidden_size // spec.num_heads
        self.projection = nn.Linear(input_size, 3 * spec.hidden_size, bias=False)
        self.output = nn.Linear(spec.hidden_size, spec.hidden_size, bias=False)
        self.register_buffer("initial", torch.zeros(spec.num_heads, width + more_rows, width), persistent=False)

    def initial_state(self, batch_size: int) -> State:
        """Return an empty memory."""
        return (self.initial.expand(batch_size, -1, -1, -1),)

    def _by_heads(self, projected: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return queries, keys and values [T, B, N, K], in the state's type."""
        queries, keys, values = projected.to(self.initial.dtype).unflatten(-1, (3, self.heads, -1)).unbind(2)
        return queries, keys, values

    def forward(self, inputs: Tensor, state: State, starts: Tensor) -> tuple[Tensor, State]:
        """See `Memory.forward`."""
        if len(inputs) == 1:
            return self._read(inputs, state, starts)
        inputs, state, lost = set_aside(inputs, state, starts)
        return put_back(*self._read(inputs, state, starts), lost)

    @abstractmethod
    def _read(self, inputs: Tensor, state: State, starts: Tensor) -> tuple[Tensor, State]:
        """Run over inputs [T, B, I] from a state that is finite, or for T = 1."""


class DeltaWeights(_MatrixMemory):
    """The memory of `FastWeights` with the delta update."""

    def __init__(self, spec: FastWeights, input_size: int) -> None:
        super().__init__(spec, input_size)
        self.rate = nn.Linear(input_size, spec.num_heads)

    def _read(self, inputs: Tensor, state: State, starts: Tensor) -> tuple[Tensor, State]:
        queries, keys, values = self._by_heads(self.projection(inputs))
        rates = torch.sigmoid(self.rate(inputs))
        read, memory = delta_rule(positive(queries), positive(keys), values, rates, state[0], starts)
        return self.output(read.flatten(2)).to(read.dtype), (memory,)


class SumWeights(_MatrixMemory):
    """The memory of `FastWeights` with the sum update; the last row of S is z."""

    def __init__(self, spec: FastWeights, input_size: int) -> None:
        super().__init__(spec, input_size, more_rows=1)

    def _read(self, inputs: Tensor, state: State, starts: Tensor) -> tuple[Tensor, State]:
        queries, keys, values = self._by_heads(self.projection(inputs))
        counted = torch.cat([values, torch.ones_like(values[..., :1])], dim=-1)  # [T, B, N, V + 1]
        read, memory = linear_attention(positive(queries), positive(keys), counted, state[0], starts)
        return self.output((read[..., :-1] / read[..., -1:]).flatten(2)).to(read.dtype), (memory,)


class DeltaNetMemory(_MatrixMemory):
    """The memory of `DeltaNet`; state: S [B, N, V, K] and the last projections [B, convolution - 1, 3 H]."""

    def __init__(self, spec: DeltaNet, input_size: int) -> None:
        super().__init__(spec, input_size)
        self.rate = nn.Linear(input_size, spec.num_heads, bias=False)
        self.norm = nn.RMSNorm(spec.hidden_size // spec.num_heads, eps=1e-5)
        bound = spec.convolution**-0.5
        self.taps = nn.Parameter(torch.empty(spec.convolution, 3 * spec.hidden_size).uniform_(-bound, bound))

    def initial_state(self, batch_size: int) -> State:
        """Return an empty memory, and zeros for the inputs before the first."""
        steps, size = self.taps.shape
        return *super().initial_state(batch_size), self.initial.new_zeros(()).expand(batch_size, steps - 1, size)

    def _read(self, inputs: Tensor, state: State, starts: Tensor) -> tuple[Tensor, State]:
        projected = self.projection(inputs).to(self.initial.dtype)
        seen, recent = convolve(projected, self.taps, state[1], starts)
        queries, keys, values = self._by_heads(nn.functional.silu(seen))
        rates = torch.sigmoid(self.rate(inputs))
        read, memory = delta_rule(unit(queries), unit(keys), values, rates, state[0], starts)
        return self.output(self.norm(read).flatten(2)).to(read.dtype), (memory, recent)


def positive(x: Tensor) -> Tensor:
    """Return phi(x) > 0 [..., K]: elu(x) + 1, divided by the sum over K."""
    raised = torch.relu(x) + x.clamp(max=0.0).exp() + FLOOR  # elu(x) + 1 would round to zero at -17
    return raised / raised.sum(-1, keepdim=True)


def unit(x: Tensor) -> Tensor:
    """Return x [..., K] divided by its length, or shorter where it has next to none; gradients are finite at zero."""
    return x * torch.rsqrt(x.square().sum(-1, keepdim=True) + FLOOR)


def convolve(rows: Tensor, taps: Tensor, entry: Tensor, starts: Tensor) -> tuple[Tensor, Tensor]:
    """Convolve each component with the last rows of its own episode, zeros before it.

        c[t] = taps[-1] rows[t] + taps[-2] rows[t - 1] + ...

    Args:
        rows: [T, B, D].
        taps: [L, D], the oldest row's first.
        entry: [B, L - 1, D], the rows before the first.
        starts: [T, B] bool.

    Returns:
        c [T, B, D], and the last L - 1 rows [B, L - 1, D], zero where they are not of this episode.
    """
    steps, before = len(rows), entry.shape[1]
    history = torch.cat([entry.transpose(0, 1), rows])  # [L - 1 + T, B, D]
    episode = torch.cat([starts.new_zeros((before, starts.shape[1])), starts]).cumsum(0)
    episode = episode.to(rows.device, non_blocking=True).unsqueeze(-1)  # [L - 1 + T, B, 1]
    convolved = taps[-1] * rows
    for lag in range(before):
        same = episode[lag : lag + steps] == episode[before:]
        convolved = convolved + taps[lag] * where_else_zero(same, history[lag : lag + steps])
    leaving = where_else_zero(episode[steps:] == episode[-1], history[steps:])
    return convolved, leaving.transpose(0, 1)  # [T, B, D], [B, L - 1, D]
