"""The most likely tags of sentences, each word having a few candidates."""

import numpy as np
from numpy.typing import NDArray

Indices = NDArray[np.int64]
Numbers = NDArray[np.float64]


def best_paths(table: Numbers, tags: Indices, scores: Numbers, lengths: Indices) -> Indices:
    """Return the tags [T, B] that make the sum of transitions and scores largest, over all paths through the candidates.

        v[t + 1, j, k] = max_i (v[t, i, j] + table[i, j, k]) + score[t + 1, k]

    i, j, k being candidates of three words in a row. The boundary follows the last word.

    Args:
        table: [K + 1, K + 1, K + 1] or [K + 1, K + 1], log p(tag | two before) or log p(tag | one before), K the boundary.
        tags: [T, B, C], candidates of each word.
        scores: [T, B, C], of any scale at each word; -inf where there are fewer candidates, which stand first.
        lengths: [B] of the sentences, in falling order.

    Returns:
        Tags, of any value after an end.

    Source: Viterbi 1967, with pairs of tags as states.
    """
    boundary = np.full((len(lengths), 1), table.shape[-1] - 1)
    before = now = boundary
    value, origins = np.zeros((len(lengths), 1, 1)), []
    finals = np.empty((len(lengths), 2), dtype=np.int64)
    for t in range(len(tags)):
        going = int(np.searchsorted(-lengths, -t))  # sentences longer than t
        _finish(finals[going : len(value)], table, value[going:], before[going:], now[going:], boundary[going:])
        new, score = _few(tags[t, :going], scores[t, :going])
        total = value[:going, :, :, None] + _steps(table, before[:going], now[:going], new)  # [b, i, j, k]
        origins.append(total.argmax(1))
        value, before, now = total.max(1) + score[:, None], now[:going], new
    _finish(finals[: len(value)], table, value, before, now, boundary)
    return _trace(finals, origins, tags, lengths)


def _few(tags: Indices, scores: Numbers) -> tuple[Indices, Numbers]:
    """Return candidates [B, c] without those places that no sentence needs."""
    width = max(1, int((scores > -np.inf).sum(-1).max(initial=0)))
    return tags[:, :width], scores[:, :width]


def _steps(table: Numbers, before: Indices, now: Indices, new: Indices) -> Numbers:
    """Return the table's values for candidates [B, i], [B, j] and [B, k]: [B, i, j, k], or [B, 1, j, k] for pairs."""
    size = table.shape[-1]
    code = now[:, None, :, None] * size + new[:, None, None, :]
    if table.ndim == 3:
        code = code + before[:, :, None, None] * size**2
    return np.take(table.reshape(-1), code)


def _finish(finals: Indices, table: Numbers, value: Numbers, before: Indices, now: Indices, boundary: Indices) -> None:
    """Write the best last two candidates [b, 2] of sentences that end here."""
    if len(value):
        total = value + _steps(table, before, now, boundary[: len(value)])[..., 0]
        best = total.reshape(len(total), -1).argmax(-1)
        finals[:] = np.stack(np.unravel_index(best, total.shape[1:]), axis=-1)


def _trace(finals: Indices, origins: list[Indices], tags: Indices, lengths: Indices) -> Indices:
    """Return the tags [T, B] of the paths that end in `finals`; origins[t] [b, j, k] is the candidate at t - 2."""
    paths = np.zeros(tags.shape[:2], dtype=np.int64)
    pair = finals.copy()
    for t in range(len(tags) - 1, -1, -1):
        going = int(np.searchsorted(-lengths, -t))
        rows, (last, current) = np.arange(going), pair[:going].T
        paths[t, :going] = tags[t, rows, current]
        pair[:going] = np.stack([origins[t][rows, last, current], last], axis=-1)
    return paths
