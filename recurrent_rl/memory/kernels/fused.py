"""One layer by the fused loops, over the pieces between episode starts: they run side by side, longest first."""

from torch import Tensor
from torch.nn.functional import linear

from recurrent_rl.memory.base import State
from recurrent_rl.memory.kernels.gru import FusedGRU
from recurrent_rl.memory.kernels.loop import Cell, Weights
from recurrent_rl.memory.kernels.lstm import FusedLSTM
from recurrent_rl.memory.kernels.packed import PackedPlan, enter, pack, unpack
from recurrent_rl.memory.kernels.rnn import FusedRNN


def run_fused(
    cell: Cell, inputs: Tensor, entry: State, initial: State, pieces: PackedPlan, weights: Weights
) -> tuple[Tensor, State]:
    """Run one layer over T rows; arguments and results as in `kernels.loop.run_loop`, with a plan for `starts`."""
    weight_ih, weight_hh, bias_ih, bias_hh = weights
    sizes, state = pieces.sizes.tolist(), enter(pieces, entry, initial)
    if cell.name == "gru":
        projected = linear(pack(pieces, inputs), weight_ih, bias_ih)  # [R, 3 H]
        bias = projected.new_zeros(len(weight_hh)) if bias_hh is None else bias_hh
        after = (FusedGRU.apply(projected, weight_hh, bias, *state, sizes),)
    else:
        bias = None if bias_ih is None or bias_hh is None else bias_ih + bias_hh
        projected = linear(pack(pieces, inputs), weight_ih, bias)  # [R, G H]
        if cell.name == "lstm":
            after = FusedLSTM.apply(projected, weight_hh, *state, sizes)
        else:
            after = (FusedRNN.apply(projected, weight_hh, *state, sizes, cell.name == "relu"),)
    leaving = tuple(leaf.index_select(0, pieces.last_row) for leaf in after)  # type: ignore[union-attr]  # [B, H]
    return unpack(pieces, after[0], inputs), leaving  # type: ignore[index]
