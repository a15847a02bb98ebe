"""How long sequences of each class are."""

import math

import torch
from torch import Tensor, nn

_LEAST = 0.05
"""Smallest standard deviation of log T: about one step in twenty."""


class Durations(nn.Module):
    """p(T | c): log T is normal in each class.

    Args:
        classes: C. Parameters: mean and log_scale [C].
    """

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.mean = nn.Parameter(torch.zeros(classes, dtype=torch.float64))
        self.log_scale = nn.Parameter(torch.zeros(classes, dtype=torch.float64))

    def forward(self, lengths: Tensor) -> Tensor:
        """Return log p(log T | c), [B, C], of lengths [B]."""
        ratio = (lengths.to(self.mean).log().unsqueeze(-1) - self.mean) / self.log_scale.exp()
        return -0.5 * ratio.square() - self.log_scale - 0.5 * math.log(2 * math.pi)

    @torch.no_grad()
    def fit(self, lengths: Tensor, labels: Tensor) -> None:
        """Set the parameters to the moments of log T in each class; scales are at least 0.05."""
        for label in range(len(self.mean)):
            logs = lengths[labels == label].to(self.mean).log()
            self.mean[label] = logs.mean()
            self.log_scale[label] = logs.std(correction=0).clamp(min=_LEAST).log()
