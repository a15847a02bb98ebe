"""Extended LSTM: exponential gates, with a scalar or a matrix memory."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import logsigmoid

from recurrent_rl.functional.delta_rule import Chunks, put_back, set_aside, where_else_zero
from recurrent_rl.functional.precision import without_autocast
from recurrent_rl.memory.base import Memory, MemorySpec, State
from recurrent_rl.memory.checks import require_divisor
from recurrent_rl.memory.compose import Dense, Normed, Residual, Stack

EMPTY = -1e15  # log of the weight of an empty memory: below any gate, and its square is finite in float32
SMALLEST_LOG, LARGEST_LOG = -14.0, 60.0  # of mLSTM's divisor, beside a memory of order 1: no overflow in float32


@dataclass(frozen=True, kw_only=True)
class SLSTM(MemorySpec):
    """xLSTM's cell with a scalar memory per unit, whose gates see the last output of the units of their head.

        z = tanh(z~)   i = exp(i~)   f = sigmoid(f~)   o = sigmoid(o~)       each W x + R h + b, R by blocks, one a head
        c = f c + i z       n = f n + i       h = o c / n [H]

    The gate i has no upper bound, so a new input can outweigh everything stored. The paper scales c and n by exp(-m) to
    have them finite; here y = c / n and l = log n are the state, which is the same function with one leaf less:

        l' = log(exp(log f + l) + exp(i~))       y' = y f n / n' + z i / n'

    The last product is an interpolation by sigmoid(log f + l - i~). Of the paper's two forget gates, sigmoid and exp, we
    have the first, which is stable for any weights. The block around the cell (convolution, norms, projections) is left
    to wrappers.

    Args:
        hidden_size: Units, H.
        num_heads: Heads; a divisor of hidden_size.

    Source: Beck et al. 2024, xLSTM: Extended Long Short-Term Memory.
    """

    hidden_size: int = 64
    num_heads: int = 4

    def __post_init__(self) -> None:
        require_divisor(self, "num_heads", "hidden_size")

    def build(self, input_size: int) -> Memory:
        """Return a new memory that reads inputs [T, B, input_size]."""
        return SLSTMMemory(self, input_size)


@dataclass(frozen=True, kw_only=True)
class MLSTM(MemorySpec):
    """xLSTM's cell with a matrix memory per head, whose gates see the input alone, so that it runs by chunks.

        q = W_q x   k = W_k x / sqrt(K)   v = W_v x [K]       i = exp(i~)   f = sigmoid(f~), two numbers a head
        C = f C + i v k^T [K, K]       n = f n + i k [K]
        h = sigmoid(W_o x) C q / max(|n q|, 1), of all heads

    K = hidden_size / num_heads, and all projections have biases. C and n are kept divided by exp(m), with
    m = max(log f + m, i~), which takes part in nothing but rounding, and in a floor: |n q|, so divided, counts as exp(-14)
    where it is less. (The authors' code adds 1e-6; without, h has a pole where i is large and n q changes sign.) n is one
    more row of C. The block around the cell (convolution, norms, projections) is left to wrappers; of the paper's two
    forget gates, sigmoid and exp, we have the first, which is stable for any weights.

    Args:
        hidden_size: Outputs, of all heads together.
        num_heads: Heads; a divisor of hidden_size.

    Source: Beck et al. 2024, xLSTM: Extended Long Short-Term Memory.
    """

    hidden_size: int = 64
    num_heads: int = 4

    def __post_init__(self) -> None:
        require_divisor(self, "num_heads", "hidden_size")

    def build(self, input_size: int) -> Memory:
        """Return a new memory that reads inputs [T, B, input_size]."""
        return MLSTMMemory(self, input_size)


@dataclass(frozen=True, kw_only=True)
class XLSTM(MemorySpec):
    """A stack of xLSTM cells, each with its inputs normalised and a way around it.

        x = W inputs + b [H], then x = x + cell(LayerNorm(x)) for each cell

    The paper's blocks, written xLSTM[a:b] for a mLSTM and b sLSTM cells, have further projections, convolutions and
    perceptrons in and behind them; these are left out. The cells alone are `MLSTM` and `SLSTM`.

    Args:
        hidden_size: Units of each cell, H.
        num_heads: Heads of each cell; a divisor of hidden_size.
        cells: "mlstm" and "slstm", the lowest first.

    Source: Beck et al. 2024, xLSTM: Extended Long Short-Term Memory.
    """

    hidden_size: int = 64
    num_heads: int = 4
    cells: tuple[Literal["mlstm", "slstm"], ...] = ("mlstm", "slstm")

    def __post_init__(self) -> None:
        require_divisor(self, "num_heads", "hidden_size")
        if (
            not isinstance(self.cells, Sequence)
            or not self.cells
            or any(x not in ("mlstm", "slstm") for x in self.cells)
        ):
            raise ValueError(f'{self}: cells must be "mlstm" or "slstm", one or more, not {self.cells!r}.')
        object.__setattr__(self, "cells", tuple(self.cells))  # a list would not compare equal after loading

    def build(self, input_size: int) -> Memory:
        """Return a new memory that reads inputs [T, B, input_size]."""
        kinds = [MLSTM if cell == "mlstm" else SLSTM for cell in self.cells]
        layers = [Residual(Normed(kind(hidden_size=self.hidden_size, num_heads=self.num_heads))) for kind in kinds]
        return Stack([Dense(hidden_size=self.hidden_size), *layers]).build(input_size)


def long_memories(count: int) -> Tensor:
    """Return initial biases of forget gates, [count]: they keep 0.95 to 0.998 of a memory at each step."""
    return torch.linspace(3.0, 6.0, count)


class SLSTMMemory(Memory):
    """The memory of `SLSTM`; state: h, y = c / n and l = log n, [B, H] each."""

    initial: Tensor

    def __init__(self, spec: SLSTM, input_size: int) -> None:
        super().__init__()
        self.input_size, self.output_size, self.heads = input_size, spec.hidden_size, spec.num_heads
        width = spec.hidden_size // spec.num_heads
        self.projection = nn.Linear(input_size, 4 * spec.hidden_size)  # rows [N, (z, i, f, o), D]
        self.recurrent = nn.Parameter(torch.empty(spec.num_heads, width, 4 * width).uniform_(-1, 1) / width**0.5)
        with torch.no_grad():
            self.projection.bias.view(spec.num_heads, 4, width)[:, 2] = long_memories(width)
        empty = torch.tensor([0.0, 0.0, EMPTY])
        self.register_buffer("initial", empty.unsqueeze(-1).repeat(1, spec.hidden_size), persistent=False)  # [3, H]

    def initial_state(self, batch_size: int) -> State:
        """Return zeros and, for l, what no gate weighs less than."""
        return tuple(leaf.expand(batch_size, -1) for leaf in self.initial)

    def forward(self, inputs: Tensor, state: State, starts: Tensor) -> tuple[Tensor, State]:
        """See `Memory.forward`."""
        projected = self.projection(inputs).to(self.initial.dtype).unflatten(-1, (self.heads, -1))  # [T, B, N, 4 D]
        with without_autocast(inputs):
            leaves = [self._by_heads(leaf) for leaf in state]
            outputs, leaves = self._loop(projected.transpose(1, 2), leaves, starts)
            leaving = tuple(leaf.transpose(0, 1).flatten(1) for leaf in leaves)  # [B, H]
        return outputs.transpose(1, 2).flatten(2), leaving  # [T, B, H]

    def _by_heads(self, leaf: Tensor) -> Tensor:
        return leaf.unflatten(-1, (self.heads, -1)).transpose(-3, -2)  # [N, B, D], of [B, H]

    def _loop(self, projected: Tensor, state: list[Tensor], starts: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Return outputs [T, N, B, D] and the state that is left, from projections [T, N, B, 4 D]."""
        fresh = starts.to(projected.device, non_blocking=True).unsqueeze(-1)  # [T, B, 1]
        initial = [self._by_heads(leaf.unsqueeze(0)) for leaf in self.initial]
        resets = [True] if len(starts) == 1 else starts.any(1).tolist()
        outputs = []
        for row, start, reset in zip(projected.unbind(), fresh.unbind(), resets, strict=True):
            if reset:
                state = [torch.where(start, new, old) for new, old in zip(initial, state, strict=True)]
            state = self._step(row, state)
            outputs.append(state[0])
        return torch.stack(outputs), state

    def _step(self, row: Tensor, state: list[Tensor]) -> list[Tensor]:
        h, y, weight = state
        new, enter, forget, leave = torch.baddbmm(row, h, self.recurrent).chunk(4, dim=-1)  # [N, B, D]
        kept = logsigmoid(forget) + weight
        y = torch.lerp(torch.tanh(new), y, torch.sigmoid(kept - enter))
        return [torch.sigmoid(leave) * y, y, torch.logaddexp(kept, enter)]


class MLSTMMemory(Memory):
    """The memory of `MLSTM`; state: C and, as its last row, n [B, N, K + 1, K], and m [B, N]."""

    memory: Tensor
    scale: Tensor

    def __init__(self, spec: MLSTM, input_size: int) -> None:
        super().__init__()
        self.input_size, self.output_size, self.heads = input_size, spec.hidden_size, spec.num_heads
        width = spec.hidden_size // spec.num_heads
        self.projection = nn.Linear(input_size, 4 * spec.hidden_size)  # q, k, v, o
        self.gates = nn.Linear(input_size, 2 * spec.num_heads)  # i, f
        with torch.no_grad():
            self.gates.bias.copy_(torch.cat([torch.zeros(spec.num_heads), long_memories(spec.num_heads)]))
        self.register_buffer("memory", torch.zeros(spec.num_heads, width + 1, width), persistent=False)
        self.register_buffer("scale", torch.full((spec.num_heads,), EMPTY), persistent=False)

    def initial_state(self, batch_size: int) -> State:
        """Return an empty memory and, for m, what no gate weighs less than."""
        return self.memory.expand(batch_size, -1, -1, -1), self.scale.expand(batch_size, -1)

    def forward(self, inputs: Tensor, state: State, starts: Tensor) -> tuple[Tensor, State]:
        """See `Memory.forward`."""
        if len(inputs) == 1:
            read, leave, leaving = self._read(inputs, state, starts, self._one_row)
            return leave * read, leaving
        inputs, state, lost = set_aside(inputs, state, starts)
        read, leave, leaving = self._read(inputs, state, starts, run_chunks)
        return put_back(leave * read, leaving, lost)

    def _read(self, inputs: Tensor, state: State, starts: Tensor, run: "Run") -> tuple[Tensor, Tensor, State]:
        """Return what is read, the output gate, both [T, B, H], and the state that is left."""
        projected = self.projection(inputs).to(self.memory.dtype)
        queries, keys, values, leave = projected.unflatten(-1, (4, self.heads, -1)).unbind(2)  # [T, B, N, K]
        enter, forget = self.gates(inputs).to(self.memory.dtype).chunk(2, dim=-1)  # [T, B, N]
        counted = torch.cat([values, torch.ones_like(values[..., :1])], dim=-1)  # [T, B, N, K + 1]
        rows = Rows(queries, keys / keys.shape[-1] ** 0.5, counted, enter, logsigmoid(forget))
        with without_autocast(inputs):
            read, leaving = run(rows, state, starts)
            return read.flatten(2), torch.sigmoid(leave).flatten(2), leaving

    def _one_row(self, rows: "Rows", state: State, starts: Tensor) -> tuple[Tensor, State]:
        fresh = starts[0].to(self.memory.device, non_blocking=True).unsqueeze(-1)  # [B, 1]
        memory = torch.where(fresh.unsqueeze(-1).unsqueeze(-1), self.memory, state[0])
        kept, enter = rows.forget[0] + torch.where(fresh, self.scale, state[1]), rows.enter[0]
        scale = torch.maximum(kept, enter)  # [B, N]
        written = (rows.values[0] * torch.exp(enter - scale).unsqueeze(-1)).unsqueeze(-1) * rows.keys[0].unsqueeze(-2)
        memory = torch.exp(kept - scale).unsqueeze(-1).unsqueeze(-1) * memory + written
        read = (memory @ rows.queries[0].unsqueeze(-1)).squeeze(-1)  # [B, N, K + 1]
        return divided(read, scale.unsqueeze(-1)).unsqueeze(0), (memory, scale)


@dataclass(frozen=True)
class Rows:
    """What the matrix memory reads: queries, keys [T, B, N, K], values [T, B, N, K + 1], log gates [T, B, N]."""

    queries: Tensor
    keys: Tensor
    values: Tensor
    enter: Tensor
    forget: Tensor


Run = Callable[[Rows, State, Tensor], tuple[Tensor, State]]


def divided(read: Tensor, scale: Tensor) -> Tensor:
    """Return C q / max(|n q|, 1) [..., K] of C q and n q together [..., K + 1], both divided by exp(scale) [..., 1]."""
    one = torch.exp((-scale).clamp(SMALLEST_LOG, LARGEST_LOG))
    return read[..., :-1] / torch.maximum(read[..., -1:].abs(), one)


def run_chunks(rows: Rows, entry: State, starts: Tensor) -> tuple[Tensor, State]:
    """Return h without its gate [T, B, N, K] and the state that is left; the equations are those of `MLSTM`.

    Row t weighs row i <= t of its chunk and episode by exp(d[t, i]), d = i~[i] + sum of log f over i + 1 ... t, and the
    chunk's entry by exp(e[t]), e = m_entry + sum of log f up to t. All but the entry is computed for every chunk at once,
    scaled by the chunk's own maximum of d; the two parts then meet at m[t] = max(max d, e).
    """
    chunks = Chunks.of(starts, entry[0].device)
    queries, keys, values = chunks.cut(rows.queries), chunks.cut(rows.keys), chunks.cut(rows.values)
    enter, forget = (
        chunks.cut(rows.enter.unsqueeze(-1), fill=EMPTY),
        chunks.cut(rows.forget.unsqueeze(-1)),
    )  # [n, B, N, C, 1]
    weights, own_scale = _weights(enter, forget, chunks)
    own = (weights * (queries @ keys.mT)) @ values  # [n, B, N, C, K + 1]
    grown = (weights[..., -1:, :].mT * values).mT @ keys  # [n, B, N, K + 1, K]
    since = forget.cumsum(-2)  # [n, B, N, C, 1]
    entries, leaving = _carry(grown, own_scale[..., -1:, :], since[..., -1:, :], entry, chunks)
    inherited = torch.where(chunks.inherits, since + entries[1], EMPTY)
    scale = torch.maximum(own_scale, inherited)
    found = torch.exp(inherited - scale) * (queries @ entries[0].mT)
    read = torch.exp(own_scale - scale) * own + where_else_zero(chunks.inherits, found)
    return chunks.join(divided(read, scale), len(starts)), leaving


def _weights(enter: Tensor, forget: Tensor, chunks: Chunks) -> tuple[Tensor, Tensor]:
    """Return exp(d - max d) [n, B, N, C, C] and max d [n, B, N, C, 1].

    Sums of log f are taken from each row i on, not as differences of sums from the first row: those cancel.
    """
    below = torch.ones(chunks.rows, chunks.rows, dtype=torch.bool, device=forget.device).tril(-1)
    sums = where_else_zero(below, forget).cumsum(-2)  # [n, B, N, C, C]
    logs = (enter.mT + sums).masked_fill(~chunks.same, -torch.inf)
    largest = logs.amax(-1, keepdim=True)
    return torch.exp(logs - largest), largest


def _carry(grown: Tensor, scales: Tensor, since: Tensor, entry: State, chunks: Chunks) -> tuple[State, State]:
    """Return the state at each chunk's entry, [n, B, N, K + 1, K] and [n, B, N, 1, 1], and the one that is left."""
    memory, scale = entry[0], entry[1].unsqueeze(-1).unsqueeze(-1)
    memories, entry_scales = [], []
    for grow, own, decay, whole in zip(grown, scales, since, chunks.whole, strict=True):
        memories.append(memory)
        entry_scales.append(scale)
        kept = torch.where(whole, decay + scale, EMPTY)
        scale = torch.maximum(kept, own)
        memory = torch.exp(own - scale) * grow + where_else_zero(whole, torch.exp(kept - scale) * memory)
    return (torch.stack(memories), torch.stack(entry_scales)), (memory, scale.flatten(1))
