"""Normal noise on a Box observation, as popgym's noisy worlds add it."""

import math

import numpy as np


def checked_sigma(name: str, sigma: object) -> float:
    """Return a standard deviation as a float.

    Raises:
        ValueError: it is no finite number, or negative.
    """
    if not isinstance(sigma, float | int | np.floating | np.integer) or not 0 <= sigma < math.inf:
        raise ValueError(f"{name} must be a finite number of at least 0, not {sigma!r}")
    return float(sigma)


def with_noise(seen: np.ndarray, normals: np.ndarray, sigma: float, limit: np.ndarray | float) -> np.ndarray:
    """Add noise, rounded to float32 before it is added, and clip.

    Args:
        seen: float32 [B, K].
        normals: standard normal numbers, float64 [K, B].
        sigma: standard deviation of the noise.
        limit: the result lies within +-limit, [K] float32 or one number.

    Returns:
        float32 [B, K].
    """
    return np.clip(seen + (sigma * normals).T.astype(np.float32), -limit, limit)
