"""The vanilla RNN over packed pieces with its gradient written out: h' = f(projected + W h), f tanh or relu."""

from typing import Any

import torch
from torch.autograd.function import once_differentiable

from recurrent_rl.memory.kernels.common import carried, entering, rows_of, weight_gradient


class FusedRNN(torch.autograd.Function):
    """(projected [R, H], weight_hh [H, H], h [S, H], sizes, relu) -> outputs [R, H]."""

    @staticmethod
    def forward(ctx: Any, projected, weight_hh, h, sizes, relu):
        """Return the state after each packed row; `sizes` is the number of pieces per step, `relu` the nonlinearity."""
        h_entry = h
        outputs = torch.empty_like(projected)  # [R, H]
        recurrent = weight_hh.t()
        for n, x, out in zip(sizes, rows_of(projected, sizes), rows_of(outputs, sizes), strict=True):
            torch.addmm(x, h[:n], recurrent, out=out)
            h = out.relu_() if relu else out.tanh_()
        ctx.save_for_backward(weight_hh, h_entry, outputs)
        ctx.sizes, ctx.relu = sizes, relu
        return outputs

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_outputs):
        """Return the gradients of the three tensors."""
        weight_hh, h_entry, outputs = ctx.saved_tensors
        slope = (outputs > 0).to(outputs.dtype) if ctx.relu else 1 - outputs * outputs
        dh, dh_entry = carried(grad_outputs, h_entry, ctx.sizes)
        steps = list(zip(rows_of(slope, ctx.sizes), dh[1:], dh_entry, strict=True))
        for by_gate, row, before in reversed(steps):
            row.mul_(by_gate)
            before.addmm_(row, weight_hh)
        grad_projected = torch.cat(dh[1:])  # [R, H]
        return grad_projected, weight_gradient(grad_projected, entering(h_entry, outputs, ctx.sizes)), dh[0], None, None
