"""Recurrences keep the precision of their state."""

import torch
from torch import Tensor


def without_autocast(tensor: Tensor) -> torch.autocast:
    """Return the context in which autocast rounds nothing on the tensor's device."""
    kind = tensor.device.type
    return torch.autocast(kind if kind != "meta" else "cpu", enabled=False)
