"""Parts of an extended Kalman filter for B columns at once, whose measurements are clipped."""

import math

import numpy as np

_GRID = np.linspace(-8, 8, 4097)
_BELOW = np.array([0.5 * math.erfc(-x / math.sqrt(2)) for x in _GRID])


def clipped_normal(
    mean: np.ndarray, sigma: float, low: float, high: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the moments of clip(mean + sigma * normal, low, high).

    With a = (low - mean) / sigma and b = (high - mean) / sigma, in units of sigma and relative to the mean:
    first = a P(a) + b (1 - P(b)) + p(a) - p(b), slope = P(b) - P(a),
    second = a^2 P(a) + b^2 (1 - P(b)) + slope + a p(a) - b p(b).

    Args:
        mean: [B].
        sigma: standard deviation, above 0.
        low: bound.
        high: bound.

    Returns:
        Its mean, the derivative of that by `mean` (the probability of no clipping), and its variance, each [B].
    """
    a, b = (low - mean) / sigma, (high - mean) / sigma
    below, above = np.interp(a, _GRID, _BELOW), np.interp(-b, _GRID, _BELOW)
    density_a, density_b = (np.exp(-np.square(x) / 2) / math.sqrt(2 * math.pi) for x in (a, b))
    slope = 1 - above - below
    first = a * below + b * above + density_a - density_b
    second = a**2 * below + b**2 * above + slope + a * density_a - b * density_b
    return mean + sigma * first, slope, sigma**2 * (second - first**2)


def corrected(
    mean: np.ndarray, covariance: np.ndarray, residual: np.ndarray, direction: np.ndarray, variance: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Take one scalar measurement in: the Kalman filter's update.

    Args:
        mean: of the state, [B, n].
        covariance: of the state, [B, n, n].
        residual: measured minus expected, [B].
        direction: derivative of the expected measurement by the state, [B, n].
        variance: of the measurement given the state, [B].

    Returns:
        The new mean and covariance.
    """
    spread = np.einsum("bij,bj->bi", covariance, direction)  # [B, n]
    gain = spread / (np.einsum("bi,bi->b", spread, direction) + variance)[:, None]  # [B, n]
    return mean + gain * residual[:, None], covariance - gain[:, :, None] * spread[:, None, :]
