"""Controls: what an agent does without memory, or with a window of what it saw last."""

from dataclasses import dataclass

import torch
from torch import Tensor

from recurrent_rl.memory.base import Memory, MemorySpec, State
from recurrent_rl.memory.checks import require_whole


@dataclass(frozen=True)
class NoMemory(MemorySpec):
    """The memoryless control: the output is the input."""

    def build(self, input_size: int) -> Memory:
        """Return the identity on inputs [T, B, input_size]."""
        return Identity(input_size)


@dataclass(frozen=True)
class FrameWindow(MemorySpec):
    """The last `length` inputs of one's own episode, the newest last, zeros before its start.

    Args:
        length: Inputs in the window, among them the present one.
    """

    length: int = 4

    def __post_init__(self) -> None:
        require_whole(self, "length")  # 1 is the present input alone

    def build(self, input_size: int) -> Memory:
        """Return a window over inputs [T, B, input_size]."""
        return _Window(input_size, self.length)


class Identity(Memory):
    """The memory of `NoMemory`."""

    def __init__(self, input_size: int) -> None:
        super().__init__()
        self.input_size = self.output_size = input_size

    def initial_state(self, batch_size: int) -> State:
        """Return no leaves."""
        return ()

    def forward(self, inputs: Tensor, state: State, starts: Tensor) -> tuple[Tensor, State]:
        """Return the inputs."""
        return inputs, state


class _Window(Memory):
    zero: Tensor

    """State: the last length - 1 inputs [B, length - 1, I], zero where they are not of this episode."""

    def __init__(self, input_size: int, length: int) -> None:
        super().__init__()
        self.input_size, self.output_size, self.length = input_size, input_size * length, length
        self.register_buffer("zero", torch.zeros(()), persistent=False)  # carries device and dtype

    def initial_state(self, batch_size: int) -> State:
        return (self.zero.expand(batch_size, self.length - 1, self.input_size),)

    def forward(self, inputs: Tensor, state: State, starts: Tensor) -> tuple[Tensor, State]:
        before = self.length - 1
        frames = torch.cat([state[0].transpose(0, 1), inputs])  # [before + T, B, I]
        episode = torch.cat([starts.new_zeros((before, starts.shape[1])), starts]).cumsum(0)  # [before + T, B]
        same = [episode[lag : lag + len(inputs)] == episode[before:] for lag in range(self.length)]
        kept = torch.stack(same).to(inputs.device, non_blocking=True).unsqueeze(-1)  # [length, T, B, 1]
        windows = torch.stack([frames[lag : lag + len(inputs)] for lag in range(self.length)])  # [length, T, B, I]
        outputs = torch.where(kept, windows, self.zero).permute(1, 2, 0, 3).flatten(2)  # [T, B, length I]
        last = (episode[len(inputs) :] == episode[-1]).to(inputs.device, non_blocking=True).unsqueeze(-1)
        leaving = torch.where(last, frames[len(inputs) :], self.zero).transpose(0, 1)  # [B, before, I]
        return outputs, (leaving,)
