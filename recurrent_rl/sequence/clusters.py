"""First guesses at states: inputs in clusters around randomly chosen ones."""

import torch
from torch import Tensor

_SAMPLE = 5000


def cluster(inputs: Tensor, count: int, generator: torch.Generator, rounds: int = 10) -> Tensor:
    """Return the cluster of each of N inputs [N, F], [N] int64: k-means, its centres moved on a sample of the inputs.

    Features are scaled to variance one first. Few rounds are enough, and leave restarts different from each other.

    Source: Arthur and Vassilvitskii 2007, k-means++: The Advantages of Careful Seeding.
    """
    scale = inputs.std(0, correction=0)
    scaled = (inputs - inputs.mean(0)) / torch.where(scale > 0, scale, 1.0)
    sample = scaled[torch.randperm(len(scaled), generator=generator)[:_SAMPLE]]
    centres = _seeds(sample, count, generator)
    for _ in range(rounds):
        centres = _moved(sample, centres)
    return _nearest(scaled, centres)


def one_hot(labels: Tensor, states: int, like: Tensor) -> Tensor:
    """Return weights [N, K] of one at labels [N], of another tensor's kind."""
    return torch.eye(states, dtype=like.dtype, device=like.device)[labels]


def _seeds(points: Tensor, count: int, generator: torch.Generator) -> Tensor:
    """Return points [count, F], each drawn in proportion to its squared distance to the nearest of those before."""
    chosen = points[:1]
    while len(chosen) < count:
        distance = torch.cdist(points, chosen).amin(1).square()
        weights = distance if distance.sum() > 0 else torch.ones_like(distance)
        chosen = torch.cat([chosen, points[torch.multinomial(weights, 1, generator=generator)]])
    return chosen


def _moved(points: Tensor, centres: Tensor) -> Tensor:
    """Return the means of the points nearest to each centre; a centre without points stays."""
    member = one_hot(_nearest(points, centres), len(centres), points)  # [N, K]
    counts = member.sum(0).unsqueeze(-1)
    return torch.where(counts > 0, member.T @ points / counts.clamp(min=1), centres)


def _nearest(points: Tensor, centres: Tensor) -> Tensor:
    return torch.cdist(points, centres).argmin(1)
