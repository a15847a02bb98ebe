"""Causal attention over a sliding window of one's own episode, with relative positions."""

import torch
from torch import Tensor

LEAST_BLOCK = 16  # rows; shorter blocks cost more in calls than they save in scores


def rows_in_reach(starts: Tensor, held: Tensor, most: int) -> Tensor:
    """Return how many of the rows before each row are of its own episode, at most `most`: int64 [T, B].

    Nothing is read on the host, so a CUDA graph can hold it.

    Args:
        starts: [T, B] bool, on any device.
        held: [B] int64, how many rows before row 0 are of the episode that was going on there, at most `most`.
        most: The number of rows before one's own in a window.
    """
    fresh = starts.to(held.device, non_blocking=True)
    if len(starts) == 1:
        return torch.where(fresh, 0, held)
    rows = torch.arange(len(starts), device=held.device).unsqueeze(1)  # [T, 1]
    last_start = torch.where(fresh, rows, -1).cummax(dim=0).values
    return torch.where(last_start < 0, held + rows, rows - last_start).clamp(max=most)


def own_rows(rows: Tensor, held: Tensor) -> Tensor:
    """Return rows [N, B, D] with zeros in place of all but the last `held` [B] ones: what went before is forgotten.

    Neither values nor gradients nor a NaN come from what is replaced.
    """
    from_end = torch.arange(len(rows), 0, -1, device=rows.device).unsqueeze(1)  # [N, 1]
    return torch.where((from_end <= held).unsqueeze(-1), rows, 0.0)


def leaving_rows(rows: Tensor, steps: int, held: Tensor) -> Tensor:
    """Return what the next call needs of rows [N + T, B, D], of which T = `steps` are new: [B, N, D].

    After a single step that is the last N rows as they are, if `own_rows` has been over the first N; otherwise a start
    between has made some of them another episode's.
    """
    last = rows[steps:]
    return (last if steps == 1 else own_rows(last, held)).transpose(0, 1)


def finite_rows(rows: Tensor) -> tuple[Tensor, Tensor]:
    """Return rows [N, B, D] with zeros in place of those that are not finite, and which those are, bool [N, B].

    A product with a matrix that holds a NaN is NaN even where its weight is zero, so a NaN must not enter it at all. Numbers
    whose square would not be finite count as NaN: norms and scores would make them so.
    """
    largest = torch.finfo(rows.dtype).max ** 0.5 / 2**10
    bad = ~(rows.detach().abs().amax(dim=-1) < largest)
    return torch.where(bad.unsqueeze(-1), 0.0, rows), bad


def spoilt_rows(bad: Tensor, reach: Tensor) -> Tensor:
    """Return which rows [T, B] have one of the `bad` [M - 1 + T, B] in their reach [T, B], themselves included."""
    steps, before = len(reach), len(bad) - len(reach)
    counts = torch.cat([reach.new_zeros((1, reach.shape[1])), bad.cumsum(dim=0)])  # [M + T, B]
    own = torch.arange(before, before + steps, device=reach.device).unsqueeze(1)  # [T, 1]
    return counts[before + 1 :] > counts.gather(0, own - reach)


