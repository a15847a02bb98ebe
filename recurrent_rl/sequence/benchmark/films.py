"""The network for films in the comparison: each place of a frame has the same few weights."""

from dataclasses import dataclass

from recurrent_rl.sequence.benchmark.networks import Network, Sizes
from recurrent_rl.sequence.frames import NextFrame
from recurrent_rl.sequence.models import ConvGRU, FrameNetwork
from recurrent_rl.sequence.task import Task

CHANNELS = 16


@dataclass(frozen=True, kw_only=True)
class FilmNetwork(Network):
    """A convolutional GRU with its convolutional head, of frames alone.

    It has a tenth of the others' parameters, and no input layer: each weight is used at 256 places, so that with as many as
    the others it would take a hundred times as long.
    """

    def suits(self, task: Task) -> bool:
        """See `Entrant.suits`."""
        return isinstance(task.problem, NextFrame)

    def matched(self, task: Task, longest: int, dropout: float) -> Sizes:
        """Return the one size."""
        return Sizes(width=CHANNELS, longest=longest, dropout=dropout)

    def network(self, task: Task, sizes: Sizes) -> FrameNetwork:
        """See `Network.network`."""
        spec = self.make(sizes)
        assert isinstance(spec, ConvGRU)
        assert isinstance(task.problem, NextFrame)
        return FrameNetwork(spec, task.problem)


CONV_GRU = FilmNetwork(name="conv-gru", make=lambda sizes: ConvGRU(channels=sizes.width))
