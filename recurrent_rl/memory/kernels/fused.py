"""One layer on the CPU by compiled loops over time, over the pieces between episode starts, with gradients written out.

All input projections are one product before the loop; inside, a step is one product with the recurrent weights and one
pass over the result. On the way back, whenever a block of rows is there, its part of the weight gradients and of the
inputs' is taken while it is in the cache. The pieces are dealt out to segments, one for each thread, which
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

from recurrent_rl.compiled.choice import refuse_second_derivatives
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
    keeps: bool  # whether gates, and [R, H] more, are kept for the way back


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
        shape: T and B.
    """

    def __init__(self, segments: list[Segment], shape: tuple[int, int]) -> None:
        self.shape = shape
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
    return Plan(deal(np.frombuffer(flags, dtype=bool).reshape(shape), n_segments), shape)


def segments_for(rows: int, cell: Cell, hidden_size: int) -> int:
    """Return the number of segments, one for each thread that the work of `rows` packed rows keeps busy."""
    work = rows * cell.gates * hidden_size**2
    return max(1, min(torch.get_num_threads(), work // WORTH_A_THREAD))


@dataclass(frozen=True, slots=True)
class Call:
    """One layer to run; see `run_fused`."""

    inputs: Tensor
    entry: State
    initial: State
    weights: Weights


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
    return run_together(cell, [Call(inputs, entry, initial, weights)], plan, bfloat16)[0]


def run_together(cell: Cell, calls: list[Call], plan: Plan, bfloat16: bool = False) -> list[tuple[Tensor, State]]:
    """Run layers of the same cell and the same T and B side by side, those of actor and critic.

    Raises:
        ValueError: Shapes or types do not fit together; the loops read memory by addresses alone.
    """
    for call in calls:
        _check(cell, call, plan)
    results = _Layers.apply(cell, plan, bfloat16, *(tensor for call in calls for tensor in _tensors(call)))
    count = cell.leaves
    each = [results[i : i + count] for i in range(0, len(results), count)]  # type: ignore[index,arg-type]
    return [(outputs, (outputs[-1], *cells)) for outputs, *cells in each]


def _check(cell: Cell, call: Call, plan: Plan) -> None:
    weight_ih, weight_hh, *biases = call.weights
    (steps, columns, inputs), (gates, size) = call.inputs.shape, weight_hh.shape
    expected = [
        ("starts", plan.shape, (steps, columns)),
        ("the input weights", weight_ih.shape, (gates, inputs)),
        ("the recurrent weights", weight_hh.shape, (cell.gates * size, size)),
        *(("a bias", bias.shape, (gates,)) for bias in biases if bias is not None),
        *(("the state's leaf of a layer", leaf.shape, (columns, size)) for leaf in call.entry),
        *(("the initial state's leaf", leaf.shape, (size,)) for leaf in call.initial),
    ]
    for what, found, wanted in expected:
        if tuple(found) != wanted:
            raise ValueError(f"{what}: expected {wanted} beside inputs {tuple(call.inputs.shape)}, got {tuple(found)}.")
    tensors = (call.inputs, *(w for w in call.weights if w is not None), *call.entry, *call.initial)
    kinds = {(tensor.dtype, tensor.device.type) for tensor in tensors}
    if kinds != {(torch.float32, "cpu")}:
        raise ValueError(f"Inputs, weights and state must all be float32 on the CPU, not {sorted(map(str, kinds))}.")


def _tensors(call: Call) -> list[Tensor]:
    weight_ih, weight_hh, bias_ih, bias_hh = call.weights
    if bias_ih is None or bias_hh is None:
        bias_ih = bias_hh = weight_ih.new_zeros(len(weight_ih))
    leaves = [leaf for pair in zip(call.entry, call.initial, strict=True) for leaf in pair]
    return [call.inputs, weight_ih, weight_hh, bias_ih, bias_hh, *leaves]


@dataclass(frozen=True, slots=True)
class _Arrays:
    """The tensors of one layer as its tasks see them: those of `_tensors`, the results, and what the way back needs."""

    x: Tensor
    weights: list[Tensor]
    leaves: list[Tensor]
    outputs: Tensor
    gates: Tensor
    kept: Tensor

    @classmethod
    def for_forward(cls, cell: Cell, tensors: tuple[Tensor, ...]) -> "_Arrays":
        """Make the tensors contiguous where a task wants it, and room for the results."""
        x, weights = tensors[0].contiguous(), [weight.contiguous() for weight in tensors[1:5]]
        leaves = [leaf if leaf.stride(-1) == 1 else leaf.contiguous() for leaf in tensors[5:]]
        rows, size = x.shape[0] * x.shape[1], weights[1].shape[1]
        outputs = x.new_empty((*x.shape[:2], size))
        kept = x.new_empty((rows if _TASKS[cell.name].keeps else 0, size))
        return cls(x, weights, leaves, outputs, x.new_empty((rows, padded(cell.gates * size))), kept)

    def for_backward(self, cell: Cell) -> list[Tensor]:
        """Return what the way back needs, in the order of `of`; gates that it does not read are given up."""
        gates = self.gates if _TASKS[cell.name].keeps else self.gates.new_empty((0, self.gates.shape[1]))
        return [self.x, *self.weights, *self.leaves, self.outputs, gates, self.kept]

    @classmethod
    def of(cls, saved: tuple[Tensor, ...]) -> "_Arrays":
        return cls(saved[0], list(saved[1:5]), list(saved[5:-3]), *saved[-3:])


class _Layers(torch.autograd.Function):
    """For each layer (x [T, B, I], W_ih, W_hh, b_ih, b_hh, h [B, H], initial h [H], and c) -> outputs, c that leaves."""

    @staticmethod
    def forward(ctx: Any, cell, plan, bfloat16, *tensors):
        """Return for each layer the outputs [T, B, H] and, for the LSTM, the cell state that leaves [B, H]."""
        count = 5 + 2 * cell.leaves
        layers = [_Arrays.for_forward(cell, tensors[i : i + count]) for i in range(0, len(tensors), count)]
        tables, results = [], []
        for layer in layers:
            table, result = _table(cell, plan, bfloat16, layer), [layer.outputs]
            if cell.leaves > 1:
                result.append(layer.x.new_empty((layer.x.shape[1], layer.outputs.shape[2])))
                table[:, fields.CELL_LEAVING] = result[1].data_ptr()
            tables.append(table)
            results += result
        run_tasks(_TASKS[cell.name].forward, np.concatenate(tables))
        ctx.cell, ctx.plan, ctx.bfloat16 = cell, plan, bfloat16
        ctx.save_for_backward(*(tensor for layer in layers for tensor in layer.for_backward(cell)))
        return tuple(results)

    @staticmethod
    def backward(ctx: Any, *gradients):
        """Return the gradients of the tensors."""
        refuse_second_derivatives()
        cell, saved, count = ctx.cell, ctx.saved_tensors, 8 + 2 * ctx.cell.leaves
        layers = [_Arrays.of(saved[i : i + count]) for i in range(0, len(saved), count)]
        tables, ways = [], []
        for i, layer in enumerate(layers):
            incoming = [gradient.contiguous() for gradient in gradients[i * cell.leaves : (i + 1) * cell.leaves]]
            wants_x = ctx.needs_input_grad[3 + i * (count - 3)]
            tables.append(_table(cell, ctx.plan, ctx.bfloat16, layer))
            ways.append(_WayBack(tables[-1], layer, incoming, wants_x))
        run_tasks(_TASKS[cell.name].backward, np.concatenate(tables))
        return None, None, None, *(gradient for way in ways for gradient in way.gradients(cell))


class _WayBack:
    """Room for the gradients of one layer, written into the table of its tasks."""

    def __init__(self, table: np.ndarray, layer: _Arrays, incoming: list[Tensor], wants_x: bool) -> None:
        x, outputs = layer.x, layer.outputs
        self._weights, self._incoming = layer.weights, incoming  # alive until the tasks are done
        self._x = torch.empty_like(x) if wants_x else None
        self._states = [x.new_zeros((x.shape[1], outputs.shape[2])) for _ in incoming]
        table[:, fields.GRAD_X] = 0 if self._x is None else self._x.data_ptr()
        for field, tensor in zip((fields.GRAD_OUTPUTS, fields.GRAD_CELL_LEAVING), incoming):
            table[:, field] = tensor.data_ptr()
        for field, tensor in zip((fields.GRAD_HIDDEN, fields.GRAD_CELL), self._states):
            table[:, field] = tensor.data_ptr()
        self._sums = _segment_sums(table, layer.weights)

    def gradients(self, cell: Cell) -> list[Tensor | None]:
        """Return the gradients in the order of `_tensors`."""
        *weights, bias_hh, initial_h, initial_c = _added(self._sums, self._weights)
        weights.append(bias_hh if cell.name == "gru" else weights[2])
        leaves = [leaf for pair in zip(self._states, (initial_h, initial_c)) for leaf in pair]
        return [self._x, *weights, *leaves]


def _table(cell: Cell, plan: Plan, bfloat16: bool, layer: _Arrays) -> np.ndarray:
    """Return the arguments of a layer's tasks [segments, FIELDS], as `compiled.layer` reads them."""
    table, (steps, columns, inputs), size = plan.table(), layer.x.shape, layer.outputs.shape[2]
    table[:, fields.PRODUCT], table[:, fields.PAIRS] = product.address, bfloat16
    table[:, fields.COLUMNS], table[:, fields.FLAT_ROWS] = columns, steps * columns
    table[:, fields.INPUTS], table[:, fields.UNITS] = inputs, size
    table[:, fields.X], table[:, fields.OUTPUTS] = layer.x.data_ptr(), layer.outputs.data_ptr()
    table[:, fields.WEIGHT_IH : fields.BIAS_HH + 1] = [weight.data_ptr() for weight in layer.weights]
    table[:, fields.GATES] = layer.gates.data_ptr() + 4 * layer.gates.shape[1] * plan.first_rows
    if len(layer.kept):
        table[:, fields.KEPT] = layer.kept.data_ptr() + 4 * size * plan.first_rows
    else:
        table[:, fields.KEPT] = cell.name == "relu"
    pairs = zip(layer.leaves[::2], layer.leaves[1::2], strict=True)
    for first, (state, initial) in zip((fields.HIDDEN, fields.CELL), pairs):
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


def _segment_sums(table: np.ndarray, weights: list[Tensor]) -> Tensor:
    """Return zeros [segments, all sums of a segment] and write into the table where each sum goes."""
    counts = [rows * columns for rows, columns in _sum_shapes(weights)]
    sums = weights[0].new_zeros((len(table), sum(counts)))
    table[:, _SUMS] = (
        sums.data_ptr() + 4 * np.arange(len(table))[:, None] * sum(counts) + 4 * (np.cumsum(counts) - counts)
    )
    return sums


def _added(sums: Tensor, weights: list[Tensor]) -> list[Tensor]:
    """Return the sums of all segments: for W_ih, W_hh, b_ih, b_hh, the initial h and c."""
    shapes = _sum_shapes(weights)
    total = sums[0] if len(sums) == 1 else sums.sum(0)
    parts = [part.view(shape) for part, shape in zip(total.split([r * c for r, c in shapes]), shapes, strict=True)]
    return [parts[0][:, : weights[0].shape[1]], parts[1][:, : weights[1].shape[1]], *(part[0] for part in parts[2:])]
