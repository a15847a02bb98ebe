"""One layer by the fused loops: the input product before, the loop, the weight gradients after."""

from torch import Tensor
from torch.nn.functional import linear

from recurrent_rl.memory.base import State
from recurrent_rl.memory.kernels.gru import FusedGRU
from recurrent_rl.memory.kernels.loop import Cell, Resets, Weights
from recurrent_rl.memory.kernels.lstm import FusedLSTM
from recurrent_rl.memory.kernels.rnn import FusedRNN


def run_fused(
    cell: Cell, inputs: Tensor, entry: State, initial: State, resets: Resets, weights: Weights
) -> tuple[Tensor, State]:
    """Run one layer over T rows; arguments and results as in `kernels.loop.run_loop`."""
    weight_ih, weight_hh, bias_ih, bias_hh = weights
    if cell.name == "gru":
        projected = linear(inputs, weight_ih, bias_ih)  # [T, B, 3 H]
        bias = projected.new_zeros(len(weight_hh)) if bias_hh is None else bias_hh
        outputs: Tensor = FusedGRU.apply(projected, weight_hh, bias, *entry, *initial, resets.device, resets.any)  # type: ignore[assignment]
        return outputs, (outputs[-1],)
    bias = None if bias_ih is None or bias_hh is None else bias_ih + bias_hh
    projected = linear(inputs, weight_ih, bias)  # [T, B, G H]
    if cell.name == "lstm":
        outputs, cell_state = FusedLSTM.apply(projected, weight_hh, *entry, *initial, resets.device, resets.any)  # type: ignore[misc]
        return outputs, (outputs[-1], cell_state)
    relu = cell.name == "relu"
    outputs = FusedRNN.apply(projected, weight_hh, *entry, *initial, resets.device, resets.any, relu)  # type: ignore[assignment]
    return outputs, (outputs[-1],)
