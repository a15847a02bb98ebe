"""A training run's state on disk: written whole or not at all, read without unpickling."""

from pathlib import Path
from typing import Any

import torch


def save(path: Path, state: dict[str, Any]) -> None:
    """Write a state of tensors and plain values."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".part")
    torch.save(state, partial)
    partial.replace(path)


def load(path: Path, device: torch.device) -> dict[str, Any]:
    """Return a saved state, its tensors on a device.

    Raises:
        ValueError: The file is damaged.
    """
    try:
        return torch.load(path, map_location=device, weights_only=True)
    except Exception as error:  # torch raises what its readers raise
        raise ValueError(f"{path} cannot be read ({error}); delete it to begin anew.") from error
