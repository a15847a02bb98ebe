"""The LSTM's layer over one segment; equations in `kernels.fused`, shapes in `compiled.layer`."""

import numpy as np

from recurrent_rl.compiled.decorators import compiled, row_loop
from recurrent_rl.compiled.multiply import add_product, pack, pack_transposed, whole_panels
from recurrent_rl.compiled.rows import ONE, add_in_place, clear, copy, sigmoid_in_place, tanh, tanh_in_place
from recurrent_rl.compiled.task import floats, task
from recurrent_rl.memory.kernels.compiled import layer


@task
def lstm_forward(a):
    """Fill gates (i, f, g, o) [R, 4H], cells [R, H], the segment's rows of outputs [T B, H] and the leaving cells."""
    part = layer.read_part(a, 4)
    rows, size = len(part.gather), part.units
    x, outputs = floats(a[layer.X], part.n_rows, part.inputs), floats(a[layer.OUTPUTS], part.n_rows, size)
    weight_ih, weight_hh = floats(a[layer.WEIGHT_IH], 4 * size, part.inputs), floats(a[layer.WEIGHT_HH], 4 * size, size)
    gates, cells = floats(a[layer.GATES], rows, whole_panels(4 * size)), floats(a[layer.KEPT], rows, size)
    bias = floats(a[layer.BIAS_IH], 1, 4 * size)[0] + floats(a[layer.BIAS_HH], 1, 4 * size)[0]
    layer.project(part, x, bias, gates, pack_transposed(weight_ih, part.engine.pairs))
    state = layer.enter(part, a[layer.HIDDEN], a[layer.HIDDEN_STRIDE], a[layer.HIDDEN_INITIAL])
    cell_entering = layer.enter(part, a[layer.CELL], a[layer.CELL_STRIDE], a[layer.CELL_INITIAL])
    _loop(part, pack_transposed(weight_hh, part.engine.pairs), state, cell_entering, gates, cells, outputs)
    _leave(part, cells, floats(a[layer.CELL_LEAVING], part.n_columns, size))


@compiled
def _loop(part, panels, state, cell_entering, gates, cells, outputs):
    size, row, cell_before = part.units, 0, cell_entering
    for running in part.sizes:
        rows = gates[row : row + running]
        add_product(part.engine, rows, state[:running], size, panels)
        for n in range(running):
            gate, cell = rows[n], cells[row + n]
            sigmoid_in_place(gate[: 2 * size])
            tanh_in_place(gate[2 * size : 3 * size])
            sigmoid_in_place(gate[3 * size : 4 * size])
            next_cell(cell, cell_before[n], gate)
            next_output(state[n], cell, gate[3 * size : 4 * size])
            copy(outputs[part.gather[row + n]], state[n])
        cell_before = cells[row : row + running]
        row += running


@row_loop
def next_cell(after, before, gate):
    """Fill `after` with f c + i g."""
    size = len(after)
    i, f, g = gate[:size], gate[size : 2 * size], gate[2 * size : 3 * size]
    for u in range(size):
        after[u] = f[u] * before[u] + i[u] * g[u]


@row_loop
def next_output(state, cell, o):
    """Fill the state with o tanh c."""
    for u in range(len(state)):
        state[u] = o[u] * tanh(cell[u])


@compiled
def _leave(part, cells, leaving):
    """Copy the cells after row T - 1 to leaving [B, H]."""
    last = part.n_rows - part.n_columns
    for row in range(len(cells)):
        if part.gather[row] >= last:
            copy(leaving[part.gather[row] - last], cells[row])