def window_attention(queries: Tensor, keys: Tensor, values: Tensor, bias: Tensor, reach: Tensor) -> Tensor:
    """Return what each row gathers from itself and the `reach` rows before it.

        score[t, n] = q[t] . k[t - n] / sqrt(d) + bias[n]      0 <= n <= reach[t]
        output[t]   = sum over n of softmax(score[t])[n] v[t - n]

    for each head on its own d = D / heads numbers. Rows are taken in blocks that see themselves and the M - 1 rows
    before, so time and memory grow with T M and not with T squared.

    No value, gradient or NaN comes from a row out of reach. A row that has one that is not finite in its reach becomes
    NaN, and with T > 1 no gradient flows back from it.

    Args:
        queries: [T, B, D].
        keys: [M - 1 + T, B, D], those of the M - 1 rows before row 0 first; finite where row 0 does not reach, as
            `own_rows` leaves them.
        values: [M - 1 + T, B, D], likewise.
        bias: [heads, M], by the distance n back.
        reach: [T, B] int64, at most M - 1; see `rows_in_reach`.

    Returns:
        [T, B, D].

    Source: Vaswani et al. 2017, Attention Is All You Need; Raffel et al. 2020, Exploring the Limits of Transfer Learning
    with a Unified Text-to-Text Transformer (a learned bias per head and distance; ours has one for every distance).
    """
    if len(queries) == 1:
        return finite_window_attention(queries, keys, values, bias, reach)
    (queries, query_bad), (keys, key_bad), (values, value_bad) = map(finite_rows, (queries, keys, values))
    spoilt = spoilt_rows(key_bad | value_bad, reach) | query_bad
    attended = finite_window_attention(queries, keys, values, bias, reach)
    return torch.where(spoilt.unsqueeze(-1), torch.nan, attended)


def finite_window_attention(queries: Tensor, keys: Tensor, values: Tensor, bias: Tensor, reach: Tensor) -> Tensor:
    """Return `window_attention` of rows that are finite, all of them, or of a single row."""
    heads, window = bias.shape
    steps = len(queries)
    size = min(steps, max(window, LEAST_BLOCK))
    blocks = _split(_cut(queries, size), heads)  # [N, B, heads, size, d]
    key_blocks, value_blocks = (_split(_cut(rows, size, window - 1), heads) for rows in (keys, values))
    distances = _distances(size, size + window - 1, reach.device)
    back = _cut(reach, size).transpose(1, 2).unsqueeze(-1)  # [N, B, size, 1]
    attended = _attend(blocks, key_blocks, value_blocks, bias, (distances >= 0) & (distances <= back))
    return _merge(attended)[:steps]


def _attend(queries: Tensor, keys: Tensor, values: Tensor, bias: Tensor, visible: Tensor) -> Tensor:
    """Attend within blocks: queries [N, B, heads, C, d], keys and values [N, B, heads, R, d], visible [N, B, C, R]."""
    size, length = visible.shape[-2:]
    distances = _distances(size, length, bias.device).clamp(0, bias.shape[1] - 1)
    scores = queries * queries.shape[-1] ** -0.5 @ keys.transpose(-1, -2) + bias[:, distances]
    return scores.masked_fill_(~visible.unsqueeze(2), -torch.inf).softmax(dim=-1) @ values


def _distances(size: int, length: int, device: torch.device) -> Tensor:
    """Return how far back each of `length` keys lies from each of the `size` queries, which are the last: [C, R]."""
    places = torch.arange(length, device=device)
    return places[length - size :].unsqueeze(1) - places


def _cut(rows: Tensor, size: int, before: int = 0) -> Tensor:
    """Return rows [before + T, ...] as blocks [N, before + size, ...], each with the rows before it; zeros at the end."""
    count = -(-(len(rows) - before) // size)
    if count == 1:
        return rows.unsqueeze(0)
    whole = count + (before > 0)
    padding = rows.new_zeros((whole * size - len(rows), *rows.shape[1:]))
    blocks = torch.cat([rows, padding]).unflatten(0, (whole, size))  # [N or N + 1, size, ...]
    return torch.cat([blocks[:-1], blocks[1:, :before]], dim=1) if before > 0 else blocks


def _split(blocks: Tensor, heads: int) -> Tensor:
    """Return blocks [N, C, B, D] as [N, B, heads, C, d]."""
    return blocks.unflatten(-1, (heads, -1)).permute(0, 2, 3, 1, 4)


def _merge(blocks: Tensor) -> Tensor:
    """Return blocks [N, B, heads, C, d] as rows [N C, B, D]."""
    return blocks.permute(0, 3, 1, 2, 4).flatten(3).flatten(0, 1)
