"""Tables for the tasks of `compiled.dense`: the rows are dealt out in equal runs, one for each thread worth its while."""

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
    run_tasks(dense.dense_forward, _table(x, weight, bias, out, activation, bfloat16)[0])


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
    table, first = _table(x, weight, bias, out, activation, bfloat16)
    grad_x = torch.empty_like(x) if wants_x else None
    outputs, width = len(weight), padded(weight.shape[1])
    sums = weight.new_zeros((len(table), outputs * (width + 1)))
    table[:, dense.GRAD_OUT] = grad_out.data_ptr() + 4 * outputs * first
    table[:, dense.GRAD_X] = 0 if grad_x is None else grad_x.data_ptr() + 4 * x.shape[-1] * first
    table[:, dense.GRAD_WEIGHT] = sums.data_ptr() + 4 * sums.shape[1] * np.arange(len(table))
    table[:, dense.GRAD_BIAS] = table[:, dense.GRAD_WEIGHT] + 4 * outputs * width
    run_tasks(dense.dense_backward, table)
    total = sums[0] if len(sums) == 1 else sums.sum(0)
    grad_weight, grad_bias = total.split([outputs * width, outputs])
    return grad_x, grad_weight.view(outputs, width)[:, : weight.shape[1]], grad_bias


def _table(
    x: Tensor, weight: Tensor, bias: Tensor, out: Tensor, activation: str, bfloat16: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Return the arguments of the tasks [segments, FIELDS] and each segment's first row."""
    outputs, inputs = weight.shape
    rows = x.numel() // inputs
    n_segments = max(1, min(torch.get_num_threads(), rows * weight.numel() // WORTH_A_THREAD))
    first = np.arange(n_segments) * rows // n_segments
    table = np.zeros((n_segments, dense.FIELDS), dtype=np.int64)
    table[:, dense.PRODUCT], table[:, dense.PAIRS] = product.address, bfloat16
    table[:, dense.ACTIVATION] = _ACTIVATIONS[activation]
    table[:, dense.ROWS] = np.diff(first, append=rows)
    table[:, dense.INPUTS], table[:, dense.OUTPUTS] = inputs, outputs
    table[:, dense.X] = x.data_ptr() + 4 * inputs * first
    table[:, dense.WEIGHT], table[:, dense.BIAS] = weight.data_ptr(), bias.data_ptr()
    table[:, dense.OUT] = out.data_ptr() + 4 * outputs * first
    return table, first
