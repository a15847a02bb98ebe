"""What the arguments of a vector environment's `reset` mean for each column."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np


def column_seeds(seed: int | Sequence[int | None] | None, num_envs: int) -> np.ndarray:
    """Spread the seed argument over the columns: int64 [B], -1 where none is given.

    Raises:
        ValueError: a wrong number of seeds, or one that is negative or too large.
    """
    if seed is None:
        return np.full(num_envs, -1, dtype=np.int64)
    seeds = [int(seed) + i for i in range(num_envs)] if isinstance(seed, int | np.integer) else list(seed)
    if len(seeds) != num_envs:
        raise ValueError(f"got {len(seeds)} seeds for {num_envs} environments")
    if any(s is not None and not 0 <= s < 2**63 for s in seeds):
        raise ValueError(f"seeds must lie in [0, 2**63), got {seed}")
    return np.array([-1 if s is None else s for s in seeds], dtype=np.int64)


def reset_mask(options: Mapping[str, Any] | None, num_envs: int) -> np.ndarray:
    """Return the columns to reset, bool [B], a copy.

    Raises:
        ValueError: a mask of another shape or dtype, or one that marks no column.
    """
    if options is None or "reset_mask" not in options:
        return np.ones(num_envs, dtype=bool)
    mask = options["reset_mask"]
    if not isinstance(mask, np.ndarray) or mask.dtype != bool or mask.shape != (num_envs,):
        raise ValueError(f"options['reset_mask'] must be a bool array of shape ({num_envs},), got {mask!r}")
    if not mask.any():
        raise ValueError("options['reset_mask'] must mark at least one column")
    return mask.copy()
