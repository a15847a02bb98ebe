"""The vanilla RNN's layer over one segment; equations in `kernels.fused`, shapes in `compiled.layer`.

KEPT holds 1 for relu and 0 for tanh. The outputs are all that the way back needs.
"""

import numpy as np

from recurrent_rl.compiled.entry import compiled, row_loop
from recurrent_rl.compiled.multiply import add_product, pack, pack_transposed, whole_panels
from recurrent_rl.compiled.rows import ONE, add_in_place, clear, copy, relu_in_place, tanh_in_place
from recurrent_rl.compiled.task import floats, task
from recurrent_rl.memory.kernels.compiled.layer import (
    BIAS_HH,
    BIAS_IH,
    GATES,
    GRAD_BIAS_IH,
    GRAD_HIDDEN,
    GRAD_HIDDEN_INITIAL,
    GRAD_OUTPUTS,
    GRAD_WEIGHT_HH,
    GRAD_WEIGHT_IH,
    GRAD_X,
    HIDDEN,
    HIDDEN_INITIAL,
    HIDDEN_STRIDE,
    KEPT,
    OUTPUTS,
    WEIGHT_HH,
    WEIGHT_IH,
    X,
    enter,
    input_gradient,
    input_weight_gradient,
    leave_gradient,
    project,
    read_part,
    recurrent_weight_gradient,
)


@task
def rnn_forward(a):
    """Fill the segment's rows of outputs [T B, H], f(x + W h) with f relu or tanh; gates [R, >= H] are scratch."""
    part = read_part(a, 1)
    rows, size = len(part.gather), part.units
    x, outputs = floats(a[X], part.n_rows, part.inputs), floats(a[OUTPUTS], part.n_rows, size)
    weight_ih, weight_hh = floats(a[WEIGHT_IH], size, part.inputs), floats(a[WEIGHT_HH], size, size)
    bias = floats(a[BIAS_IH], 1, size)[0] + floats(a[BIAS_HH], 1, size)[0]
    gates = floats(a[GATES], rows, whole_panels(size))
    project(part, x, bias, gates, pack_transposed(weight_ih, part.engine.pairs))
    state = enter(part, a[HIDDEN], a[HIDDEN_STRIDE], a[HIDDEN_INITIAL])
    _loop(part, pack_transposed(weight_hh, part.engine.pairs), a[KEPT] != 0, state, gates, outputs)


@compiled
def _loop(part, panels, relu, state, gates, outputs):
    row = 0
    for running in part.sizes:
        rows = gates[row : row + running]
        add_product(part.engine, rows, state[:running], part.units, panels)
        for i in range(running):
            copy(state[i], rows[i])
            if relu:
                relu_in_place(state[i])
            else:
                tanh_in_place(state[i])
            copy(outputs[part.gather[row + i]], state[i])
        row += running


@task
def rnn_backward(a):
    """Fill the gradients of x and of the entering state; add to the segment's own sums for weights and biases."""
    part = read_part(a, 1)
    rows, size = len(part.gather), part.units
    x, outputs = floats(a[X], part.n_rows, part.inputs), floats(a[OUTPUTS], part.n_rows, size)
    weight_ih, weight_hh = floats(a[WEIGHT_IH], size, part.inputs), floats(a[WEIGHT_HH], size, size)
    entering = enter(part, a[HIDDEN], a[HIDDEN_STRIDE], a[HIDDEN_INITIAL])
    gradient = np.empty((rows, whole_panels(size)), np.float32)
    carried = np.zeros((len(entering), whole_panels(size)), np.float32)
    panels = pack(weight_hh, part.engine.pairs)
    _loop_back(part, panels, a[KEPT] != 0, outputs, floats(a[GRAD_OUTPUTS], part.n_rows, size), carried, gradient)
    leave_gradient(
        part, carried, floats(a[GRAD_HIDDEN], part.n_columns, size), floats(a[GRAD_HIDDEN_INITIAL], 1, size)[0]
    )
    recurrent_weight_gradient(part, gradient, entering, outputs, floats(a[GRAD_WEIGHT_HH], size, whole_panels(size)))
    grad_weight_ih = floats(a[GRAD_WEIGHT_IH], size, whole_panels(part.inputs))
    input_weight_gradient(part, gradient, x, grad_weight_ih, floats(a[GRAD_BIAS_IH], 1, size)[0])
    if a[GRAD_X] != 0:
        panels = pack(weight_ih, part.engine.pairs)
        input_gradient(part, gradient, size, panels, floats(a[GRAD_X], part.n_rows, part.inputs))


@compiled
def _loop_back(part, panels, relu, outputs, grad_outputs, carried, gradient):
    size, row = part.units, len(gradient)
    for k in range(len(part.sizes) - 1, -1, -1):
        running = part.sizes[k]
        row -= running
        for i in range(running):
            flat, dh = part.gather[row + i], carried[i]
            add_in_place(dh, grad_outputs[flat])
            if relu:
                _through_relu(gradient[row + i, :size], dh, outputs[flat])
            else:
                _through_tanh(gradient[row + i, :size], dh, outputs[flat])
        for i in range(running):
            clear(carried[i])
        add_product(part.engine, carried[:running], gradient[row : row + running], size, panels)


@row_loop
def _through_relu(grad, dh, output):
    for u in range(len(grad)):
        grad[u] = dh[u] if output[u] > 0.0 else 0.0


@row_loop
def _through_tanh(grad, dh, output):
    for u in range(len(grad)):
        grad[u] = dh[u] * (ONE - output[u] * output[u])
