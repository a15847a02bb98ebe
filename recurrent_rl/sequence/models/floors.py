"""Models that learn no order: what is left for the others to show."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from recurrent_rl.functional.scan import linear_scan
from recurrent_rl.memory.base import State
from recurrent_rl.memory.checks import require_whole
from recurrent_rl.sequence.models.base import SequenceModel, SequenceSpec


@dataclass(frozen=True, kw_only=True)
class Bag(SequenceSpec):
    """The mean so far of a linear map: all that was read, in no order.

        output[t] = W mean(x[0] ... x[t]) + b

    So a sequence's last output is its mean, and a linear head on it is a linear model of it. Over an embedding of symbols
    it is a bag of words.

    Args:
        hidden_size: Outputs.
    """

    hidden_size: int = 64

    def __post_init__(self) -> None:
        require_whole(self, "hidden_size")

    def build(self, input_size: int) -> "BagModel":
        """Return a new model that reads inputs [T, B, input_size]."""
        return BagModel(input_size, self.hidden_size)


@dataclass(frozen=True, kw_only=True)
class PerStep(SequenceSpec):
    """A linear map of the present input alone, W x[t] + b.

    Args:
        hidden_size: Outputs.
    """

    hidden_size: int = 64

    def __post_init__(self) -> None:
        require_whole(self, "hidden_size")

    def build(self, input_size: int) -> "PerStepModel":
        """Return a new model that reads inputs [T, B, input_size]."""
        return PerStepModel(input_size, self.hidden_size)


class BagModel(SequenceModel):
    """State: the mean so far [B, I], at least in float32, and of how many steps it is [B], int64."""

    causal = True

    def __init__(self, input_size: int, output_size: int) -> None:
        super().__init__()
        self.input_size, self.output_size = input_size, output_size
        self.layer = nn.Linear(input_size, output_size)

    def forward(self, inputs: Tensor, lengths: Tensor, state: State | None = None) -> tuple[Tensor, State]:
        """See `SequenceModel.forward`."""
        mean, count = state or self._nothing(inputs)
        counts = count + torch.arange(1, len(inputs) + 1, device=inputs.device).unsqueeze(1)  # [T, B]
        share = (1.0 / counts.to(mean.dtype)).unsqueeze(-1)  # of the present input in the mean
        starts = torch.zeros(inputs.shape[:2], dtype=torch.bool)
        means = linear_scan(
            (1.0 - share).expand_as(inputs), share * inputs, mean, mean.new_zeros(self.input_size), starts
        )
        return self.layer(means.to(inputs.dtype)), (means[-1], counts[-1])

    def _nothing(self, inputs: Tensor) -> State:
        kind = torch.promote_types(inputs.dtype, torch.float32)  # in bfloat16 1 - 1 / count is 1 from 512 steps on
        return inputs.new_zeros(inputs.shape[1:], dtype=kind), inputs.new_zeros(inputs.shape[1], dtype=torch.int64)


class PerStepModel(SequenceModel):
    """State: none, so any stream goes on."""

    causal = True

    def __init__(self, input_size: int, output_size: int) -> None:
        super().__init__()
        self.input_size, self.output_size = input_size, output_size
        self.layer = nn.Linear(input_size, output_size)

    def forward(self, inputs: Tensor, lengths: Tensor, state: State | None = None) -> tuple[Tensor, State]:
        """See `SequenceModel.forward`."""
        return self.layer(inputs), ()
