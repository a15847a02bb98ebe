"""Which states may begin a sequence and which may follow which."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from recurrent_rl.memory.checks import require_whole


class Topology(ABC):
    """A rule for any number of states; subclasses are frozen dataclasses of plain values."""

    @abstractmethod
    def allowed(self, states: int) -> tuple[Tensor, Tensor]:
        """Return which states may come first, [K] bool, and which may follow which, [K, K] bool."""

    @abstractmethod
    def segments(self, lengths: Sequence[int], states: int, generator: torch.Generator) -> Tensor | None:
        """Return a first guess at the state of each step, [sum of lengths] int64; None where the inputs must tell."""


@dataclass(frozen=True, kw_only=True)
class Ergodic(Topology):
    """Any state may follow any."""

    def allowed(self, states: int) -> tuple[Tensor, Tensor]:
        """See `Topology.allowed`."""
        return torch.ones(states, dtype=torch.bool), torch.ones(states, states, dtype=torch.bool)

    def segments(self, lengths: Sequence[int], states: int, generator: torch.Generator) -> Tensor | None:
        """Return None."""
        return None


@dataclass(frozen=True, kw_only=True)
class LeftRight(Topology):
    """States in order, as the sounds of a word: begins in the first, and goes from i to i, i + 1, ... i + jump.

    The last state is not forced at the end, so sequences may be shorter than there are states.

    Args:
        jump: How many states ahead one step may go, 1 or more.

    Source: Rabiner 1989, section IV.A.
    """

    jump: int = 1

    def __post_init__(self) -> None:
        require_whole(self, "jump")

    def allowed(self, states: int) -> tuple[Tensor, Tensor]:
        """See `Topology.allowed`."""
        place = torch.arange(states)
        ahead = place - place.unsqueeze(1)  # [K, K], j - i
        return place == 0, (ahead >= 0) & (ahead <= self.jump)

    def segments(self, lengths: Sequence[int], states: int, generator: torch.Generator) -> Tensor | None:
        """Return each sequence cut into `states` parts, whose shares of it are drawn once, from 1 to 2 before scaling.

        A sequence that is too short for all states goes as far as its jumps take it.
        """
        shares = 1 + torch.rand(states, generator=generator)
        ends = (shares.cumsum(0) / shares.sum())[:-1]
        return torch.cat([self._reached(torch.searchsorted(ends, _middles(length), right=True)) for length in lengths])

    def _reached(self, wanted: Tensor) -> Tensor:
        """Return s[0] = 0, s[t] = min(wanted[t], s[t-1] + jump), [T], of states `wanted` that never fall."""
        furthest = self.jump * torch.arange(len(wanted))
        behind = (wanted - furthest).clamp(max=0)  # 0 at first, as s[0] is
        return behind.cummin(0).values + furthest


def _middles(length: int) -> Tensor:
    """Return the middles of a sequence's steps as shares of it, [T]."""
    return (torch.arange(length) + 0.5) / length
