"""The memory contract: state goes in and comes out, and a reset is data.

Source: the (output, state) form is that of Haiku's recurrent core and of RecurrentGemma.
"""

from abc import ABC, abstractmethod

from torch import Tensor, nn

State = tuple[Tensor, ...]
"""Flat tuple of leaves [B, ...]; empty for a memory that keeps nothing."""


class Memory(nn.Module, ABC):
    """A causal sequence model that reads one episode after another in each column.

    No module remembers anything between calls. Acting is the same call with T = 1.
    """

    input_size: int
    output_size: int

    @abstractmethod
    def initial_state(self, batch_size: int) -> State:
        """Return the state before an episode's first input, leaves [B, ...] on the module's device."""

    @abstractmethod
    def forward(self, inputs: Tensor, state: State, starts: Tensor) -> tuple[Tensor, State]:
        """Read T inputs.

        Args:
            inputs: [T, B, I].
            state: Leaves [B, ...], the state after the input before inputs[0].
            starts: [T, B] bool on the host: inputs[t, b] is an episode's first, so the state is replaced by the
                initial one before it is consumed. In a CUDA graph, which holds acting steps (T = 1) of this library's
                own memories, it lies on the device: reading it on the host is for T > 1.

        Returns:
            Outputs [T, B, O], outputs[t] having seen inputs up to and including t of its own episode; and the state
            after inputs[T - 1].
        """


class MemorySpec(ABC):
    """What a memory is made from; subclasses are frozen keyword-only dataclasses of plain values."""

    @abstractmethod
    def build(self, input_size: int) -> Memory:
        """Return a new memory that reads inputs [T, B, input_size]."""
