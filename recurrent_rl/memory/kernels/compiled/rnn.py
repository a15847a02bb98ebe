"""The vanilla RNN's layer over one segment; equations in `kernels.fused`, shapes in `compiled.layer`.

KEPT holds 1 for relu and 0 for tanh. The outputs are all that the way back needs.
"""

import numpy as np

from recurrent_rl.compiled.decorators import compiled, row_loop
from recurrent_rl.compiled.multiply import add_product, pack, pack_transposed, whole_panels
from recurrent_rl.compiled.rows import ONE, add_in_place, clear, copy, relu_in_place, tanh_in_place
from recurrent_rl.compiled.task import floats, task
from recurrent_rl.memory.kernels.compiled import layer


@task
def rnn_forward(a):
    """Fill the segment's rows of outputs [T B, H], f(x + W h) with f relu or tanh; gates [R, >= H] are scratch."""
    part = layer.read_part(a, 1)
    rows, size = len(part.gather), part.units
    x, outputs = floats(a[layer.X], part.n_rows, part.inputs), floats(a[layer.OUTPUTS], part.n_rows, size)
    weight_ih, weight_hh = floats(a[layer.WEIGHT_IH], size, part.inputs), floats(a[layer.WEIGHT_HH], size, size)
    bias = floats(a[layer.BIAS_IH], 1, size)[0] + floats(a[layer.BIAS_HH], 1, size)[0]
    gates = floats(a[layer.GATES], rows, whole_panels(size))
    layer.project(part, x, bias, gates, pack_transposed(weight_ih, part.engine.pairs))
    state = layer.enter(part, a[layer.HIDDEN], a[layer.HIDDEN_STRIDE], a[layer.HIDDEN_INITIAL])
    _loop(part, pack_transposed(weight_hh, part.engine.pairs), a[layer.KEPT] != 0, state, gates, outputs)


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
    part, size = layer.read_part(a, 1), a[layer.UNITS]
    entering = layer.enter(part, a[layer.HIDDEN], a[layer.HIDDEN_STRIDE], a[layer.HIDDEN_INITIAL])
    way, carried = layer.way_back(part, a, 1, entering), np.zeros((len(entering), whole_panels(size)), np.float32)
    panels = pack(floats(a[layer.WEIGHT_HH], size, size), part.engine.pairs)
    _loop_back(part, way, panels, a[layer.KEPT] != 0, floats(a[layer.GRAD_OUTPUTS], part.n_rows, size), carried)
    grad_state, grad_initial = (
        floats(a[layer.GRAD_HIDDEN], part.n_columns, size),
        floats(a[layer.GRAD_HIDDEN_INITIAL], 1, size)[0],
    )
    layer.leave_gradient(part, carried, grad_state, grad_initial)


@compiled
def _loop_back(part, way, panels, relu, grad_outputs, carried):
    """Go back in time; whenever a block of rows is there, hand its gradient on while it is in the cache."""
    size, row, room = part.units, len(part.gather), layer.BLOCK + part.sizes[0]
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
        if room - bottom >= layer.BLOCK or k == 0:
            layer.through_recurrence(part, way, row, pending[bottom:])
            layer.through_inputs(part, way, row, pending[bottom:])
            bottom = room


@row_loop
def _through_relu(grad, dh, output):
    for u in range(len(grad)):
        grad[u] = dh[u] if output[u] > 0.0 else 0.0


@row_loop
def _through_tanh(grad, dh, output):
    for u in range(len(grad)):
        grad[u] = dh[u] * (ONE - output[u] * output[u])
