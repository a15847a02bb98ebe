"""The GRU's layer over one segment; equations in `kernels.fused`, shapes in `compiled.layer`."""

import numpy as np

from recurrent_rl.compiled.decorators import compiled, row_loop
from recurrent_rl.compiled.multiply import add_product, pack, pack_transposed, whole_panels
from recurrent_rl.compiled.rows import ONE, add_in_place, copy, sigmoid_in_place, tanh
from recurrent_rl.compiled.task import floats, task
from recurrent_rl.memory.kernels.compiled import layer


@task
def gru_forward(a):
    """Fill gates (r, z, n) [R, >= 3H], hidden_n (the product u_n) [R, H] and the segment's rows of outputs [T B, H]."""
    part = layer.read_part(a, 3)
    rows, size = len(part.gather), part.units
    x, outputs = floats(a[layer.X], part.n_rows, part.inputs), floats(a[layer.OUTPUTS], part.n_rows, size)
    weight_ih, weight_hh = floats(a[layer.WEIGHT_IH], 3 * size, part.inputs), floats(a[layer.WEIGHT_HH], 3 * size, size)
    bias, bias_hh = floats(a[layer.BIAS_IH], 1, 3 * size)[0].copy(), floats(a[layer.BIAS_HH], 1, 3 * size)[0]
    gates, hidden_n = floats(a[layer.GATES], rows, whole_panels(3 * size)), floats(a[layer.KEPT], rows, size)
    add_in_place(bias[: 2 * size], bias_hh[: 2 * size])
    layer.project(part, x, bias, gates, pack_transposed(weight_ih, part.engine.pairs))
    state = layer.enter(part, a[layer.HIDDEN], a[layer.HIDDEN_STRIDE], a[layer.HIDDEN_INITIAL])
    _loop(part, pack_transposed(weight_hh, part.engine.pairs), bias_hh[2 * size :], state, gates, hidden_n, outputs)


@compiled
def _loop(part, panels, bias_n, state, gates, hidden_n, outputs):
    size, row = part.units, 0
    for running in part.sizes:
        rows = gates[row : row + running]
        for i in range(running):
            copy(hidden_n[row + i], rows[i, 2 * size : 3 * size])  # x_n, out of the way of the product
            copy(rows[i, 2 * size : 3 * size], bias_n)
        add_product(part.engine, rows, state[:running], size, panels)
        for i in range(running):
            sigmoid_in_place(rows[i, : 2 * size])
            candidate(hidden_n[row + i], rows[i])
            mix(outputs[part.gather[row + i]], state[i], rows[i])
        row += running


@row_loop
def candidate(hidden_n, gate):
    """Turn u_n in the gates into n, and hidden_n from x_n into u_n."""
    size = len(hidden_n)
    r, n = gate[:size], gate[2 * size : 3 * size]
    for u in range(size):
        product = n[u]
        n[u] = tanh(hidden_n[u] + r[u] * product)
        hidden_n[u] = product


@row_loop
def mix(after, state, gate):
    """Replace the state by n + z (h - n), and copy it to `after`."""
    size = len(after)
    z, n = gate[size : 2 * size], gate[2 * size : 3 * size]
    for u in range(size):
        state[u] = n[u] + z[u] * (state[u] - n[u])
        after[u] = state[u]


@task
def gru_backward(a):
    """Fill the gradients of x and of the entering state; add to the segment's own sums for weights and biases."""
    part, size = layer.read_part(a, 3), a[layer.UNITS]
    entering = layer.enter(part, a[layer.HIDDEN], a[layer.HIDDEN_STRIDE], a[layer.HIDDEN_INITIAL])
    way, carried = layer.way_back(part, a, 3, entering), np.zeros((len(entering), whole_panels(size)), np.float32)
    gates, hidden_n = (
        floats(a[layer.GATES], a[layer.ROWS], whole_panels(3 * size)),
        floats(a[layer.KEPT], a[layer.ROWS], size),
    )
    grad_bias_hh, grad_outputs = (
        floats(a[layer.GRAD_BIAS_HH], 1, 3 * size)[0],
        floats(a[layer.GRAD_OUTPUTS], part.n_rows, size),
    )
    panels = pack(floats(a[layer.WEIGHT_HH], 3 * size, size), part.engine.pairs)
    _loop_back(part, way, panels, gates, hidden_n, grad_outputs, carried, grad_bias_hh)
    grad_state, grad_initial = (
        floats(a[layer.GRAD_HIDDEN], part.n_columns, size),
        floats(a[layer.GRAD_HIDDEN_INITIAL], 1, size)[0],
    )
    layer.leave_gradient(part, carried, grad_state, grad_initial)


@compiled
def _loop_back(part, way, panels, gates, hidden_n, grad_outputs, carried, grad_bias_hh):
    """Go back in time; whenever a block of rows is there, hand its gradient on while it is in the cache."""
    size, row, room = part.units, len(gates), layer.BLOCK + part.sizes[0]
    pending, pending_n = np.empty((room, gates.shape[1]), np.float32), np.empty((room, size), np.float32)
    bottom = room
    for k in range(len(part.sizes) - 1, -1, -1):
        running = part.sizes[k]
        row -= running
        bottom -= running
        for i in range(running):
            n, dh, grad_u, grad_n = row + i, carried[i], pending[bottom + i], pending_n[bottom + i]
            add_in_place(dh, grad_outputs[part.gather[n]])
            _through_mix(grad_u, grad_n, dh, gates[n], layer.before(part, way.entering, way.outputs, n))
            _through_candidate(grad_u, grad_n, gates[n], hidden_n[n])
        add_product(part.engine, carried[:running], pending[bottom : bottom + running], 3 * size, panels)
        if room - bottom >= layer.BLOCK or k == 0:
            layer.through_recurrence(part, way, row, pending[bottom:])
            for i in range(bottom, room):
                add_in_place(grad_bias_hh, pending[i, : 3 * size])
                copy(pending[i, 2 * size : 3 * size], pending_n[i])  # from u to x: they differ in n alone
            layer.through_inputs(part, way, row, pending[bottom:])
            bottom = room


@row_loop
def _through_mix(grad_u, grad_n, dh, gate, before):
    size = len(before)
    grad_z, z, n = grad_u[size : 2 * size], gate[size : 2 * size], gate[2 * size : 3 * size]
    for u in range(size):
        grad_z[u] = dh[u] * (before[u] - n[u]) * z[u] * (ONE - z[u])
        grad_n[u] = dh[u] * (ONE - z[u]) * (ONE - n[u] * n[u])
        dh[u] *= z[u]


@row_loop
def _through_candidate(grad_u, grad_n, gate, hidden_n):
    size = len(hidden_n)
    grad_r, grad_u_n, r = grad_u[:size], grad_u[2 * size : 3 * size], gate[:size]
    for u in range(size):
        grad_u_n[u] = grad_n[u] * r[u]
        grad_r[u] = grad_n[u] * hidden_n[u] * r[u] * (ONE - r[u])
