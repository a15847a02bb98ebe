"""Probabilities of the next tag from the one or two before, interpolated with those from fewer.

Index K, after the last tag, is the boundary: it stands twice before a sentence and once after it.

Source: Brants 2000, TnT: A Statistical Part-of-Speech Tagger (section 2.2, figure 1).
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from recurrent_rl.sequence.batch import Array

Grams = NDArray[np.int64]
Numbers = NDArray[np.float64]


def count_grams(sentences: Sequence[Array], tags: int, order: int) -> tuple[Grams, Numbers]:
    """Return the different runs of `order` tags [M, order], boundaries among them, and how often each came [M]."""
    padded = [np.concatenate([[tags] * (order - 1), row, [tags]]) for row in sentences]
    ends = np.cumsum([len(row) for row in padded])
    flat = np.concatenate(padded).astype(np.int64)
    runs = np.lib.stride_tricks.sliding_window_view(flat, order)
    crossing = (ends[:-1, None] - np.arange(1, order)).ravel()  # runs that begin in one sentence and end in the next
    grams, counts = np.unique(np.delete(runs, crossing, axis=0), axis=0, return_counts=True)
    return grams, counts.astype(np.float64)


def interpolation(grams: Grams, counts: Numbers) -> Numbers:
    """Return weights [order] of the probabilities from 0, 1, ... tags before, by deleted interpolation.

    Each run's count goes to that order whose estimate of the run's last tag is largest when the run is taken out of the
    data once, (f(run) - 1) / (f(context) - 1); the lowest order wins a tie. Each order gets one count more, so that none is
    without weight.
    """
    order = grams.shape[1]
    estimates = np.stack([_left_out(grams[:, order - n :], counts) for n in range(1, order + 1)])
    won = np.bincount(estimates.argmax(0), weights=counts, minlength=order) + 1.0
    return won / won.sum()


def log_transitions(grams: Grams, counts: Numbers, weights: Numbers, tags: int) -> Numbers:
    """Return log p(tag | one or two before), [K + 1, K + 1] or [K + 1, K + 1, K + 1]; the last axis is the tag.

    In a context that was never seen the estimate is that from one tag fewer, so that probabilities sum to one.
    """
    estimate = mixed = _table(grams[:, -1:], counts, tags)
    estimate = estimate / estimate.sum()
    mixed = weights[0] * estimate
    for n in range(2, grams.shape[1] + 1):
        table = _table(grams[:, -n:], counts, tags)
        total = table.sum(-1, keepdims=True)
        estimate = np.where(total > 0, table / np.maximum(total, 1.0), estimate)
        mixed = mixed + weights[n - 1] * estimate
    with np.errstate(divide="ignore"):
        return np.log(mixed)


def _left_out(runs: Grams, counts: Numbers) -> Numbers:
    """Return (f(run) - 1) / (f(context) - 1) of runs [M, n]; 0 where the context came once."""
    whole, context = _totals(runs, counts), _totals(runs[:, :-1], counts)
    return np.where(context > 1, (whole - 1) / np.maximum(context - 1, 1.0), 0.0)


def _totals(runs: Grams, counts: Numbers) -> Numbers:
    """Return for each run [M, n] the summed counts of all runs equal to it, [M]; of all where n = 0."""
    if runs.shape[1] == 0:
        return np.full(len(counts), counts.sum())
    _, place = np.unique(runs, axis=0, return_inverse=True)
    place = place.ravel()
    return np.bincount(place, weights=counts).astype(np.float64)[place]


def _table(runs: Grams, counts: Numbers, tags: int) -> Numbers:
    table = np.zeros((tags + 1,) * runs.shape[1])
    np.add.at(table, tuple(runs.T), counts)
    return table