@task
def lstm_backward(a):
    """Fill the gradients of x and of the entering state; add to the segment's own sums for weights and biases."""
    part, size = layer.read_part(a, 4), a[layer.UNITS]
    entering = layer.enter(part, a[layer.HIDDEN], a[layer.HIDDEN_STRIDE], a[layer.HIDDEN_INITIAL])
    cell_entering = layer.enter(part, a[layer.CELL], a[layer.CELL_STRIDE], a[layer.CELL_INITIAL])
    way, carried = layer.way_back(part, a, 4, entering), np.zeros((len(entering), whole_panels(size)), np.float32)
    gates, cells = (
        floats(a[layer.GATES], a[layer.ROWS], whole_panels(4 * size)),
        floats(a[layer.KEPT], a[layer.ROWS], size),
    )
    carried_cell, grad_outputs = np.zeros_like(cell_entering), floats(a[layer.GRAD_OUTPUTS], part.n_rows, size)
    grad_leaving = floats(a[layer.GRAD_CELL_LEAVING], part.n_columns, size)
    panels = pack(floats(a[layer.WEIGHT_HH], 4 * size, size), part.engine.pairs)
    _loop_back(part, way, panels, cell_entering, gates, cells, grad_outputs, grad_leaving, carried, carried_cell)
    grad_state, grad_initial = (
        floats(a[layer.GRAD_HIDDEN], part.n_columns, size),
        floats(a[layer.GRAD_HIDDEN_INITIAL], 1, size)[0],
    )
    layer.leave_gradient(part, carried, grad_state, grad_initial)
    grad_state, grad_initial = (
        floats(a[layer.GRAD_CELL], part.n_columns, size),
        floats(a[layer.GRAD_CELL_INITIAL], 1, size)[0],
    )
    layer.leave_gradient(part, carried_cell, grad_state, grad_initial)


@compiled
def _loop_back(part, way, panels, cell_entering, gates, cells, grad_outputs, grad_leaving, carried, carried_cell):
    """Go back in time; whenever a block of rows is there, hand its gradient on while it is in the cache."""
    size, row, last, room = part.units, len(gates), part.n_rows - part.n_columns, layer.BLOCK + part.sizes[0]
    pending, bottom = np.empty((room, gates.shape[1]), np.float32), room
    for k in range(len(part.sizes) - 1, -1, -1):
        running = part.sizes[k]
        row -= running
        bottom -= running
        cell_before = cells[row - part.sizes[k - 1] : row] if k > 0 else cell_entering
        for i in range(running):
            n, dh, dc, flat = row + i, carried[i], carried_cell[i], part.gather[row + i]
            gate, grad, o = gates[n], pending[bottom + i], gates[n, 3 * size : 4 * size]
            add_in_place(dh, grad_outputs[flat])
            if flat >= last:
                add_in_place(dc, grad_leaving[flat - last])
            _through_output(grad[3 * size : 4 * size], dc, dh, cells[n], o)
            _through_cell(grad, dc, gate, cell_before[i])
            clear(dh)
        add_product(part.engine, carried[:running], pending[bottom : bottom + running], 4 * size, panels)
        if room - bottom >= layer.BLOCK or k == 0:
            layer.through_recurrence(part, way, row, pending[bottom:])
            layer.through_inputs(part, way, row, pending[bottom:])
            bottom = room


@row_loop
def _through_output(grad_o, dc, dh, cell, o):
    for u in range(len(dc)):
        squashed = tanh(cell[u])
        grad_o[u] = dh[u] * squashed * o[u] * (ONE - o[u])
        dc[u] += dh[u] * o[u] * (ONE - squashed * squashed)


@row_loop
def _through_cell(grad, dc, gate, before):
    size = len(dc)
    i, f, g = gate[:size], gate[size : 2 * size], gate[2 * size : 3 * size]
    grad_i, grad_f, grad_g = grad[:size], grad[size : 2 * size], grad[2 * size : 3 * size]
    for u in range(size):
        grad_i[u] = dc[u] * g[u] * i[u] * (ONE - i[u])
        grad_f[u] = dc[u] * before[u] * f[u] * (ONE - f[u])
        grad_g[u] = dc[u] * i[u] * (ONE - g[u] * g[u])
    for u in range(size):
        dc[u] *= f[u]
