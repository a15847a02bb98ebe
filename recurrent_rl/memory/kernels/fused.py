"""One layer on the CPU by compiled loops over time, over the pieces between episode starts, with gradients written out.

All input projections are one product before the loop, each weight gradient one after it; inside, a step is one product
with the recurrent weights and one pass over the result. R packed rows, S pieces, H units, G gates.

    RNN     h' = f(x + W h)
    LSTM    i, f, g, o = x + W h            (sigmoid, sigmoid, tanh, sigmoid)
            c' = f c + i g,   h' = o tanh c'
    GRU     u = W h + b,   r, z = sigmoid(x_r + u_r), sigmoid(x_z + u_z),   n = tanh(x_n + r u_n)
            h' = n + z (h - n)
"""

from typing import Any

import numpy as np
import torch
from torch import Tensor

from recurrent_rl.memory.base import State
from recurrent_rl.memory.kernels.compiled import gru, lstm, rnn
from recurrent_rl.memory.kernels.compiled.product import pack_panels, padded
from recurrent_rl.memory.kernels.compiled.rows import entering
from recurrent_rl.memory.kernels.compiled.threads import for_each
from recurrent_rl.memory.kernels.loop import Cell, Weights
from recurrent_rl.memory.kernels.pieces import Pieces, Segment, enter, pack, unpack

WORTH_A_THREAD = 2**25  # multiplications in the recurrence, half a millisecond; below, a second thread saves nothing


