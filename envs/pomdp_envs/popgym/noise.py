"""Normal noise on a Box observation, as popgym's noisy worlds add it."""

import numpy as np


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
