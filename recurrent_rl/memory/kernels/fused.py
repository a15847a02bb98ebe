"""One layer on the CPU by compiled loops over time, over the pieces between episode starts, with gradients written out.

All input projections are one product before the loop, each weight gradient one after it; inside, a step is one product
with the recurrent weights and one pass over the result. The pieces are dealt out to segments, one for each thread, which
share nothing, so each runs its whole layer alone.

    RNN     h' = f(x + W h)
    LSTM    i, f, g, o = x + W h            (sigmoid, sigmoid, tanh, sigmoid)
            c' = f c + i g,   h' = o tanh c'
    GRU     u = W h + b,   r, z = sigmoid(x_r + u_r), sigmoid(x_z + u_z),   n = tanh(x_n + r u_n)
            h' = n + z (h - n)

With bfloat16 the factors of every product are rounded; sums, states, gates and weights stay float32.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from torch import Tensor

from recurrent_rl.compiled.product import padded, product
from recurrent_rl.compiled.task import Task
from recurrent_rl.compiled.threads import run_tasks
from recurrent_rl.memory.base import State
from recurrent_rl.memory.kernels.compiled import gru, lstm, rnn
from recurrent_rl.memory.kernels.compiled import layer as fields
from recurrent_rl.memory.kernels.loop import Cell, Weights
from recurrent_rl.memory.kernels.pieces import Segment, deal

WORTH_A_THREAD = 2**22  # multiplications in the recurrence, 70 microseconds; below, a second thread saves nothing


@dataclass(frozen=True, slots=True)
class _Tasks:
    forward: Task
    backward: Task
    keeps: bool  # whether [R, H] more than the gates is kept for the way back


_TASKS = {
    "lstm": _Tasks(lstm.lstm_forward, lstm.lstm_backward, True),
    "gru": _Tasks(gru.gru_forward, gru.gru_backward, True),
    "tanh": _Tasks(rnn.rnn_forward, rnn.rnn_backward, False),
    "relu": _Tasks(rnn.rnn_forward, rnn.rnn_backward, False),
}


class Plan:
    """The segments of some starts, as the beginning of a table of arguments; it keeps alive what the table points at.

    Args:
        segments: From `pieces.deal`.
    """

    def __init__(self, segments: list[Segment]) -> None:
        marks = [np.stack([part.columns, part.fresh.astype(np.int64)]) for part in segments]
        gathers = [np.ascontiguousarray(part.gather, dtype=np.int64) for part in segments]
        sizes = [np.ascontiguousarray(part.sizes, dtype=np.int64) for part in segments]
        self._arrays = marks, gathers, sizes
        self.rows = np.array([len(gather) for gather in gathers])
        self.first_rows = np.cumsum(self.rows) - self.rows
        self._table = np.zeros((len(segments), fields.FIELDS), dtype=np.int64)
        self._table[:, fields.STEPS], self._table[:, fields.ROWS] = [len(one) for one in sizes], self.rows
        self._table[:, fields.PIECES] = [one.shape[1] for one in marks]
        for field, arrays in ((fields.SIZES, sizes), (fields.GATHER, gathers), (fields.MARKS, marks)):
            self._table[:, field] = [array.ctypes.data for array in arrays]

    def table(self) -> np.ndarray:
        """Return a new table [segments, FIELDS] with the segments' arguments filled in."""
        return self._table.copy()


def plan(starts: Tensor, n_segments: int) -> Plan:
    """Deal the pieces of host flags [T, B] out to segments; the last few plans are kept, for actor, critic and epochs."""
    return _kept_plan(starts.numpy().tobytes(), tuple(starts.shape), n_segments)


@lru_cache(maxsize=8)
def _kept_plan(flags: bytes, shape: tuple[int, int], n_segments: int) -> Plan:
    return Plan(deal(np.frombuffer(flags, dtype=bool).reshape(shape), n_segments))


