"""Sequences of unequal length: as examples on the host, and as one batch, time first.

index t        0    1    2    3
column 0      x0   x1   x2   x3      lengths[0] = 4
column 1      x0   x1    .    .      lengths[1] = 2: what stands after it is padding and counts nowhere
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

IGNORED = -100
"""A target of this number is not scored, as in torch's cross-entropy. Real targets that are not scored are NaN."""

Array = NDArray[np.generic]


@dataclass(frozen=True)
class Examples:
    """Inputs and targets of one split.

    Args:
        inputs: For each sequence [T] int64 symbols, [T, C] with C symbols at each step, or [T, F] float32 features; T >= 1.
        targets: For each sequence what the problem says: [T] labels, one label, [h] values, [L] symbols; None where the
            inputs themselves are wanted, one step later.
        groups: For each sequence the speaker, document or subject that it comes from; None where all are unrelated.
    """

    inputs: Sequence[Array]
    targets: Sequence[Array] | Array | None = None
    groups: Sequence[int] | Array | None = None

    def __len__(self) -> int:
        return len(self.inputs)

    def select(self, indices: Sequence[int] | Array) -> "Examples":
        """Return the examples at `indices`, in that order."""
        chosen = [int(index) for index in indices]
        targets = None if self.targets is None else [self.targets[index] for index in chosen]
        groups = None if self.groups is None else [self.groups[index] for index in chosen]
        return Examples([self.inputs[index] for index in chosen], targets, groups)


@dataclass(frozen=True)
class Batch:
    """Padded sequences, on a device.

    Args:
        inputs: [T, B] or [T, B, C] int64, or [T, B, F] float32; zeros after an end.
        lengths: [B] int64, on the host.
        targets: [T, B] or [T, B, F] for targets at each step (IGNORED or NaN after an end), [B] or [B, h] for targets of
            a whole sequence; None where the inputs are wanted one step later.
        target_lengths: [B] int64 on the host for sequence to sequence, where targets are [L, B]; else None.
    """

    inputs: Tensor
    lengths: Tensor
    targets: Tensor | None = None
    target_lengths: Tensor | None = None

    def to(self, device: torch.device | str) -> "Batch":
        """Return the batch on a device; lengths stay on the host."""
        moved = None if self.targets is None else self.targets.to(device, non_blocking=True)
        return Batch(self.inputs.to(device, non_blocking=True), self.lengths, moved, self.target_lengths)

    @property
    def mask(self) -> Tensor:
        """[T, B] bool on the inputs' device: whether a step is of its sequence."""
        return length_mask(self.lengths, len(self.inputs)).to(self.inputs.device, non_blocking=True)


def length_mask(lengths: Tensor, steps: int) -> Tensor:
    """Return [T, B] bool on the host: t < lengths[b]."""
    return torch.arange(steps).unsqueeze(1) < lengths.unsqueeze(0)


def pad(arrays: Sequence[Array], value: float = 0) -> Tensor:
    """Return arrays [T_i, ...] side by side, [max T_i, B, ...], with a value after each end."""
    longest = max(len(array) for array in arrays)
    padded = np.full((longest, len(arrays), *arrays[0].shape[1:]), value, dtype=arrays[0].dtype)
    for column, array in enumerate(arrays):
        padded[: len(array), column] = array
    return torch.from_numpy(padded)


def batches(lengths: Sequence[int], size: int, rng: np.random.Generator | None) -> Iterator[NDArray[np.int64]]:
    """Yield indices of batches that hold similar lengths, so that little is padded.

    Examples are drawn in random order and sorted by length within groups of 16 batches; batches come in random order.
    Without `rng` all are sorted, the same each time.
    """
    order = np.argsort(np.asarray(lengths), kind="stable")
    if rng is not None:
        shuffled = rng.permutation(len(lengths))
        pools = np.array_split(shuffled, max(1, -(-len(shuffled) // (16 * size))))
        order = np.concatenate([pool[np.argsort(np.asarray(lengths)[pool], kind="stable")] for pool in pools])
    cuts = [order[start : start + size] for start in range(0, len(order), size)]
    for index in range(len(cuts)) if rng is None else rng.permutation(len(cuts)):
        yield cuts[index]
