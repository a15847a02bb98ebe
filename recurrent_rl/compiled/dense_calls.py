"""Tables for the tasks of `compiled.dense`: the rows are dealt out in equal runs, one for each thread worth its while."""

import itertools

import numpy as np
import torch
from torch import Tensor

from recurrent_rl.compiled import dense
from recurrent_rl.compiled.product import padded, product
from recurrent_rl.compiled.threads import run_tasks

WORTH_A_THREAD = 2**20  # multiplications
_ACTIVATIONS = {"none": dense.NONE, "tanh": dense.TANH, "relu": dense.RELU}


def run_forward(x: Tensor, weight: Tensor, bias: Tensor, out: Tensor, activation: str, bfloat16: bool) -> None:
    """Fill out [..., O] with f(x W^T + b)."""
    _, rows = _segments(x, weight, bias, out, activation, bfloat16)
    nothing = [0] * (dense.FIELDS - len(rows[0]))
    run_tasks(dense.dense_forward, np.array([row + nothing for row in rows], dtype=np.int64))


def run_backward(
    x: Tensor,
    weight: Tensor,
    bias: Tensor,
    out: Tensor,
    grad_out: Tensor,
    activation: str,
    bfloat16: bool,
    wants_x: bool,
) -> tuple[Tensor | None, Tensor, Tensor]:
    """Return the gradients of x (None where it is not wanted), W and b."""
    first, rows = _segments(x, weight, bias, out, activation, bfloat16)
    grad_x = torch.empty_like(x) if wants_x else None
    (outputs, inputs), width = weight.shape, padded(weight.shape[1])
    sums = weight.new_zeros((len(rows), outputs * (width + 1)))
    for i, row in enumerate(rows):
        at = sums.data_ptr() + 4 * sums.shape[1] * i
        row += [
            grad_out.data_ptr() + 4 * outputs * first[i],
            0 if grad_x is None else grad_x.data_ptr() + 4 * inputs * first[i],
            at,
            at + 4 * outputs * width,
        ]  # dense.GRAD_OUT to GRAD_BIAS
    run_tasks(dense.dense_backward, np.array(rows, dtype=np.int64))
    total = sums[0] if len(sums) == 1 else sums.sum(0)
    grad_weight, grad_bias = total.split([outputs * width, outputs])
    return grad_x, grad_weight.view(outputs, width)[:, :inputs], grad_bias


def _segments(
    x: Tensor, weight: Tensor, bias: Tensor, out: Tensor, activation: str, bfloat16: bool
) -> tuple[list[int], list[list[int]]]:
    """Return each segment's first row, and the first arguments of its task."""
    outputs, inputs = weight.shape
    rows = x.numel() // inputs
    n_segments = max(1, min(torch.get_num_threads(), rows * inputs * padded(outputs) // WORTH_A_THREAD))
    first = [i * rows // n_segments for i in range(n_segments + 1)]
    shared = [product.address, int(bfloat16), _ACTIVATIONS[activation]]
    arguments = [
        [
            *shared,
            end - start,
            inputs,
            outputs,
            x.data_ptr() + 4 * inputs * start,
            weight.data_ptr(),
            bias.data_ptr(),
            out.data_ptr() + 4 * outputs * start,
        ]  # dense.PRODUCT to OUT
        for start, end in itertools.pairwise(first)
    ]
    return first, arguments
