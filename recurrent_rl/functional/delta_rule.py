"""Matrix memories over a rollout whose columns hold several episodes: linear attention and the delta rule, by chunks.

A memory of V x K numbers per head is written with keys and read with queries. Inside a chunk of C rows everything is a
product of matrices; only the memory at each chunk's entry is carried on in a loop, over T / C chunks. The memory before
an episode is zero.

In products of matrices a NaN spreads, also to rows that have a factor of zero for it. So a NaN in the entry state has to
be `set_aside` first, and `put_back` where it belongs; then it passes no start. A NaN in queries, keys or values reaches
the other rows of its chunk and column.

Source: Yang et al. 2024, Parallelizing Linear Transformers with the Delta Rule over Sequence Length.
"""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import pad

from recurrent_rl.functional.precision import without_autocast

State = tuple[Tensor, ...]
CHUNK = 32  # rows at most; time grows with T C, steps of the loop shrink with T / C


@dataclass(frozen=True)
class Chunks:
    """T rows cut into n chunks of C, the last filled up; it has a row of the T at least.

    Args:
        count: n.
        rows: C.
        same: [n, B, 1, C, C] bool: row t of a chunk may read row i: i <= t, and both are of one episode.
        inherits: [n, B, 1, C, 1] bool: no episode has started in the chunk up to and including the row.
    """

    count: int
    rows: int
    same: Tensor
    inherits: Tensor

    @classmethod
    def of(cls, starts: Tensor, device: torch.device, rows: int = CHUNK) -> "Chunks":
        """Cut `starts` [T, B] evenly into chunks of at most `rows` rows."""
        count = -(-len(starts) // rows)
        rows = -(-len(starts) // count)
        filled = pad(starts, (0, 0, 0, count * rows - len(starts)))
        episode = filled.unflatten(0, (count, rows)).cumsum(1).transpose(1, 2)  # [n, B, C]
        episode = episode.to(device, non_blocking=True).unsqueeze(2).unsqueeze(-1)  # [n, B, 1, C, 1]
        return cls(count, rows, (episode == episode.mT).tril(), episode == 0)

    @property
    def whole(self) -> Tensor:
        """Whether no episode starts in the chunk, [n, B, 1, 1, 1] bool."""
        return self.inherits[..., -1:, :]

    @property
    def lasting(self) -> Tensor:
        """Whether the row is of the chunk's last episode, [n, B, 1, C, 1] bool."""
        return self.same[..., -1:, :].mT

    def cut(self, rows: Tensor, fill: float = 0.0) -> Tensor:
        """Return rows [T, B, N, D] as chunks [n, B, N, C, D], with `fill` in the rows that T does not have."""
        filled = pad(rows, (0, 0, 0, 0, 0, 0, 0, self.count * self.rows - len(rows)), value=fill)
        return filled.unflatten(0, (self.count, self.rows)).permute(0, 2, 3, 1, 4).contiguous()  # [n, B, N, C, D]

    def join(self, chunks: Tensor, steps: int) -> Tensor:
        """Return chunks [n, B, N, C, D] as rows [T, B, N, D]."""
        return chunks.permute(0, 3, 1, 2, 4).flatten(0, 1)[:steps]  # [T, B, N, D]


def where_else_zero(chosen: Tensor, values: Tensor) -> Tensor:
    """Return the values where `chosen` [...] bool, and zero elsewhere, even for NaN and in gradients."""
    return torch.where(chosen, values, values.new_zeros(()))


def set_aside(inputs: Tensor, state: State, starts: Tensor) -> tuple[Tensor, State, Tensor]:
    """Return inputs and state with zeros in place of what is not finite, and the rows that this concerns.

    Args:
        inputs: [T, B, I].
        state: Leaves [B, ...].
        starts: [T, B] bool on the host.

    Returns:
        Inputs without the rows that hold a NaN or an infinity, the state without the columns that do, and lost [T, B]
        bool: rows of an episode after such a one. `put_back` makes them NaN again.
    """
    finite = torch.stack([leaf.reshape(len(leaf), -1).isfinite().all(1) for leaf in state]).all(0)  # [B]
    good, fresh = inputs.isfinite().all(-1), starts.to(inputs.device, non_blocking=True)  # [T, B]
    bad = torch.cat([~finite.unsqueeze(0), ~good]).cumsum(0)  # [1 + T, B], so many up to each row
    earlier = torch.where(fresh, bad[:-1], 0).cummax(0).values  # [T, B], so many before its episode
    clean = tuple(where_else_zero(_like(finite, leaf), leaf) for leaf in state)
    return where_else_zero(good.unsqueeze(-1), inputs), clean, bad[1:] > earlier


def put_back(outputs: Tensor, state: State, lost: Tensor) -> tuple[Tensor, State]:
    """Return outputs [T, B, O] and the leaving state with NaN in the lost rows [T, B], through which no gradient passes."""
    leaves = tuple(leaf.masked_fill(_like(lost[-1], leaf), torch.nan) for leaf in state)
    return outputs.masked_fill(lost.unsqueeze(-1), torch.nan), leaves


def _like(columns: Tensor, leaf: Tensor) -> Tensor:
    return columns.view(-1, *[1] * (leaf.dim() - 1))  # [B, 1, ...]


def delta_rule(
    queries: Tensor, keys: Tensor, values: Tensor, rates: Tensor, entry: Tensor, starts: Tensor
) -> tuple[Tensor, Tensor]:
    """Return what is read from memories that the delta rule writes, and the memory that is left.

        S[t] = S[t - 1] + rates[t] (values[t] - S[t - 1] keys[t]) keys[t]^T       S = 0 where starts[t]
        o[t] = S[t] queries[t]

    With rates in [0, 1] and keys no longer than 1, S stays bounded. Computed in the type of `entry`, whatever autocast
    says.

    In a chunk, row t adds u[t] keys[t]^T, and u = L^-1 rates (values - keys S_entry^T), L the unit lower triangle of
    rates[t] keys[t] keys[i]^T between rows of one episode: so u is linear in S_entry, and one triangular solve gives both
    parts for all chunks at once.

    Args:
        queries: [T, B, N, K].
        keys: [T, B, N, K].
        values: [T, B, N, V].
        rates: [T, B, N].
        entry: [B, N, V, K], the memory before row 0; finite, if T > 1.
        starts: [T, B] bool on the host; on the device if T = 1.

    Returns:
        o [T, B, N, V] and the memory after the last row [B, N, V, K].

    Source: Yang et al. 2024, Parallelizing Linear Transformers with the Delta Rule over Sequence Length.
    """
    queries, keys, values, rates = (tensor.to(entry.dtype) for tensor in (queries, keys, values, rates))
    with without_autocast(entry):
        if len(queries) == 1:  # an acting step: nothing is read on the host, so a CUDA graph can hold it
            return _delta_row(queries[0], keys[0], values[0], rates[0], _reset(entry, starts))
        chunks = Chunks.of(starts, entry.device)
        cut_queries, cut_keys, cut_rates = chunks.cut(queries), chunks.cut(keys), chunks.cut(rates.unsqueeze(-1))
        targets = torch.cat([chunks.cut(values), where_else_zero(chunks.inherits, cut_keys)], dim=-1)
        overlaps = where_else_zero(chunks.same, cut_rates * (cut_keys @ cut_keys.mT))  # [n, B, N, C, C]
        writes = torch.linalg.solve_triangular(overlaps, cut_rates * targets, upper=False, unitriangular=True)
        sizes = [values.shape[-1], keys.shape[-1]]
        read, erased = (where_else_zero(chunks.same, cut_queries @ cut_keys.mT) @ writes).split(sizes, dim=-1)
        grown, shrunk = (where_else_zero(chunks.lasting, writes).mT @ cut_keys).split(sizes, dim=-2)
        kept = torch.eye(sizes[1], dtype=entry.dtype, device=entry.device) - shrunk  # [n, B, N, K, K]
        outputs, leaving = _carry(read, cut_queries - erased, grown, kept, entry, chunks)
        return chunks.join(outputs, len(queries)), leaving


def linear_attention(
    queries: Tensor, keys: Tensor, values: Tensor, entry: Tensor, starts: Tensor
) -> tuple[Tensor, Tensor]:
    """Return what is read from memories to which everything is added, and the memory that is left.

        S[t] = S[t - 1] + values[t] keys[t]^T       S = 0 where starts[t]
        o[t] = S[t] queries[t]

    Arguments, results and precision as in `delta_rule`.

    Source: Katharopoulos et al. 2020, Transformers are RNNs: Fast Autoregressive Transformers with Linear Attention.
    """
    queries, keys, values = (tensor.to(entry.dtype) for tensor in (queries, keys, values))
    with without_autocast(entry):
        if len(queries) == 1:
            memory = _reset(entry, starts) + _outer(values[0], keys[0])
            return _product(memory, queries[0]).unsqueeze(0), memory
        chunks = Chunks.of(starts, entry.device)
        cut_queries, cut_keys, cut_values = chunks.cut(queries), chunks.cut(keys), chunks.cut(values)
        read = where_else_zero(chunks.same, cut_queries @ cut_keys.mT) @ cut_values  # [n, B, N, C, V]
        grown = where_else_zero(chunks.lasting, cut_values).mT @ cut_keys  # [n, B, N, V, K]
        kept = torch.eye(keys.shape[-1], dtype=entry.dtype, device=entry.device)
        outputs, leaving = _carry(read, cut_queries, grown, kept, entry, chunks)
        return chunks.join(outputs, len(queries)), leaving


def _carry(
    read: Tensor, reading: Tensor, grown: Tensor, kept: Tensor, entry: Tensor, chunks: Chunks
) -> tuple[Tensor, Tensor]:
    """Return outputs [n, B, N, C, V] and the memory after the last chunk.

    A chunk that finds memory S reads read + reading S^T, and leaves S kept + grown; without the S where an episode has
    started.
    """
    kept = where_else_zero(chunks.whole, kept)  # [n, B, N, K, K]
    memory, entries = entry, []
    for keep, grow in zip(kept, grown, strict=True):
        entries.append(memory)
        memory = memory @ keep + grow
    return read + where_else_zero(chunks.inherits, reading) @ torch.stack(entries).mT, memory


def _delta_row(query: Tensor, key: Tensor, value: Tensor, rate: Tensor, memory: Tensor) -> tuple[Tensor, Tensor]:
    memory = memory + _outer(rate.unsqueeze(-1) * (value - _product(memory, key)), key)
    return _product(memory, query).unsqueeze(0), memory


def _reset(entry: Tensor, starts: Tensor) -> Tensor:
    fresh = starts[0].to(entry.device, non_blocking=True).view(-1, 1, 1, 1)
    return where_else_zero(~fresh, entry)


def _product(memory: Tensor, vector: Tensor) -> Tensor:
    return (memory @ vector.unsqueeze(-1)).squeeze(-1)  # [B, N, V]


def _outer(left: Tensor, right: Tensor) -> Tensor:
    return left.unsqueeze(-1) * right.unsqueeze(-2)
