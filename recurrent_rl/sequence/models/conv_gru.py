"""A convolutional GRU: each place of a frame has its units, which see their neighbours; and a network around it."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import pixel_shuffle, pixel_unshuffle

from recurrent_rl.memory.base import State
from recurrent_rl.memory.checks import require_whole
from recurrent_rl.sequence.batch import Batch
from recurrent_rl.sequence.frames import NextFrame
from recurrent_rl.sequence.models.base import SequenceModel, SequenceSpec, require_lengths


@dataclass(frozen=True, kw_only=True)
class ConvGRU(SequenceSpec):
    """A GRU whose matrices are convolutions, over frames cut into patches.

        r, z  = sigmoid(W_rz * x[t] + U_rz * h[t-1] + b_rz)            *: a convolution, zeros around the frame
        n     = tanh(W_n * x[t] + b_n + r (U_n * h[t-1] + c_n))        gates as in torch's GRU
        h[t]  = n + z (h[t-1] - n),   output[t] = h[t]

    An input holds planes of S x S numbers, [T, B, planes S^2]. x has the numbers of a patch as its channels:
    [planes patch^2, S / patch, S / patch]. So a convolution sees farther, and there are fewer places to compute.

    Args:
        channels: Units at each place, C.
        kernel_size: Of all convolutions; odd.
        patch: Side of a patch; it divides S.
        planes: Of an input: 2 for a frame in grey and how it changed, as `NextFrame` gives them.

    Raises:
        ValueError: A field out of range.

    Source: Ballas et al. 2016, Delving Deeper into Convolutional Networks for Learning Video Representations; patches as
    in Shi et al. 2015, Convolutional LSTM Network.
    """

    channels: int = 16
    kernel_size: int = 3
    patch: int = 2
    planes: int = 2

    def __post_init__(self) -> None:
        require_whole(self, "channels", "kernel_size", "patch", "planes")
        if self.kernel_size % 2 == 0:
            raise ValueError(f"{self}: kernel_size must be odd.")

    def build(self, input_size: int) -> "ConvGRUModel":
        """Return a new model that reads inputs [T, B, input_size]."""
        return ConvGRUModel(self, input_size)


class ConvGRUModel(SequenceModel):
    """The model of `ConvGRU`. State and outputs: [B, O] and [T, B, O] with O = C (S / patch)^2."""

    causal = True

    def __init__(self, spec: ConvGRU, input_size: int) -> None:
        super().__init__()
        side = math.isqrt(input_size // spec.planes)
        if spec.planes * side * side != input_size or side % spec.patch:
            raise ValueError(
                f"{spec} reads {spec.planes} squares whose side is a multiple of {spec.patch}, not {input_size} numbers."
            )
        self.spec, self.side, self.grid = spec, side, side // spec.patch
        self.input_size, self.output_size = input_size, spec.channels * self.grid**2
        self.read = _convolution(spec, spec.planes * spec.patch**2, 3 * spec.channels)
        self.recur = _convolution(spec, spec.channels, 3 * spec.channels)

    def forward(self, inputs: Tensor, lengths: Tensor, state: State | None = None) -> tuple[Tensor, State]:
        """See `SequenceModel.forward`."""
        patches = pixel_unshuffle(inputs.reshape(-1, self.spec.planes, self.side, self.side), self.spec.patch)
        seen = self.read(patches).unflatten(0, inputs.shape[:2])  # [T, B, 3 C, G, G]
        first = inputs.new_zeros(inputs.shape[1], self.output_size) if state is None else state[0]
        h, outputs = first.view(-1, self.spec.channels, self.grid, self.grid), []
        for row in seen:
            h = self._step(row, h)
            outputs.append(h.flatten(1))
        return torch.stack(outputs), (outputs[-1],)

    def _step(self, seen: Tensor, h: Tensor) -> Tensor:
        """Return the next state [B, C, G, G]."""
        read, recalled = seen.chunk(3, dim=1), self.recur(h).chunk(3, dim=1)
        reset, keep = (read[0] + recalled[0]).sigmoid(), (read[1] + recalled[1]).sigmoid()
        new = (read[2] + reset * recalled[2]).tanh()
        return new + keep * (h - new)


class FrameNetwork(nn.Module):
    """A convolutional GRU with a convolutional head, behind the call of `SequenceNetwork`.

    The head begins at zero: by `NextFrame`'s word the network begins by repeating the last frame.

    Args:
        spec: Of the model, with two planes.
        problem: What is asked; its frames are squares.

    Raises:
        ValueError: The spec has another number of planes.
    """

    def __init__(self, spec: ConvGRU, problem: NextFrame) -> None:
        super().__init__()
        if spec.planes != 2:
            raise ValueError(f"{spec} must have planes=2 for films: a frame, and how it changed.")
        self.problem, self.model = problem, spec.build(problem.input_size)
        self.head = _convolution(spec, spec.channels, spec.patch**2)
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)  # type: ignore[arg-type]

    def forward(self, batch: Batch, state: State | None = None) -> tuple[Tensor, State | None]:
        """Return the changes [T, B, S^2] that come, and the state to go on with; see `SequenceNetwork.forward`.

        Raises:
            ValueError: A sequence is empty.
        """
        require_lengths(batch.lengths, len(batch.inputs))
        outputs, state = self.model(batch.inputs, batch.lengths, state)
        places = outputs.reshape(-1, self.model.spec.channels, self.model.grid, self.model.grid)
        changes = pixel_shuffle(self.head(places), self.model.spec.patch)  # [T B, 1, S, S]
        return changes.reshape(*batch.inputs.shape[:2], -1), state


def _convolution(spec: ConvGRU, inputs: int, outputs: int) -> nn.Conv2d:
    """Return a convolution that keeps a frame's size."""
    return nn.Conv2d(inputs, outputs, spec.kernel_size, padding=spec.kernel_size // 2)
