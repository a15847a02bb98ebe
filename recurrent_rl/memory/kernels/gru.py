"""The GRU over T rows with its gradient written out.

    r, z = sigmoid(x_r + u_r), sigmoid(x_z + u_z),   n = tanh(x_n + r u_n),   x = V input + b, u = W h + b'
    h' = n + z (h - n)

Backwards all gradients of u are multiples of dh. The factors are computed for all rows at once, so the loop over time
has one product and a few small operations per row, all in place.
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


class FusedGRU(torch.autograd.Function):
    """(inputs [T, B, I], weights, entry [B, H], initial [H], resets) -> outputs [T, B, H]."""

    @staticmethod
    def forward(ctx: Any, inputs, weight_ih, weight_hh, bias_ih, bias_hh, h, h_initial, resets):
        """Return the outputs."""
        h_entry, split = h, 2 * weight_hh.shape[1]
        bias = None if bias_ih is None else bias_ih[:split] + bias_hh[:split]
        gates = project(inputs, weight_ih[:split], bias)  # [T, B, 2 H], r and z
        n = project(inputs, weight_ih[split:], None if bias_ih is None else bias_ih[split:])  # [T, B, H]
        u_n = torch.zeros_like(n) if bias_hh is None else torch.empty_like(n).copy_(bias_hh[split:])
        outputs = torch.empty_like(n)
        r, z = (block.unbind() for block in gates.chunk(2, dim=-1))
        rows = (block.unbind() for block in (gates, n, u_n, outputs))
        to_gates, to_n = weight_hh[:split].t(), weight_hh[split:].t()
        for columns, r_t, z_t, gates_t, n_t, u_t, out in zip(resets.columns, r, z, *rows, strict=True):
            if columns is not None:
                h = replaced(h, columns, h_initial)
            gates_t.addmm_(h, to_gates).sigmoid_()
            u_t.addmm_(h, to_n)
            n_t.addcmul_(r_t, u_t).tanh_()
            h = torch.lerp(n_t, h, z_t, out=out)
        ctx.resets, ctx.has_bias = resets, bias_ih is not None
        ctx.save_for_backward(inputs, weight_ih, weight_hh, h_entry, h_initial, gates, n, u_n, outputs)
        return outputs

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_outputs):
        """Return the gradients of the seven tensors."""
        inputs, weight_ih, weight_hh, h_entry, h_initial, gates, n, u_n, outputs = ctx.saved_tensors
        resets, split = ctx.resets, 2 * weight_hh.shape[1]
        dh, grad_initial = torch.zeros_like(h_entry), initial_gradients((h_initial,), ctx.needs_input_grad[6:7])
        grad_inputs = torch.empty_like(inputs) if ctx.needs_input_grad[0] else None
        grad_ih, grad_hh = torch.zeros_like(weight_ih), torch.zeros_like(weight_hh)
        grad_bias_ih, grad_bias_hh = torch.zeros_like(weight_ih[:, 0]), torch.zeros_like(weight_ih[:, 0])
        for rows in blocks_backwards(outputs):
            h_entering = entering(h_entry, outputs, h_initial, resets, rows)
            grad_n, gradient = _factors(gates[rows], n[rows], u_n[rows], h_entering)
            z, flat = gates[rows].chunk(2, dim=-1)[1], gradient.flatten(2)  # [K, B, H], [K, B, 3 H]
            for k in range(len(flat) - 1, -1, -1):
                t = rows.start + k
                dh.add_(grad_outputs[t])
                grad_n[k].mul_(dh)
                gradient[k].mul_(dh.unsqueeze(1))
                dh.mul_(z[k]).addmm_(flat[k], weight_hh)
                columns = resets.columns[t]
                if columns is not None:
                    cut_gradients((dh,), columns, grad_initial)
            grad_gates = flat[..., :split]
            add_weight_gradients(flat, [(grad_hh, h_entering)], grad_bias_hh)
            add_weight_gradients(grad_gates, [(grad_ih[:split], inputs[rows])], None)
            add_weight_gradients(grad_n, [(grad_ih[split:], inputs[rows])], grad_bias_ih[split:])
            if grad_inputs is not None:
                torch.matmul(grad_n, weight_ih[split:], out=grad_inputs[rows])
                grad_inputs[rows] += grad_gates @ weight_ih[:split]
        grad_bias_ih[:split] = grad_bias_hh[:split]
        biases = (grad_bias_ih, grad_bias_hh) if ctx.has_bias else (None, None)
        return grad_inputs, grad_ih, grad_hh, *biases, dh, *grad_initial, None


def _factors(gates: Tensor, n: Tensor, u_n: Tensor, h_entering: Tensor) -> tuple[Tensor, Tensor]:
    """Return what dh is multiplied with to give the gradients of x_n, [K, B, H], and of u, [K, B, 3, H]."""
    r, z = gates.chunk(2, dim=-1)
    by_n = torch.rsub(z, 1)
    tanh_backward(by_n, n, grad_input=by_n)
    by_u = n.new_empty((*n.shape[:2], 3, n.shape[2]))
    sigmoid_backward(by_n * u_n, r, grad_input=by_u[:, :, 0])
    sigmoid_backward(h_entering - n, z, grad_input=by_u[:, :, 1])
    torch.mul(by_n, r, out=by_u[:, :, 2])
    return by_n, by_u


def run_gru(
    inputs: Tensor, entry: State, initial: State, resets: Resets, weights: tuple[Tensor | None, ...]
) -> tuple[Tensor, State]:
    """Run one layer; arguments and results as in `kernels.loop.run_loop`."""
    outputs: Tensor = FusedGRU.apply(inputs, *weights, *entry, *initial, resets)  # type: ignore[assignment]
    return outputs, (outputs[-1],)
