"""Observations on their way from the environment into storage."""

import numpy as np
import torch
from torch import Tensor

from recurrent_rl.functional.observation import HostObservation, Observation


def to_device(observation: HostObservation, device: torch.device) -> Observation:
    """Copy a host observation to `device`; float64 becomes float32, other types stay (images remain uint8).

    The copy is real on the CPU too: environments may write into the same array at their next step.
    """
    if isinstance(observation, dict):
        return {key: _tensor(value, device) for key, value in observation.items()}
    return _tensor(observation, device)


def rows_of(storage: Observation) -> list[Observation]:
    """Return the rows of `storage` [T, B, ...] as T views [B, ...]."""
    if isinstance(storage, dict):
        return [dict(zip(storage, row, strict=True)) for row in zip(*storage.values(), strict=True)]
    return list(storage)


def write_row(stored: Observation, row: Observation) -> None:
    """Write an observation [B, ...] in place of the stored one."""
    if isinstance(stored, dict):
        assert isinstance(row, dict)
        for key, value in stored.items():
            value.copy_(row[key])
    else:
        assert isinstance(row, Tensor)
        stored.copy_(row)


def concatenate(rows: list[Observation]) -> Observation:
    """Concatenate observations [n_i, ...] along their first dimension."""
    first = rows[0]
    if isinstance(first, dict):
        return {key: torch.cat([row[key] for row in rows if isinstance(row, dict)]) for key in first}
    return torch.cat([row for row in rows if isinstance(row, Tensor)])


def _tensor(array: np.ndarray, device: torch.device) -> Tensor:
    # Contiguous: a transposed image would keep its layout, and be convolved in another way than after a resume.
    dtype = np.float32 if array.dtype == np.float64 else array.dtype
    copied = torch.from_numpy(np.array(array, dtype=dtype, order="C"))
    return copied.pin_memory().to(device, non_blocking=True) if device.type == "cuda" else copied.to(device)
