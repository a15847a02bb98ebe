"""The GRU over T rows with its gradient written out.

    r, z = sigmoid(x_r + u_r), sigmoid(x_z + u_z),   n = tanh(x_n + r u_n),   u = W h + b
    h' = n + z (h - n)

Backwards all gate gradients are multiples of dh, so the loop over time has one product and three small operations per
row.
"""

from typing import Any

import torch
from torch.autograd.function import once_differentiable

from recurrent_rl.memory.kernels.common import entering, recurrent_weight_gradient, reset, split_reset_gradient


class FusedGRU(torch.autograd.Function):
    """(projected [T, B, 3H], weight_hh [3H, H], bias_hh [3H], h [B, H], initial h [H]) -> outputs [T, B, H]."""

    @staticmethod
    def forward(ctx: Any, projected, weight_hh, bias_hh, h, h_initial, starts, resets):
        """Return the outputs [T, B, H]; `starts` is [T, B, 1], `resets` a list of bool."""
        h_entry, size = h, weight_hh.shape[1]
        outputs = projected.new_empty((*projected.shape[:2], size))  # [T, B, H]
        hidden = torch.empty_like(projected)  # [T, B, 3H], u
        gates = torch.empty_like(projected)  # [T, B, 3H], r, z, n
        recurrent = weight_hh.t()
        rows = zip(
            projected[..., : 2 * size].unbind(),
            projected[..., 2 * size :].unbind(),
            hidden.unbind(),
            hidden[..., : 2 * size].unbind(),
            hidden[..., 2 * size :].unbind(),
            gates[..., : 2 * size].unbind(),
            *(block.unbind() for block in gates.split(size, dim=-1)),
            outputs.unbind(),
            strict=True,
        )
        for t, (x_rz, x_n, u, u_rz, u_n, rz, r, z, n, out) in enumerate(rows):
            if resets[t]:
                h = reset(starts[t], h_initial, h)
            torch.addmm(bias_hh, h, recurrent, out=u)
            torch.add(x_rz, u_rz, out=rz)
            rz.sigmoid_()
            torch.addcmul(x_n, r, u_n, out=n)
            n.tanh_()
            torch.lerp(n, h, z, out=out)
            h = out
        ctx.save_for_backward(
            weight_hh, h_entry, h_initial, starts, gates, hidden[..., 2 * size :].contiguous(), outputs
        )
        ctx.resets = resets
        return outputs

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_outputs):
        """Return the gradients of the five tensors."""
        weight_hh, h_entry, h_initial, starts, gates, hidden_n, outputs = ctx.saved_tensors
        r, z, n = gates.split(weight_hh.shape[1], dim=-1)
        h_entering = entering(h_entry, outputs, h_initial, starts)
        by_n = (1 - z) * (1 - n * n)
        by_r = by_n * hidden_n * r * (1 - r)
        by_z = (h_entering - n) * z * (1 - z)
        by_hidden = torch.stack([by_r, by_z, by_n * r], dim=2)  # [T, B, 3, H]
        grad_hidden = torch.empty_like(by_hidden)
        flat = grad_hidden.flatten(2).unbind()
        grad_h = torch.empty_like(outputs)  # [T, B, H]
        dh_next, dh_initial = torch.zeros_like(h_entry), torch.zeros_like(h_initial)
        for t in range(len(gates) - 1, -1, -1):
            dh = torch.add(grad_outputs[t], dh_next, out=grad_h[t])
            torch.mul(by_hidden[t], dh.unsqueeze(1), out=grad_hidden[t])
            dh_next = torch.addmm(dh * z[t], flat[t], weight_hh)
            if ctx.resets[t]:
                from_start, dh_next = split_reset_gradient(starts[t], dh_next)
                dh_initial += from_start
        grad_projected = torch.cat([grad_hidden.flatten(2)[..., : -n.shape[-1]], by_n * grad_h], dim=-1)  # [T, B, 3H]
        grad_u = grad_hidden.flatten(2)  # [T, B, 3H]
        grad_weight = recurrent_weight_gradient(grad_u, h_entering)
        return grad_projected, grad_weight, grad_u.sum((0, 1)), dh_next, dh_initial, None, None
