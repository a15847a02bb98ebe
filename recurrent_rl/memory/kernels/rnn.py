"""The vanilla RNN over T rows with its gradient written out: h' = f(V x + W h + b), f tanh or relu."""

from functools import partial
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
    tanh_backward,
)


class FusedRNN(torch.autograd.Function):
    """(inputs [T, B, I], weights, entry [B, H], initial [H], resets, relu) -> outputs [T, B, H]."""

    @staticmethod
    def forward(ctx: Any, inputs, weight_ih, weight_hh, bias_ih, bias_hh, h, h_initial, resets, relu):
        """Return the outputs."""
        h_entry, recurrent = h, weight_hh.t()
        outputs = project(inputs, weight_ih, None if bias_ih is None else bias_ih + bias_hh)  # [T, B, H]
        for columns, out in zip(resets.columns, outputs.unbind(), strict=True):
            if columns is not None:
                h = replaced(h, columns, h_initial)
            out.addmm_(h, recurrent)
            h = out.relu_() if relu else out.tanh_()
        ctx.resets, ctx.relu, ctx.has_bias = resets, relu, bias_ih is not None
        ctx.save_for_backward(inputs, weight_ih, weight_hh, h_entry, h_initial, outputs)
        return outputs

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_outputs):
        """Return the gradients of the seven tensors."""
        inputs, weight_ih, weight_hh, h_entry, h_initial, outputs = ctx.saved_tensors
        resets, dh = ctx.resets, torch.zeros_like(h_entry)
        grad_initial = initial_gradients((h_initial,), ctx.needs_input_grad[6:7])
        grad_inputs = torch.empty_like(inputs) if ctx.needs_input_grad[0] else None
        grad_ih, grad_hh = torch.zeros_like(weight_ih), torch.zeros_like(weight_hh)
        grad_bias = torch.zeros_like(weight_ih[:, 0]) if ctx.has_bias else None
        for rows in blocks_backwards(outputs):
            gradient = torch.empty_like(outputs[rows])  # [K, B, H]
            for k in range(len(gradient) - 1, -1, -1):
                t = rows.start + k
                dh += grad_outputs[t]
                if ctx.relu:
                    torch.mul(dh, outputs[t] > 0, out=gradient[k])
                else:
                    tanh_backward(dh, outputs[t], grad_input=gradient[k])
                torch.mm(gradient[k], weight_hh, out=dh)
                columns = resets.columns[t]
                if columns is not None:
                    cut_gradients((dh,), columns, grad_initial)
            h_entering = entering(h_entry, outputs, h_initial, resets, rows)
            add_weight_gradients(gradient, [(grad_ih, inputs[rows]), (grad_hh, h_entering)], grad_bias)
            if grad_inputs is not None:
                torch.matmul(gradient, weight_ih, out=grad_inputs[rows])
        other_bias = None if grad_bias is None else grad_bias.clone()  # each parameter's gradient in its own memory
        return grad_inputs, grad_ih, grad_hh, grad_bias, other_bias, dh, *grad_initial, None, None


def _run(
    inputs: Tensor, entry: State, initial: State, resets: Resets, weights: tuple[Tensor | None, ...], relu: bool
) -> tuple[Tensor, State]:
    """Run one layer; arguments and results as in `kernels.loop.run_loop`."""
    outputs: Tensor = FusedRNN.apply(inputs, *weights, *entry, *initial, resets, relu)  # type: ignore[assignment]
    return outputs, (outputs[-1],)


run_tanh, run_relu = partial(_run, relu=False), partial(_run, relu=True)
