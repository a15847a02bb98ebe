"""How often the optimal filter of a hidden Markov model guesses right."""

import numpy as np

EXACT = 4096  # so many histories are told apart
MOST = 8_000_000  # histories and cells to go through, over all steps; with more there is no answer
_MULTIPLIER = 0x9E3779B97F4A7C15


def best_guesses(
    start: np.ndarray, chain: np.ndarray, emission: np.ndarray, steps: int, next_state: bool, grid: int = 100
) -> float | None:
    """Compute the expected share of right guesses when the most probable state is guessed at every step.

    With alpha_t(k; h) = P(symbols up to t are h, state at t is k), the share at t is sum_h max_k alpha_t(k; h), and
    alpha_t+1(j; h o) = emission[j, o] sum_i alpha_t(i; h) chain[i, j]. Beyond 4096 histories those whose beliefs fall
    into one cell of a grid are added up, as if the player could not tell them apart. So the result is exact as long as
    the histories are few, and otherwise a lower bound; for the chain of HMMWorld it is less
    than 0.0001 low, since within a cell the best guess is mostly the same, and then nothing is lost.

    Args:
        start: [K].
        chain: [K, K].
        emission: [K, M].
        steps: guesses in an episode.
        next_state: whether the next state is guessed.
        grid: cells per unit of probability.

    Returns:
        The share, or None where there are too many histories and cells to go through.
    """
    joint = start * emission.T  # [M, K]: a row per history
    total = 0.0
    for step in range(steps):
        predicted = joint @ chain  # [H, K]
        total += (predicted if next_state else joint).max(axis=1).sum()
        if step + 1 == steps:
            break
        if len(joint) * emission.shape[1] * steps > MOST:
            return None
        joint = (predicted[:, None] * emission.T).reshape(-1, len(start))  # [H M, K]
        joint = joint[joint.any(axis=1)]
        if len(joint) > EXACT:
            joint = _merged(joint, grid)
    return float(total / steps)


def _merged(joint: np.ndarray, grid: int) -> np.ndarray:
    """Add up the rows [H, K] whose beliefs fall into one cell."""
    cells = (joint / joint.sum(axis=1, keepdims=True) * grid).round().astype(np.uint64)  # [H, K]
    key = cells[:, 0].copy()
    for column in cells.T[1:]:  # a hash: cells that share a key by chance are added up too, which is as sound
        key = key * np.uint64(_MULTIPLIER) + column
    _, cell = np.unique(key, return_inverse=True)
    return np.stack([np.bincount(cell, weights=column) for column in joint.T], axis=1)
