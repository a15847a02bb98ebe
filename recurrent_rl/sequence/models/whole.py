"""What models that see a whole sequence at once have in common."""

from torch import Tensor

from recurrent_rl.memory.base import State
from recurrent_rl.sequence.batch import length_mask
from recurrent_rl.sequence.models.base import SequenceModel


def zero_after_ends(inputs: Tensor, lengths: Tensor) -> Tensor:
    """Return inputs [T, B, ...] with zeros after each end: neither values nor gradients come from there."""
    mask = length_mask(lengths, len(inputs)).to(inputs.device, non_blocking=True)  # [T, B]
    return inputs.where(mask.view(*mask.shape, *[1] * (inputs.dim() - 2)), inputs.new_zeros(()))


def mean_of(outputs: Tensor, lengths: Tensor) -> Tensor:
    """Return the means over each sequence's own steps of outputs [T, B, O], [B, O]."""
    counts = lengths.to(outputs.device, outputs.dtype, non_blocking=True).unsqueeze(-1)  # [B, 1]
    return zero_after_ends(outputs, lengths).sum(0) / counts


def refuse_state(model: SequenceModel, state: State | None) -> None:
    """Raise ValueError if a model that cannot go on with a stream is given a state."""
    if state is not None:
        name = type(model).__name__
        raise ValueError(
            f"{name} cannot go on from a state: give it whole sequences with state None, or take a model that carries one."
        )
