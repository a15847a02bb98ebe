"""The LSTM over T rows with its gradient written out.

    i, f, g, o = projected[t] + W h         (sigmoid, sigmoid, tanh, sigmoid)
    c' = f c + i g,   h' = o tanh(c')

Backwards everything but the products with W is elementwise in coefficients that are computed for all rows at once, so
the loop over time has one product and a handful of small operations per row.
"""

from typing import Any

import torch
from torch.autograd.function import once_differentiable

from recurrent_rl.memory.kernels.common import entering, recurrent_weight_gradient, reset, split_reset_gradient


class FusedLSTM(torch.autograd.Function):
    """(projected [T, B, 4H], weight_hh [4H, H], h [B, H], c [B, H], initial h [H], initial c [H]) -> outputs, c."""

    @staticmethod
    def forward(ctx: Any, projected, weight_hh, h, c, h_initial, c_initial, starts, resets):
        """Return the outputs [T, B, H] and the last cell state [B, H]; `starts` is [T, B, 1], `resets` a list of bool."""
        h_entry, c_entry = h, c
        gates = torch.empty_like(projected)  # [T, B, 4H]
        outputs = projected.new_empty((*projected.shape[:2], weight_hh.shape[1]))  # [T, B, H]
        cells, squashed = torch.empty_like(outputs), torch.empty_like(outputs)
        recurrent = weight_hh.t()
        size = weight_hh.shape[1]
        rows = zip(
            projected.unbind(),
            gates.unbind(),
            *(block.unbind() for block in (gates[..., : 2 * size], gates[..., 2 * size : 3 * size])),
            *(block.unbind() for block in gates.split(size, dim=-1)),
            outputs.unbind(),
            cells.unbind(),
            squashed.unbind(),
            strict=True,
        )
        for t, (x, row, sigmoids, candidate, i, f, _, o, out, cell, squash) in enumerate(rows):
            if resets[t]:
                h, c = reset(starts[t], h_initial, h), reset(starts[t], c_initial, c)
            torch.addmm(x, h, recurrent, out=row)
            sigmoids.sigmoid_()
            candidate.tanh_()
            o.sigmoid_()
            torch.mul(f, c, out=cell)
            cell.addcmul_(i, candidate)
            torch.tanh(cell, out=squash)
            torch.mul(o, squash, out=out)
            h, c = out, cell
        ctx.save_for_backward(
            weight_hh, h_entry, c_entry, h_initial, c_initial, starts, gates, outputs, cells, squashed
        )
        ctx.resets = resets
        return outputs, c.clone()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_outputs, grad_c):
        """Return the gradients of the six tensors."""
        weight_hh, h_entry, c_entry, h_initial, c_initial, starts, gates, outputs, cells, squashed = ctx.saved_tensors
        size = weight_hh.shape[1]
        i, f, g, o = gates.split(size, dim=-1)
        c_entering = entering(c_entry, cells, c_initial, starts)
        # d gates = dc times the first three, dh times the fourth
        by_cell = torch.stack([g * i * (1 - i), c_entering * f * (1 - f), i * (1 - g * g)], dim=2)  # [T, B, 3, H]
        by_output = squashed * o * (1 - o)
        output_to_cell = o * (1 - squashed * squashed)
        grad_gates = gates.new_empty((*gates.shape[:2], 4, size))  # [T, B, 4, H]
        flat = grad_gates.flatten(2).unbind()
        dh_next, dc = torch.zeros_like(h_entry), grad_c
        dh_initial, dc_initial = torch.zeros_like(h_initial), torch.zeros_like(c_initial)
        for t in range(len(gates) - 1, -1, -1):
            dh = grad_outputs[t] + dh_next
            dc = torch.addcmul(dc, dh, output_to_cell[t])
            torch.mul(by_cell[t], dc.unsqueeze(1), out=grad_gates[t, :, :3])
            torch.mul(by_output[t], dh, out=grad_gates[t, :, 3])
            dc = dc * f[t]
            dh_next = flat[t] @ weight_hh
            if ctx.resets[t]:
                from_start, dh_next = split_reset_gradient(starts[t], dh_next)
                dh_initial += from_start
                from_start, dc = split_reset_gradient(starts[t], dc)
                dc_initial += from_start
        grad_projected = grad_gates.flatten(2)
        grad_weight = recurrent_weight_gradient(grad_projected, entering(h_entry, outputs, h_initial, starts))
        return grad_projected, grad_weight, dh_next, dc, dh_initial, dc_initial, None, None
