"""The LSTM over packed pieces with its gradient written out.

    i, f, g, o = projected + W h         (sigmoid, sigmoid, tanh, sigmoid)
    c' = f c + i g,   h' = o tanh(c')

Backwards everything but the products with W is elementwise in coefficients that are computed for all rows at once, so
the loop over time has one product and four small operations per row.
"""

from typing import Any

import torch
from torch.autograd.function import once_differentiable

from recurrent_rl.memory.kernels.common import carried, entering, rows_of, weight_gradient


class FusedLSTM(torch.autograd.Function):
    """(projected [R, 4H], weight_hh [4H, H], h [S, H], c [S, H], sizes) -> outputs [R, H], cells [R, H]."""

    @staticmethod
    def forward(ctx: Any, projected, weight_hh, h, c, sizes):
        """Return the hidden and the cell state after each packed row; `sizes` is the number of pieces per step."""
        h_entry, c_entry, size = h, c, weight_hh.shape[1]
        gates = torch.empty_like(projected)  # [R, 4H]
        outputs = projected.new_empty((len(projected), size))  # [R, H]
        cells, squashed = torch.empty_like(outputs), torch.empty_like(outputs)
        recurrent = weight_hh.t()
        steps = zip(
            sizes,
            rows_of(projected, sizes),
            rows_of(gates, sizes),
            rows_of(gates[:, : 2 * size], sizes),
            *(rows_of(gate, sizes) for gate in gates.split(size, dim=1)),
            rows_of(outputs, sizes),
            rows_of(cells, sizes),
            rows_of(squashed, sizes),
            strict=True,
        )
        for n, x, row, both, i, f, candidate, o, out, cell, squash in steps:
            torch.addmm(x, h[:n], recurrent, out=row)
            both.sigmoid_()
            candidate.tanh_()
            o.sigmoid_()
            torch.mul(f, c[:n], out=cell)
            cell.addcmul_(i, candidate)
            torch.tanh(cell, out=squash)
            torch.mul(o, squash, out=out)
            h, c = out, cell
        ctx.save_for_backward(weight_hh, h_entry, c_entry, gates, outputs, cells, squashed)
        ctx.sizes = sizes
        return outputs, cells

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_outputs, grad_cells):
        """Return the gradients of the four tensors."""
        weight_hh, h_entry, c_entry, gates, outputs, cells, squashed = ctx.saved_tensors
        sizes, size = ctx.sizes, weight_hh.shape[1]
        i, f, g, o = gates.split(size, dim=1)
        # d gates = dc times the first three, dh times the fourth
        grad_gates = gates.new_empty((len(gates), 4, size))  # [R, 4, H], at first the coefficients
        torch.mul(g, i * (1 - i), out=grad_gates[:, 0])
        torch.mul(entering(c_entry, cells, sizes), f * (1 - f), out=grad_gates[:, 1])
        torch.mul(i, 1 - g * g, out=grad_gates[:, 2])
        torch.mul(squashed, o * (1 - o), out=grad_gates[:, 3])
        output_to_cell = o * (1 - squashed * squashed)
        (dh, dh_entry), (dc, dc_entry) = carried(grad_outputs, h_entry, sizes), carried(grad_cells, c_entry, sizes)
        steps = list(
            zip(
                rows_of(grad_gates[:, :3], sizes),
                rows_of(grad_gates[:, 3], sizes),
                rows_of(grad_gates.flatten(1), sizes),
                rows_of(output_to_cell, sizes),
                rows_of(f, sizes),
                dh[1:],
                dc[1:],
                dh_entry,
                dc_entry,
                strict=True,
            )
        )
        for by_cell, by_output, flat, to_cell, forget, dh_row, dc_row, dh_before, dc_before in reversed(steps):
            dc_row.addcmul_(dh_row, to_cell)
            by_cell.mul_(dc_row.unsqueeze(1))
            by_output.mul_(dh_row)
            dc_before.addcmul_(dc_row, forget)
            dh_before.addmm_(flat, weight_hh)
        grad_projected = grad_gates.flatten(1)
        grad_weight = weight_gradient(grad_projected, entering(h_entry, outputs, sizes))
        return grad_projected, grad_weight, dh[0], dc[0], None
