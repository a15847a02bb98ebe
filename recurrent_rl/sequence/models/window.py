"""A perceptron over a window of steps."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import dropout

from recurrent_rl.memory.base import State
from recurrent_rl.memory.checks import require_between, require_whole
from recurrent_rl.sequence.models.base import SequenceModel, SequenceSpec
from recurrent_rl.sequence.models.whole import mean_of, refuse_state, zero_after_ends


@dataclass(frozen=True, kw_only=True)
class WindowedMLP(SequenceSpec):
    """A perceptron that reads the last `window` steps, or those around the present one, side by side.

        h_1[t] = relu(sum over j of W_j x[t - j] + b)              0 <= j < window; |j| <= window / 2 where centred
        h_l+1  = relu(W h_l + b)                                   output = h_L

    with zeros before the start and, where centred, after the end. With a window as long as the longest sequence, the
    last output is that of the usual perceptron on whole sequences of a fixed length; shorter ones stand at the window's
    end.

    The summary is the last output, or the mean of all where the window is centred. A causal one goes on from the last
    window - 1 inputs.

    Args:
        hidden_size: Units of each layer.
        window: Steps that are seen; odd where centred.
        num_layers: Layers, L.
        dropout: Behind each layer.
        centred: Whether half of the window lies after the present step.

    Raises:
        ValueError: A field out of range.

    Source: Waibel et al. 1989, Phoneme Recognition Using Time-Delay Neural Networks (here one layer looks back, and those
    on it see its present output alone).
    """

    hidden_size: int = 64
    window: int = 8
    num_layers: int = 2
    dropout: float = 0.0
    centred: bool = False

    def __post_init__(self) -> None:
        require_whole(self, "hidden_size", "window", "num_layers")
        require_between(self, "dropout", 0.0, 1.0)
        if self.centred and self.window % 2 == 0:
            raise ValueError(f"{self}: window must be odd where it is centred.")

    def build(self, input_size: int) -> "WindowedMLPModel":
        """Return a new model that reads inputs [T, B, input_size]."""
        return WindowedMLPModel(self, input_size)


class WindowedMLPModel(SequenceModel):
    """State: the last window - 1 inputs [B, window - 1, I], zeros before the start."""

    def __init__(self, spec: WindowedMLP, input_size: int) -> None:
        super().__init__()
        self.spec, self.causal = spec, not spec.centred
        self.input_size, self.output_size = input_size, spec.hidden_size
        self.window = nn.Conv1d(input_size, spec.hidden_size, spec.window)  # holds no windows side by side in memory
        sizes = [spec.hidden_size] * (spec.num_layers - 1)
        self.layers = nn.ModuleList(nn.Linear(size, size) for size in sizes)

    def forward(self, inputs: Tensor, lengths: Tensor, state: State | None = None) -> tuple[Tensor, State | None]:
        """See `SequenceModel.forward`."""
        rows = self._centred(inputs, lengths, state) if self.spec.centred else self._after(inputs, state)
        x = self._activated(self.window(rows.permute(1, 2, 0)).permute(2, 0, 1))  # [T, B, H]
        for layer in self.layers:
            x = self._activated(layer(x))
        if self.spec.centred:
            return x, None
        return x, (rows[len(inputs) :].transpose(0, 1),)

    def _after(self, inputs: Tensor, state: State | None) -> Tensor:
        """Return the inputs behind those that came before, [window - 1 + T, B, I]."""
        if state is None:
            before = inputs.new_zeros((self.spec.window - 1, *inputs.shape[1:]))
        else:
            before = state[0].transpose(0, 1)
        return torch.cat([before, inputs])

    def _centred(self, inputs: Tensor, lengths: Tensor, state: State | None) -> Tensor:
        """Return the inputs with zeros on both sides, [window - 1 + T, B, I]."""
        refuse_state(self, state)
        beside = inputs.new_zeros((self.spec.window // 2, *inputs.shape[1:]))
        return torch.cat([beside, zero_after_ends(inputs, lengths), beside])

    def _activated(self, x: Tensor) -> Tensor:
        return dropout(x.relu(), self.spec.dropout, self.training)

    def summary(self, outputs: Tensor, lengths: Tensor) -> Tensor:
        """Return the last output, or the mean of all where the window is centred, [B, O]."""
        return super().summary(outputs, lengths) if self.causal else mean_of(outputs, lengths)
