"""The contract of a sequence model: (inputs, lengths, state) in, (outputs, state) out."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from recurrent_rl.memory.base import State


class SequenceModel(nn.Module, ABC):
    """Reads vectors, gives a vector for each step. A head of the task's own stands on top.

    What stands after a sequence's end, any finite number, changes no output within any sequence, nor any gradient.

    Attributes:
        causal: Whether outputs[t] sees inputs up to t alone. Only such models predict next steps and carry a state.
    """

    input_size: int
    output_size: int
    causal: bool

    @abstractmethod
    def forward(self, inputs: Tensor, lengths: Tensor, state: State | None = None) -> tuple[Tensor, State | None]:
        """Read a batch.

        Args:
            inputs: [T, B, I].
            lengths: [B] int64 on the host, 1 to T; what stands after an end is padding.
            state: What a call before returned, to go on with the same streams (all lengths T); None begins.

        Returns:
            Outputs [T, B, O], of any value after an end; and the state to go on with, of fixed size, or None where a model
            cannot go on (it looks ahead).
        """

    def summary(self, outputs: Tensor, lengths: Tensor) -> Tensor:
        """Return what a sequence's outputs [T, B, O] say in all, [B, O]: the last within its length."""
        return last_of(outputs, lengths)


class SequenceSpec(ABC):
    """What a sequence model is made from; subclasses are frozen keyword-only dataclasses of plain values."""

    @abstractmethod
    def build(self, input_size: int) -> SequenceModel:
        """Return a new model that reads inputs [T, B, input_size]."""


@contextmanager
def evaluating(network: nn.Module) -> Iterator[None]:
    """Put a network in evaluation mode, and back into its own mode at the end, also by an error."""
    was_training = network.training
    network.eval()
    try:
        yield
    finally:
        network.train(was_training)


def last_of(outputs: Tensor, lengths: Tensor) -> Tensor:
    """Return outputs[lengths[b] - 1, b], [B, O]."""
    rows = (lengths - 1).to(outputs.device, non_blocking=True)
    return outputs[rows, torch.arange(outputs.shape[1], device=outputs.device)]


def require_lengths(lengths: Tensor, steps: int) -> None:
    """Raise ValueError unless there are sequences, and all lengths [B] are from 1 to the steps of the batch."""
    if len(lengths) == 0:
        raise ValueError("The batch holds no sequence: give it one at least.")
    least, most = int(lengths.min()), int(lengths.max())
    if least < 1 or most > steps:
        raise ValueError(
            f"lengths must be from 1 to {steps}, the steps of the batch's inputs; they are from {least} to {most}. "
            "Leave out empty sequences, and pad the inputs to the longest."
        )
