"""Any memory of the agents as a model of sequences."""

from dataclasses import dataclass

import torch
from torch import Tensor

from recurrent_rl.memory import GRU, Memory, MemorySpec, State
from recurrent_rl.sequence.models.base import SequenceModel, SequenceSpec
from recurrent_rl.sequence.models.whole import mean_of

_DEFAULT = GRU()


@dataclass(frozen=True, kw_only=True)
class Recurrent(SequenceSpec):
    """A memory that reads each sequence as one episode.

    Deep nets come from `recurrent_rl.memory.Stack`, and feed-forward ones with a window from `FrameWindow`.

    Args:
        memory: Its spec.
        mean: Whether a sequence's summary is the mean of its outputs, not the last: for texts, where what tells the class
            may stand anywhere.
    """

    memory: MemorySpec = _DEFAULT
    mean: bool = False

    def build(self, input_size: int) -> "RecurrentModel":
        """Return a new model that reads inputs [T, B, input_size]."""
        return RecurrentModel(self.memory.build(input_size), self.mean)


class RecurrentModel(SequenceModel):
    """The model of `Recurrent`. It also reads what stands after an end, so only full columns may go on with the state."""

    causal = True

    def __init__(self, memory: Memory, mean: bool = False) -> None:
        super().__init__()
        self.memory, self.mean = memory, mean
        self.input_size, self.output_size = memory.input_size, memory.output_size

    def forward(self, inputs: Tensor, lengths: Tensor, state: State | None = None) -> tuple[Tensor, State]:
        """See `SequenceModel.forward`."""
        return self.memory(inputs, *entry(self.memory, inputs, state))

    def summary(self, outputs: Tensor, lengths: Tensor) -> Tensor:
        """See `SequenceModel.summary`."""
        return mean_of(outputs, lengths) if self.mean else super().summary(outputs, lengths)


def entry(memory: Memory, inputs: Tensor, state: State | None) -> tuple[State, Tensor]:
    """Return the state and the starts [T, B] with which a memory reads inputs [T, B, I]: a fresh call starts in row 0."""
    starts = torch.zeros(inputs.shape[:2], dtype=torch.bool)
    if state is not None:
        return state, starts
    starts[0] = True
    return memory.initial_state(inputs.shape[1]), starts