def segments_for(rows: int, cell: Cell, hidden_size: int) -> int:
    """Return the number of segments, one for each thread that the work of `rows` packed rows keeps busy."""
    work = rows * cell.gates * hidden_size**2
    return max(1, min(torch.get_num_threads(), work // WORTH_A_THREAD))


def run_fused(
    cell: Cell, inputs: Tensor, entry: State, initial: State, plan: Plan, weights: Weights, bfloat16: bool = False
) -> tuple[Tensor, State]:
    """Run one layer over T rows; arguments and results as in `kernels.loop.run_loop`, with a plan for `starts`.

    Args:
        cell: Its name and sizes.
        inputs: [T, B, I].
        entry: Leaves [B, H].
        initial: Leaves [H].
        plan: Of the starts.
        weights: weight_ih [G H, I], weight_hh [G H, H] and biases [G H] or None.
        bfloat16: Round the factors of products.
    """
    weight_ih, weight_hh, bias_ih, bias_hh = weights
    if bias_ih is None or bias_hh is None:
        bias_ih = bias_hh = weight_ih.new_zeros(len(weight_ih))
    leaves = [leaf for pair in zip(entry, initial, strict=True) for leaf in pair]
    outputs, *cells = _Layer.apply(cell, plan, bfloat16, inputs, weight_ih, weight_hh, bias_ih, bias_hh, *leaves)  # type: ignore[misc]
    return outputs, (outputs[-1], *cells)


class _Layer(torch.autograd.Function):
    """(x [T, B, I], W_ih, W_hh, b_ih, b_hh, h [B, H], initial h [H], and c for the LSTM) -> outputs, c that leaves."""

    @staticmethod
    def forward(ctx: Any, cell, plan, bfloat16, x, weight_ih, weight_hh, bias_ih, bias_hh, *leaves):
        """Return the outputs [T, B, H] and, for the LSTM, the cell state that leaves [B, H]."""
        tasks, size = _TASKS[cell.name], weight_hh.shape[1]
        x, leaves = x.contiguous(), [leaf if leaf.stride(-1) == 1 else leaf.contiguous() for leaf in leaves]
        rows = x.shape[0] * x.shape[1]
        outputs = x.new_empty((*x.shape[:2], size))
        gates = x.new_empty((rows, padded(cell.gates * size)))
        kept = x.new_empty((rows if tasks.keeps else 0, size))
        cells = [x.new_empty((x.shape[1], size))] if cell.leaves > 1 else []
        weights = [weight.contiguous() for weight in (weight_ih, weight_hh, bias_ih, bias_hh)]
        table = _table(cell, plan, bfloat16, x, weights, leaves, outputs, gates, kept)
        if cells:
            table[:, fields.CELL_LEAVING] = cells[0].data_ptr()
        run_tasks(tasks.forward, table)
        ctx.cell, ctx.plan, ctx.bfloat16 = cell, plan, bfloat16
        ctx.save_for_backward(x, *weights, *leaves, outputs, gates, kept)
        return outputs, *cells

    @staticmethod
    def backward(ctx: Any, grad_outputs, *grad_cells):
        """Return the gradients of the tensors."""
        _refuse_second_derivatives()
        x, *saved = ctx.saved_tensors
        weights, leaves, (outputs, gates, kept) = saved[:4], saved[4:-3], saved[-3:]
        table = _table(ctx.cell, ctx.plan, ctx.bfloat16, x, weights, leaves, outputs, gates, kept)
        grad_x = torch.empty_like(x) if ctx.needs_input_grad[3] else None
        grad_states = [x.new_zeros((x.shape[1], outputs.shape[2])) for _ in leaves[::2]]
        incoming = [grad_outputs.contiguous(), *(gradient.contiguous() for gradient in grad_cells)]
        table[:, fields.GRAD_X] = 0 if grad_x is None else grad_x.data_ptr()
        for field, tensor in zip((fields.GRAD_OUTPUTS, fields.GRAD_CELL_LEAVING), incoming):
            table[:, field] = tensor.data_ptr()
        for field, tensor in zip((fields.GRAD_HIDDEN, fields.GRAD_CELL), grad_states):
            table[:, field] = tensor.data_ptr()
        sums = _segment_sums(table, ctx.cell, weights)
        run_tasks(_TASKS[ctx.cell.name].backward, table)
        *grad_weights, bias_hh, initial_h, initial_c = _added(sums, ctx.cell, weights)
        grad_weights.append(bias_hh if ctx.cell.name == "gru" else grad_weights[2])
        grad_leaves = [leaf for pair in zip(grad_states, (initial_h, initial_c)) for leaf in pair]
        return None, None, None, grad_x, *grad_weights, *grad_leaves


def _table(
    cell: Cell,
    plan: Plan,
    bfloat16: bool,
    x: Tensor,
    weights: list[Tensor],
    leaves: list[Tensor],
    outputs: Tensor,
    gates: Tensor,
    kept: Tensor,
) -> np.ndarray:
    """Return the arguments of a layer's tasks [segments, FIELDS], as `compiled.layer` reads them."""
    table = plan.table()
    table[:, fields.PRODUCT], table[:, fields.PAIRS] = product.address, bfloat16
    table[:, fields.COLUMNS], table[:, fields.FLAT_ROWS] = x.shape[1], x.shape[0] * x.shape[1]
    table[:, fields.INPUTS], table[:, fields.UNITS] = x.shape[2], outputs.shape[2]
    table[:, fields.X], table[:, fields.OUTPUTS] = x.data_ptr(), outputs.data_ptr()
    table[:, fields.WEIGHT_IH : fields.BIAS_HH + 1] = [weight.data_ptr() for weight in weights]
    row = plan.first_rows
    table[:, fields.GATES] = gates.data_ptr() + 4 * gates.shape[1] * row
    table[:, fields.KEPT] = kept.data_ptr() + 4 * kept.shape[1] * row if len(kept) else cell.name == "relu"
    for first, (state, initial) in zip((fields.HIDDEN, fields.CELL), zip(leaves[::2], leaves[1::2], strict=True)):
        table[:, first : first + 3] = state.data_ptr(), state.stride(0), initial.data_ptr()
    return table


_SUMS = (
    fields.GRAD_WEIGHT_IH,
    fields.GRAD_WEIGHT_HH,
    fields.GRAD_BIAS_IH,
    fields.GRAD_BIAS_HH,
    fields.GRAD_HIDDEN_INITIAL,
    fields.GRAD_CELL_INITIAL,
)


def _sum_shapes(weights: list[Tensor]) -> list[tuple[int, int]]:
    """Return the shapes of what each segment sums up by itself, in the order of `_SUMS`."""
    gates, inputs, size = *weights[0].shape, weights[1].shape[1]
    return [(gates, padded(inputs)), (gates, padded(size)), (1, gates), (1, gates), (1, size), (1, size)]


def _segment_sums(table: np.ndarray, cell: Cell, weights: list[Tensor]) -> Tensor:
    """Return zeros [segments, all sums of a segment] and write into the table where each sum goes."""
    counts = [rows * columns for rows, columns in _sum_shapes(weights)]
    sums = weights[0].new_zeros((len(table), sum(counts)))
    table[:, _SUMS] = (
        sums.data_ptr() + 4 * np.arange(len(table))[:, None] * sum(counts) + 4 * (np.cumsum(counts) - counts)
    )
    return sums


def _added(sums: Tensor, cell: Cell, weights: list[Tensor]) -> list[Tensor]:
    """Return the sums of all segments: for W_ih, W_hh, b_ih, b_hh, the initial h and c."""
    shapes = _sum_shapes(weights)
    total = sums[0] if len(sums) == 1 else sums.sum(0)
    parts = [part.view(shape) for part, shape in zip(total.split([r * c for r, c in shapes]), shapes, strict=True)]
    return [parts[0][:, : weights[0].shape[1]], parts[1][:, : weights[1].shape[1]], *(part[0] for part in parts[2:])]


def _refuse_second_derivatives() -> None:
    if torch.is_grad_enabled():  # backward runs with create_graph=True
        raise RuntimeError(
            "The compiled loops give first derivatives only; set RECURRENT_RL_KERNELS=loop in the environment for "
            "create_graph=True."
        )
