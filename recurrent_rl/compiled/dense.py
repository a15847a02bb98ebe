"""A fully connected layer over some rows of a batch: products and activation in one pass, block by block in the cache.

R rows, I inputs, O outputs. NONE, TANH and RELU are the activations f in f(x W^T + b).
"""

from typing import NamedTuple

import numpy as np

from recurrent_rl.compiled.decorators import compiled, row_loop
from recurrent_rl.compiled.multiply import (
    BLOCK,
    Engine,
    add_product,
    add_transposed_product,
    make_engine,
    pack,
    pack_transposed,
    whole_panels,
)
from recurrent_rl.compiled.rows import ONE, add_in_place, clear, copy, relu_in_place, tanh_in_place
from recurrent_rl.compiled.task import floats, task

NONE, TANH, RELU = range(3)

# The table of a task; addresses but for the counts. "segment": its own rows, or its own sum.
(
    PRODUCT,  # the task `product`
    PAIRS,  # whether products take bfloat16 pairs
    ACTIVATION,
    ROWS,  # R of the segment
    INPUTS,  # I
    OUTPUTS,  # O
    X,  # segment [R, I]
    WEIGHT,  # [O, I]
    BIAS,  # [O]
    OUT,  # segment [R, O]
    GRAD_OUT,  # segment [R, O]
    GRAD_X,  # segment [R, I], or 0
    GRAD_WEIGHT,  # segment [O, >= I]
    GRAD_BIAS,  # segment [O]
    FIELDS,
) = range(15)


class _Layer(NamedTuple):
    engine: Engine
    x: np.ndarray
    weight: np.ndarray
    out: np.ndarray
    activation: int


@compiled
def _read(a):
    rows, inputs, outputs = a[ROWS], a[INPUTS], a[OUTPUTS]
    engine = make_engine(a[PRODUCT], a[PAIRS] != 0, BLOCK * max(whole_panels(inputs), whole_panels(outputs)))
    x, weight, out = floats(a[X], rows, inputs), floats(a[WEIGHT], outputs, inputs), floats(a[OUT], rows, outputs)
    return _Layer(engine, x, weight, out, a[ACTIVATION])


@task
def dense_forward(a):
    """Fill out with f(x W^T + b)."""
    layer = _read(a)
    bias = floats(a[BIAS], 1, a[OUTPUTS])[0]
    panels = pack_transposed(layer.weight, layer.engine.pairs)
    block = np.zeros((BLOCK, whole_panels(a[OUTPUTS])), np.float32)
    for first in range(0, len(layer.x), BLOCK):
        rows = min(BLOCK, len(layer.x) - first)
        for i in range(rows):
            copy(block[i, : len(bias)], bias)
        add_product(layer.engine, block[:rows], layer.x[first : first + rows], a[INPUTS], panels)
        for i in range(rows):
            out = layer.out[first + i]
            copy(out, block[i])
            if layer.activation == TANH:
                tanh_in_place(out)
            elif layer.activation == RELU:
                relu_in_place(out)


@task
def dense_backward(a):
    """Fill grad_x; add to the segment's sums for weight and bias."""
    layer = _read(a)
    grad_out, grad_bias = floats(a[GRAD_OUT], a[ROWS], a[OUTPUTS]), floats(a[GRAD_BIAS], 1, a[OUTPUTS])[0]
    grad_weight = floats(a[GRAD_WEIGHT], a[OUTPUTS], whole_panels(a[INPUTS]))
    grad_x = floats(a[GRAD_X], a[ROWS] if a[GRAD_X] != 0 else 0, a[INPUTS])
    panels = pack(layer.weight, layer.engine.pairs)
    gradient = np.empty((BLOCK, a[OUTPUTS]), np.float32)
    inputs = np.zeros((BLOCK, whole_panels(a[INPUTS])), np.float32)
    grad_inputs = np.empty_like(inputs)
    for first in range(0, a[ROWS], BLOCK):
        rows = min(BLOCK, a[ROWS] - first)
        for i in range(rows):
            _through(layer.activation, gradient[i], grad_out[first + i], layer.out[first + i])
            add_in_place(grad_bias, gradient[i])
            copy(inputs[i, : a[INPUTS]], layer.x[first + i])
        add_transposed_product(layer.engine, grad_weight, gradient[:rows], inputs[:rows])
        if len(grad_x) > 0:
            for i in range(rows):
                clear(grad_inputs[i])
            add_product(layer.engine, grad_inputs[:rows], gradient[:rows], a[OUTPUTS], panels)
            for i in range(rows):
                copy(grad_x[first + i], grad_inputs[i])


@compiled
def _through(activation, gradient, grad_out, out):
    """Fill gradient with the gradient before the activation, from that after it."""
    if activation == TANH:
        _through_tanh(gradient, grad_out, out)
    elif activation == RELU:
        _through_relu(gradient, grad_out, out)
    else:
        copy(gradient, grad_out)


@row_loop
def _through_tanh(gradient, grad_out, out):
    for u in range(len(gradient)):
        gradient[u] = grad_out[u] * (ONE - out[u] * out[u])


@row_loop
def _through_relu(gradient, grad_out, out):
    for u in range(len(gradient)):
        gradient[u] = 0.0 if out[u] <= 0.0 else grad_out[u]  # what NaN gave stays to be seen
