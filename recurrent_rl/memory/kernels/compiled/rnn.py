"""The vanilla RNN's layer over one segment; equations in `kernels.fused`, shapes in `compiled.layer`.

KEPT holds 1 for relu and 0 for tanh. The outputs are all that the way back needs.
"""

import numpy as np

from recurrent_rl.compiled.decorators import compiled, row_loop
from recurrent_rl.compiled.multiply import add_product, pack, pack_transposed, whole_panels
from recurrent_rl.compiled.rows import ONE, add_in_place, clear, copy, relu_in_place, tanh_in_place
from recurrent_rl.compiled.task import floats, task
from recurrent_rl.memory.kernels.compiled.layer import (
    BIAS_HH,
    BIAS_IH,
    BLOCK,
    GATES,
    GRAD_HIDDEN,
    GRAD_HIDDEN_INITIAL,
    GRAD_OUTPUTS,
    HIDDEN,
    HIDDEN_INITIAL,
    HIDDEN_STRIDE,
    KEPT,
    OUTPUTS,
    UNITS,
    WEIGHT_HH,
    WEIGHT_IH,
    X,
    enter,
    leave_gradient,
    project,
    read_part,
    through_inputs,
    through_recurrence,
    way_back,
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
    part, size = read_part(a, 1), a[UNITS]
    entering = enter(part, a[HIDDEN], a[HIDDEN_STRIDE], a[HIDDEN_INITIAL])
    way, carried = way_back(part, a, 1, entering), np.zeros((len(entering), whole_panels(size)), np.float32)
    panels = pack(floats(a[WEIGHT_HH], size, size), part.engine.pairs)
    _loop_back(part, way, panels, a[KEPT] != 0, floats(a[GRAD_OUTPUTS], part.n_rows, size), carried)
    grad_state, grad_initial = floats(a[GRAD_HIDDEN], part.n_columns, size), floats(a[GRAD_HIDDEN_INITIAL], 1, size)[0]
    leave_gradient(part, carried, grad_state, grad_initial)


@compiled
def _loop_back(part, way, panels, relu, grad_outputs, carried):
    """Go back in time; whenever a block of rows is there, hand its gradient on while it is in the cache."""
    size, row, room = part.units, len(part.gather), BLOCK + part.sizes[0]
    pending, bottom = np.empty((room, carried.shape[1]), np.float32), room
    for k in range(len(part.sizes) - 1, -1, -1):
        running = part.sizes[k]
        row -= running
        bottom -= running
        for i in range(running):
            flat, dh, grad = part.gather[row + i], carried[i], pending[bottom + i, :size]
            add_in_place(dh, grad_outputs[flat])
            if relu:
                _through_relu(grad, dh, way.outputs[flat])
            else:
                _through_tanh(grad, dh, way.outputs[flat])
            clear(dh)
        add_product(part.engine, carried[:running], pending[bottom : bottom + running], size, panels)
        if room - bottom >= BLOCK or k == 0:
            through_recurrence(part, way, row, pending[bottom:])
            through_inputs(part, way, row, pending[bottom:])
            bottom = room


@row_loop
def _through_relu(grad, dh, output):
    for u in range(len(grad)):
        grad[u] = dh[u] if output[u] > 0.0 else 0.0


@row_loop
def _through_tanh(grad, dh, output):
    for u in range(len(grad)):
        grad[u] = dh[u] * (ONE - output[u] * output[u])
