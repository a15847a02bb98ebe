"""The LSTM over T rows with its gradient written out.

    i, f, g, o = V x + W h + b      (sigmoid, sigmoid, tanh, sigmoid)
    c' = f c + i g,   h' = o tanh(c')

Backwards the gradients of i, f, g are multiples of dc and that of o is one of dh. The factors are computed for all rows
at once, so the loop over time has one product and a handful of small operations per row, all in place.
"""

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from recurrent_rl.memory.base import State
from recurrent_rl.memory.kernels.common import (
    Resets,
    add_weight_gradients,
    blocks_backwards,
    cut_gradients,
    entering,
    initial_gradients,
    project,
    replaced,
    sigmoid_backward,
    tanh_backward,
)


class FusedLSTM(torch.autograd.Function):
    """(inputs [T, B, I], weights, entry [B, H] twice, initial [H] twice, resets, keep) -> outputs [T, B, H], c [B, H].

    With keep=False, for calls without gradients, the states of one row alone are in memory at a time.
    """

    @staticmethod
    def forward(ctx: Any, inputs, weight_ih, weight_hh, bias_ih, bias_hh, h, c, h_initial, c_initial, resets, keep):
        """Return the outputs and the last cell state."""
        h_entry, c_entry, size = h, c, weight_hh.shape[1]
        gates = project(inputs, weight_ih, None if bias_ih is None else bias_ih + bias_hh)  # [T, B, 4 H]
        shape = (*inputs.shape[:2], size)
        outputs = gates.new_empty(shape)
        candidates, cells, squashed = (gates.new_empty(shape if keep else shape[1:]).expand(shape) for _ in range(3))
        recurrent = weight_hh.t()
        i, f, g, o = (block.unbind() for block in gates.split(size, dim=-1))
        others = (block.unbind() for block in (gates, outputs, candidates, cells, squashed))
        rows = zip(resets.columns, i, f, g, o, *others, strict=True)
        for columns, i_t, f_t, g_t, o_t, row, out, candidate, cell, squash in rows:
            if columns is not None:
                h, c = replaced(h, columns, h_initial), replaced(c, columns, c_initial)
            row.addmm_(h, recurrent)
            torch.tanh(g_t, out=candidate)
            row.sigmoid_()  # g's block with it, whose tanh is in `candidate`: one call for the whole row is cheaper
            torch.mul(f_t, c, out=cell)
            cell.addcmul_(i_t, candidate)
            torch.tanh(cell, out=squash)
            torch.mul(o_t, squash, out=out)
            h, c = out, cell
        ctx.resets, ctx.has_bias = resets, bias_ih is not None
        if keep:
            ctx.save_for_backward(
                inputs, weight_ih, weight_hh, h_entry, c_entry, h_initial, c_initial,
                gates, candidates, cells, squashed, outputs,
            )  # fmt: skip
        return outputs, c.clone()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_outputs, grad_c):
        """Return the gradients of the nine tensors."""
        inputs, weight_ih, weight_hh, *state, gates, candidates, cells, squashed, outputs = ctx.saved_tensors
        entry, initial, resets = state[:2], tuple(state[2:]), ctx.resets
        dh, dc = torch.zeros_like(entry[0]), grad_c.clone()
        grad_initial = initial_gradients(initial, ctx.needs_input_grad[7:9])
        grad_inputs = torch.empty_like(inputs) if ctx.needs_input_grad[0] else None
        grad_ih, grad_hh = torch.zeros_like(weight_ih), torch.zeros_like(weight_hh)
        grad_bias = weight_ih.new_zeros(len(weight_ih)) if ctx.has_bias else None
        for rows in blocks_backwards(outputs):
            c_entering = entering(entry[1], cells, initial[1], resets, rows)
            by_cell, gradient = _factors(gates[rows], candidates[rows], squashed[rows], c_entering)
            forget, flat = gates[rows].chunk(4, dim=-1)[1], gradient.flatten(2)  # [K, B, H], [K, B, 4 H]
            for k in range(len(flat) - 1, -1, -1):
                t = rows.start + k
                dh += grad_outputs[t]
                dc.addcmul_(dh, by_cell[k])
                gradient[k, :, :3].mul_(dc.unsqueeze(1))
                gradient[k, :, 3].mul_(dh)
                dc *= forget[k]
                torch.mm(flat[k], weight_hh, out=dh)
                columns = resets.columns[t]
                if columns is not None:
                    cut_gradients((dh, dc), columns, grad_initial)
            h_entering = entering(entry[0], outputs, initial[0], resets, rows)
            add_weight_gradients(flat, [(grad_ih, inputs[rows]), (grad_hh, h_entering)], grad_bias)
            if grad_inputs is not None:
                torch.matmul(flat, weight_ih, out=grad_inputs[rows])
        other_bias = None if grad_bias is None else grad_bias.clone()  # each parameter's gradient in its own memory
        return grad_inputs, grad_ih, grad_hh, grad_bias, other_bias, dh, dc, *grad_initial, None, None


def _factors(gates: Tensor, candidates: Tensor, squashed: Tensor, c_entering: Tensor) -> tuple[Tensor, Tensor]:
    """Return d c' / d h' seen from h', [K, B, H], and what dc (i, f, g) and dh (o) are multiplied with, [K, B, 4, H]."""
    i, f, _, o = gates.chunk(4, dim=-1)
    by_cell = tanh_backward(o, squashed, grad_input=torch.empty_like(squashed))
    factors = gates.new_empty((*gates.shape[:2], 4, squashed.shape[2]))
    sigmoid_backward(candidates, i, grad_input=factors[:, :, 0])
    sigmoid_backward(c_entering, f, grad_input=factors[:, :, 1])
    tanh_backward(i, candidates, grad_input=factors[:, :, 2])
    sigmoid_backward(squashed, o, grad_input=factors[:, :, 3])
    return by_cell, factors


def run_lstm(
    inputs: Tensor, entry: State, initial: State, resets: Resets, weights: tuple[Tensor | None, ...]
) -> tuple[Tensor, State]:
    """Run one layer; arguments and results as in `kernels.loop.run_loop`."""
    keep = torch.is_grad_enabled()
    outputs, c = FusedLSTM.apply(inputs, *weights, *entry, *initial, resets, keep)  # type: ignore[misc]
    return outputs, (outputs[-1], c)
