"""The vanilla RNN over T rows with its gradient written out: h' = f(projected[t] + W h), f tanh or relu."""

from typing import Any

import torch
from torch.autograd.function import once_differentiable

from recurrent_rl.memory.kernels.common import entering, recurrent_weight_gradient, reset, split_reset_gradient


class FusedRNN(torch.autograd.Function):
    """(projected [T, B, H], weight_hh [H, H], h [B, H], initial h [H]) -> outputs [T, B, H]."""

    @staticmethod
    def forward(ctx: Any, projected, weight_hh, h, h_initial, starts, resets, relu):
        """Return the outputs [T, B, H]; `starts` is [T, B, 1], `resets` a list of bool, `relu` the nonlinearity."""
        h_entry = h
        outputs = torch.empty_like(projected)  # [T, B, H]
        recurrent = weight_hh.t()
        for t, (x, out) in enumerate(zip(projected.unbind(), outputs.unbind(), strict=True)):
            if resets[t]:
                h = reset(starts[t], h_initial, h)
            torch.addmm(x, h, recurrent, out=out)
            h = out.relu_() if relu else out.tanh_()
        ctx.save_for_backward(weight_hh, h_entry, h_initial, starts, outputs)
        ctx.resets, ctx.relu = resets, relu
        return outputs

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_outputs):
        """Return the gradients of the four tensors."""
        weight_hh, h_entry, h_initial, starts, outputs = ctx.saved_tensors
        slope = (outputs > 0).to(outputs.dtype) if ctx.relu else 1 - outputs * outputs
        grad_projected = torch.empty_like(outputs)  # [T, B, H]
        dh_next, dh_initial = torch.zeros_like(h_entry), torch.zeros_like(h_initial)
        for t in range(len(outputs) - 1, -1, -1):
            row = torch.mul(grad_outputs[t] + dh_next, slope[t], out=grad_projected[t])
            dh_next = row @ weight_hh
            if ctx.resets[t]:
                from_start, dh_next = split_reset_gradient(starts[t], dh_next)
                dh_initial += from_start
        h_entering = entering(h_entry, outputs, h_initial, starts)
        return (
            grad_projected,
            recurrent_weight_gradient(grad_projected, h_entering),
            dh_next,
            dh_initial,
            None,
            None,
            None,
        )
