"""cuDNN over packed pieces between episode starts. The same code runs on the CPU."""

from torch import _VF, Tensor

from recurrent_rl.memory.base import State
from recurrent_rl.memory.kernels.loop import Cell, Weights
from recurrent_rl.memory.kernels.pieces import Pieces, enter, pack, unpack


def run_packed(
    cell: Cell, inputs: Tensor, entry: State, initial: State, pieces: Pieces, weights: Weights
) -> tuple[Tensor, State]:
    """Run one layer over T rows; arguments and results as in `kernels.loop.run_loop`, with pieces for `starts`."""
    state = tuple(leaf.unsqueeze(0) for leaf in enter(pieces, entry, initial))  # [1, S, H]
    flat_weights = [weight for weight in weights if weight is not None]
    has_biases = len(flat_weights) == 4
    kernels = {"lstm": _VF.lstm, "gru": _VF.gru, "tanh": _VF.rnn_tanh, "relu": _VF.rnn_relu}
    hidden = state if cell.leaves > 1 else state[0]
    result = kernels[cell.name](
        pack(pieces, inputs), pieces.sizes, hidden, flat_weights, has_biases, 1, 0.0, True, False
    )
    outputs, *after = (
        x.to(entry[0].dtype) for x in result
    )  # autocast computes in half precision; states stay as they were
    leaving = tuple(leaf[0].index_select(0, pieces.last) for leaf in after)  # [B, H]
    return unpack(pieces, outputs, inputs.shape), leaving