def segments_for(rows: int, cell: Cell, hidden_size: int) -> int:
    """Return the number of segments, one for each thread that the work of `rows` packed rows keeps busy."""
    work = rows * cell.gates * hidden_size**2
    return max(1, min(torch.get_num_threads(), work // WORTH_A_THREAD))


def run_fused(
    cell: Cell, inputs: Tensor, entry: State, initial: State, pieces: Pieces, weights: Weights
) -> tuple[Tensor, State]:
    """Run one layer over T rows; arguments and results as in `kernels.loop.run_loop`, with pieces for `starts`."""
    weight_ih, weight_hh, bias_ih, bias_hh = weights
    x, state = pack(pieces, inputs), enter(pieces, entry, initial)
    if bias_ih is None or bias_hh is None:
        bias_ih = bias_hh = weight_ih.new_zeros(len(weight_ih))
    if cell.name == "lstm":
        after = _LSTM.apply(x, weight_ih, weight_hh, bias_ih + bias_hh, *state, pieces.segments)
    elif cell.name == "gru":
        after = (_GRU.apply(x, weight_ih, weight_hh, bias_ih, bias_hh, *state, pieces.segments),)
    else:
        relu = cell.name == "relu"
        after = (_RNN.apply(x, weight_ih, weight_hh, bias_ih + bias_hh, *state, pieces.segments, relu),)
    leaving = tuple(leaf.index_select(0, pieces.last_row) for leaf in after)  # type: ignore[union-attr]  # [B, H]
    return unpack(pieces, after[0], inputs.shape), leaving  # type: ignore[index]


def _project(x: Tensor, weight_ih: Tensor, bias: Tensor) -> Tensor:
    """Return x W + b [R, >= G H]; the columns beyond, which a product adds zeros to, are zero."""
    used, width = len(weight_ih), padded(len(weight_ih))
    gates = x.new_empty((len(x), width))  # [R, >= G H]
    torch.addmm(bias, x, weight_ih.t(), out=gates[:, :used])
    gates[:, used:] = 0.0
    return gates


def _entering(segments: list[Segment], entry: Tensor, after: Tensor) -> Tensor:
    """Return the state that enters each packed row [R, H]."""
    result = torch.empty_like(after)
    for part in segments:
        entering(part.sizes, _host(entry[part.pieces]), _host(after[part.rows]), _host(result[part.rows]))
    return result


def _carried(entry: Tensor) -> Tensor:
    """Return zeros [S, >= H], where a state's gradient runs backwards in time."""
    return entry.new_zeros((len(entry), padded(entry.shape[1])))


def _refuse_second_derivatives() -> None:
    if torch.is_grad_enabled():  # backward runs with create_graph=True
        raise RuntimeError(
            "The compiled loops give first derivatives only; set RECURRENT_RL_KERNELS=loop in the environment for "
            "create_graph=True."
        )


def _host(tensor: Tensor) -> np.ndarray:
    return tensor.detach().numpy()


def _input_gradients(ctx: Any, gradient: Tensor, x: Tensor, weight_ih: Tensor) -> tuple[Tensor | None, Tensor, Tensor]:
    """Return d/dx, d/dW_ih and d/db of x W + b, whose gradient [R, G H] is given."""
    grad_x = gradient @ weight_ih if ctx.needs_input_grad[0] else None
    return grad_x, _weight_gradient(gradient, x), gradient.sum(0)


def _weight_gradient(gradient: Tensor, left: Tensor) -> Tensor:
    """Return d/dW [G H, I] of left W^T, whose gradient [R, G H] is given; this order of the product is the faster one."""
    return (left.t() @ gradient).t()


class _LSTM(torch.autograd.Function):
    """(x [R, I], W_ih [4H, I], W_hh [4H, H], b [4H], h [S, H], c [S, H]) -> outputs [R, H], cells [R, H]."""

    @staticmethod
    def forward(ctx: Any, x, weight_ih, weight_hh, bias, h, c, segments):
        """Return the hidden and the cell state after each packed row."""
        gates, panels = _project(x, weight_ih, bias), pack_panels(weight_hh.t())
        outputs = x.new_empty((len(x), weight_hh.shape[1]))
        cells = torch.empty_like(outputs)

        def run(part: Segment) -> None:
            state = _host(h[part.pieces]), _host(c[part.pieces])
            rows = [_host(tensor[part.rows]) for tensor in (gates, outputs, cells)]
            lstm.lstm_forward(part.sizes, panels, *state, *rows)

        for_each(run, segments)
        ctx.save_for_backward(x, weight_ih, weight_hh, h, c, gates, outputs, cells)
        ctx.segments = segments
        ctx.set_materialize_grads(False)
        return outputs, cells

    @staticmethod
    def backward(ctx: Any, grad_outputs, grad_cells):
        """Return the gradients of the six tensors."""
        _refuse_second_derivatives()
        x, weight_ih, weight_hh, h, c, gates, outputs, cells = ctx.saved_tensors
        grad_outputs = torch.zeros_like(outputs) if grad_outputs is None else grad_outputs.contiguous()
        grad_cells = outputs.new_empty((0, outputs.shape[1])) if grad_cells is None else grad_cells.contiguous()
        panels, dh, dc = pack_panels(weight_hh), _carried(h), torch.zeros_like(c)
        grad_gates = x.new_empty((len(x), len(weight_hh)))

        def run(part: Segment) -> None:
            rows = [_host(tensor[part.rows]) for tensor in (gates, cells, grad_outputs, grad_cells)]
            carried = [_host(tensor[part.pieces]) for tensor in (dh, dc)]
            lstm.lstm_backward(part.sizes, panels, _host(c[part.pieces]), *rows, *carried, _host(grad_gates[part.rows]))

        for_each(run, ctx.segments)
        grad_x, grad_weight_ih, grad_bias = _input_gradients(ctx, grad_gates, x, weight_ih)
        grad_weight_hh = _weight_gradient(grad_gates, _entering(ctx.segments, h, outputs))
        return grad_x, grad_weight_ih, grad_weight_hh, grad_bias, dh[:, : h.shape[1]], dc, None


class _GRU(torch.autograd.Function):
    """(x [R, I], W_ih [3H, I], W_hh [3H, H], b_ih [3H], b_hh [3H], h [S, H]) -> outputs [R, H]."""

    @staticmethod
    def forward(ctx: Any, x, weight_ih, weight_hh, bias_ih, bias_hh, h, segments):
        """Return the state after each packed row."""
        size = weight_hh.shape[1]
        bias = bias_ih.clone()
        bias[: 2 * size] += bias_hh[: 2 * size]
        gates, panels = _project(x, weight_ih, bias), pack_panels(weight_hh.t())
        outputs = x.new_empty((len(x), size))
        hidden_n = torch.empty_like(outputs)

        def run(part: Segment) -> None:
            rows = [_host(tensor[part.rows]) for tensor in (gates, hidden_n, outputs)]
            gru.gru_forward(part.sizes, panels, _host(bias_hh[2 * size :]), _host(h[part.pieces]), *rows)

        for_each(run, segments)
        ctx.save_for_backward(x, weight_ih, weight_hh, h, gates, hidden_n, outputs)
        ctx.segments = segments
        return outputs

    @staticmethod
    def backward(ctx: Any, grad_outputs):
        """Return the gradients of the six tensors."""
        _refuse_second_derivatives()
        x, weight_ih, weight_hh, h, gates, hidden_n, outputs = ctx.saved_tensors
        grad_outputs = grad_outputs.contiguous()
        panels, dh, h_entering = pack_panels(weight_hh), _carried(h), _entering(ctx.segments, h, outputs)
        gradient = x.new_empty((len(x), len(weight_hh)))  # of u
        grad_n = torch.empty_like(outputs)

        def run(part: Segment) -> None:
            rows = [_host(tensor[part.rows]) for tensor in (h_entering, gates, hidden_n, grad_outputs)]
            results = _host(dh[part.pieces]), _host(gradient[part.rows]), _host(grad_n[part.rows])
            gru.gru_backward(part.sizes, panels, *rows, *results)

        for_each(run, ctx.segments)
        grad_weight_hh, grad_bias_hh = _weight_gradient(gradient, h_entering), gradient.sum(0)
        gradient[:, 2 * h.shape[1] :] = grad_n  # from u to x: they differ in n alone
        grad_x, grad_weight_ih, grad_bias_ih = _input_gradients(ctx, gradient, x, weight_ih)
        return grad_x, grad_weight_ih, grad_weight_hh, grad_bias_ih, grad_bias_hh, dh[:, : h.shape[1]], None


class _RNN(torch.autograd.Function):
    """(x [R, I], W_ih [H, I], W_hh [H, H], b [H], h [S, H]) -> outputs [R, H]."""

    @staticmethod
    def forward(ctx: Any, x, weight_ih, weight_hh, bias, h, segments, relu):
        """Return the state after each packed row; `relu` chooses the nonlinearity."""
        gates, panels = _project(x, weight_ih, bias), pack_panels(weight_hh.t())
        outputs = x.new_empty((len(x), len(weight_hh)))

        def run(part: Segment) -> None:
            rows = [_host(tensor[part.rows]) for tensor in (gates, outputs)]
            rnn.rnn_forward(part.sizes, panels, relu, _host(h[part.pieces]), *rows)

        for_each(run, segments)
        ctx.save_for_backward(x, weight_ih, weight_hh, h, outputs)
        ctx.segments, ctx.relu = segments, relu
        return outputs

    @staticmethod
    def backward(ctx: Any, grad_outputs):
        """Return the gradients of the five tensors."""
        _refuse_second_derivatives()
        x, weight_ih, weight_hh, h, outputs = ctx.saved_tensors
        grad_outputs = grad_outputs.contiguous()
        panels, dh, gradient = pack_panels(weight_hh), _carried(h), torch.empty_like(outputs)

        def run(part: Segment) -> None:
            rows = [_host(tensor[part.rows]) for tensor in (outputs, grad_outputs)]
            rnn.rnn_backward(part.sizes, panels, ctx.relu, *rows, _host(dh[part.pieces]), _host(gradient[part.rows]))

        for_each(run, ctx.segments)
        grad_x, grad_weight_ih, grad_bias = _input_gradients(ctx, gradient, x, weight_ih)
        grad_weight_hh = _weight_gradient(gradient, _entering(ctx.segments, h, outputs))
        return grad_x, grad_weight_ih, grad_weight_hh, grad_bias, dh[:, : h.shape[1]], None, None
