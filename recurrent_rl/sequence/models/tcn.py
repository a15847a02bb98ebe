"""Dilated convolutions over time."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import conv1d, dropout
from torch.nn.utils.parametrizations import weight_norm

from recurrent_rl.memory.base import State
from recurrent_rl.memory.checks import require_between, require_whole
from recurrent_rl.sequence.batch import length_mask
from recurrent_rl.sequence.models.base import SequenceModel, SequenceSpec
from recurrent_rl.sequence.models.whole import mean_of, refuse_state


@dataclass(frozen=True, kw_only=True)
class TCN(SequenceSpec):
    """The temporal convolutional network: residual blocks of two dilated convolutions each.

        conv(x)[t] = sum over j of W_j x[t - j d] + b                      0 <= j < k = kernel_size
        x_l+1      = relu(R x_l + f(conv'(f(conv(x_l)))))                  f(y) = dropout(relu(y)), dilation d = 2^l

    with zeros before the start. R is a linear map where the sizes differ, else the identity. An output sees
    1 + 2 (k - 1) (2^L - 1) steps.

    A causal one goes on from the last (k - 1) d inputs of each convolution. Where it is not causal, the windows are
    centred, what stands after an end is zero for every convolution as it is before the start, and the summary is the mean
    of all outputs, else the last one.

    Initial weights are torch's: in the paper's code the narrower ones, N(0, 0.01), are set in a place that weight norm
    overwrites. Dropout is of single numbers, as in that code; the paper's text says whole channels.

    Args:
        hidden_size: Channels of each layer.
        num_levels: Blocks, L.
        kernel_size: Steps that a convolution sees, k; odd where it is not causal.
        dropout: Behind each convolution.
        weight_norm: Whether the weights' lengths and directions are learned apart.
        causal: Whether a step sees no step after it.

    Raises:
        ValueError: A field out of range.

    Source: Bai, Kolter and Koltun 2018, An Empirical Evaluation of Generic Convolutional and Recurrent Networks for
    Sequence Modeling.
    """

    hidden_size: int = 64
    num_levels: int = 4
    kernel_size: int = 3
    dropout: float = 0.0
    weight_norm: bool = True
    causal: bool = True

    def __post_init__(self) -> None:
        require_whole(self, "hidden_size", "num_levels", "kernel_size")
        require_between(self, "dropout", 0.0, 1.0)
        if not self.causal and self.kernel_size % 2 == 0:
            raise ValueError(f"{self}: kernel_size must be odd where the TCN is not causal, for windows to be centred.")

    @property
    def reach(self) -> int:
        """Steps that an output sees."""
        return 1 + 2 * (self.kernel_size - 1) * (2**self.num_levels - 1)

    def build(self, input_size: int) -> "TCNModel":
        """Return a new model that reads inputs [T, B, input_size]."""
        return TCNModel(self, input_size)


class TCNModel(SequenceModel):
    """State: for each convolution its last inputs [B, C, (k - 1) d], zeros before the start."""

    def __init__(self, spec: TCN, input_size: int) -> None:
        super().__init__()
        self.causal, self.input_size, self.output_size = spec.causal, input_size, spec.hidden_size
        sizes = [input_size, *[spec.hidden_size] * spec.num_levels]
        self.blocks = nn.ModuleList(_Block(spec, size, 2**level) for level, size in enumerate(sizes[:-1]))

    def forward(self, inputs: Tensor, lengths: Tensor, state: State | None = None) -> tuple[Tensor, State | None]:
        """See `SequenceModel.forward`."""
        x = inputs.permute(1, 2, 0)  # [B, I, T]
        if not self.causal:
            refuse_state(self, state)
            mask = length_mask(lengths, len(inputs)).t().unsqueeze(1).to(x.device, non_blocking=True)  # [B, 1, T]
            for block in self._levels():
                x = block.centred(x, mask)
            return x.permute(2, 0, 1), None
        leaving: list[Tensor] = []
        for level, block in enumerate(self._levels()):
            x, left = block.causal(x, None if state is None else state[2 * level : 2 * level + 2])
            leaving.extend(left)
        return x.permute(2, 0, 1), tuple(leaving)

    def summary(self, outputs: Tensor, lengths: Tensor) -> Tensor:
        """Return the last output, or the mean of all where the model is not causal, [B, O]."""
        return super().summary(outputs, lengths) if self.causal else mean_of(outputs, lengths)

    def _levels(self) -> "list[_Block]":
        return list(self.blocks)  # type: ignore[arg-type]


class _Block(nn.Module):
    """Two convolutions with a way around: x [B, I, T] to [B, C, T]."""

    def __init__(self, spec: TCN, input_size: int, dilation: int) -> None:
        super().__init__()
        size = spec.hidden_size
        self.first, self.second = (_convolution(spec, inputs, dilation) for inputs in (input_size, size))
        self.around = nn.Identity() if input_size == size else nn.Conv1d(input_size, size, 1)
        self.rate, self.reach = spec.dropout, (spec.kernel_size - 1) * dilation

    def causal(self, x: Tensor, state: State | None) -> tuple[Tensor, State]:
        """Return outputs, and the last inputs of both convolutions."""
        one, other = state or (None, None)
        inner, first = self._after(self.first, x, one)
        inner, second = self._after(self.second, inner, other)
        return (self.around(x) + inner).relu(), (first, second)

    def centred(self, x: Tensor, mask: Tensor) -> Tensor:
        """Return outputs [B, C, T] for a mask [B, 1, T] of what is not padding."""
        inner = x
        for layer in (self.first, self.second):
            rows = inner.where(mask, inner.new_zeros(()))
            inner = self._activated(_convolve(layer, rows, self.reach // 2))
        return (self.around(x) + inner).relu()

    def _after(self, layer: nn.Conv1d, x: Tensor, before: Tensor | None) -> tuple[Tensor, Tensor]:
        """Return a convolution's outputs, and its last inputs [B, C, reach], of x behind those of a call before."""
        if before is None:
            before = x.new_zeros((*x.shape[:2], self.reach))
        rows = torch.cat([before, x], dim=-1)
        return self._activated(_convolve(layer, rows, 0)), rows.narrow(-1, x.shape[-1], self.reach)

    def _activated(self, x: Tensor) -> Tensor:
        return dropout(x.relu(), self.rate, self.training)


def _convolution(spec: TCN, input_size: int, dilation: int) -> nn.Conv1d:
    layer = nn.Conv1d(input_size, spec.hidden_size, spec.kernel_size, dilation=dilation)
    return weight_norm(layer) if spec.weight_norm else layer  # type: ignore[return-value]


def _convolve(layer: nn.Conv1d, x: Tensor, padding: int) -> Tensor:
    return conv1d(x, layer.weight, layer.bias, 1, padding, layer.dilation)
