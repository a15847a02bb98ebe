"""The GRU over packed pieces with its gradient written out.

    r, z = sigmoid(x_r + u_r), sigmoid(x_z + u_z),   n = tanh(x_n + r u_n),   u = W h + b
    h' = n + z (h - n)

Backwards all gate gradients are multiples of dh, so the loop over time has one product and two small operations per row.
"""

from typing import Any

import torch
from torch.autograd.function import once_differentiable

from recurrent_rl.memory.kernels.common import carried, entering, rows_of, weight_gradient


class FusedGRU(torch.autograd.Function):
    """(projected [R, 3H], weight_hh [3H, H], bias_hh [3H], h [S, H], sizes) -> outputs [R, H]."""

    @staticmethod
    def forward(ctx: Any, projected, weight_hh, bias_hh, h, sizes):
        """Return the state after each packed row; `sizes` is the number of pieces per step."""
        h_entry, size = h, weight_hh.shape[1]
        outputs = projected.new_empty((len(projected), size))  # [R, H]
        hidden = torch.empty_like(projected)  # [R, 3H], u
        gates = torch.empty_like(projected)  # [R, 3H], r, z, n
        recurrent = weight_hh.t()
        steps = zip(
            sizes,
            rows_of(projected[:, : 2 * size], sizes),
            rows_of(projected[:, 2 * size :], sizes),
            rows_of(hidden, sizes),
            rows_of(hidden[:, : 2 * size], sizes),
            rows_of(hidden[:, 2 * size :], sizes),
            rows_of(gates[:, : 2 * size], sizes),
            *(rows_of(gate, sizes) for gate in gates.split(size, dim=1)),
            rows_of(outputs, sizes),
            strict=True,
        )
        for n_pieces, x_both, x_n, u, u_both, u_n, both, r, z, n, out in steps:
            h = h[:n_pieces]
            torch.addmm(bias_hh, h, recurrent, out=u)
            torch.add(x_both, u_both, out=both)
            both.sigmoid_()
            torch.addcmul(x_n, r, u_n, out=n)
            n.tanh_()
            torch.lerp(n, h, z, out=out)
            h = out
        ctx.save_for_backward(weight_hh, h_entry, gates, hidden[:, 2 * size :].contiguous(), outputs)
        ctx.sizes = sizes
        return outputs

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_outputs):
        """Return the gradients of the four tensors."""
        weight_hh, h_entry, gates, hidden_n, outputs = ctx.saved_tensors
        sizes, size = ctx.sizes, weight_hh.shape[1]
        r, z, n = gates.split(size, dim=1)
        h_entering = entering(h_entry, outputs, sizes)
        by_n = (1 - z) * (1 - n * n)
        grad_u = gates.new_empty((len(gates), 3, size))  # [R, 3, H], at first the coefficients of dh
        torch.mul(by_n * hidden_n, r * (1 - r), out=grad_u[:, 0])
        torch.mul(h_entering - n, z * (1 - z), out=grad_u[:, 1])
        torch.mul(by_n, r, out=grad_u[:, 2])
        dh, dh_entry = carried(grad_outputs, h_entry, sizes)
        flat_u = grad_u.flatten(1)  # [R, 3H]
        steps = list(
            zip(rows_of(grad_u, sizes), rows_of(flat_u, sizes), rows_of(z, sizes), dh[1:], dh_entry, strict=True)
        )
        for by_gate, flat, keep, dh_row, dh_before in reversed(steps):
            by_gate.mul_(dh_row.unsqueeze(1))
            dh_before.addcmul_(dh_row, keep)
            dh_before.addmm_(flat, weight_hh)
        grad_projected = torch.cat([flat_u[:, : 2 * size], by_n * torch.cat(dh[1:])], dim=1)  # [R, 3H]
        return grad_projected, weight_gradient(flat_u, h_entering), flat_u.sum(0), dh[0], None
