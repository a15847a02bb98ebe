"""The LSTM's loops over time; equations and shapes in `kernels.fused`."""

from recurrent_rl.compiled.entry import entry_point, row_loop
from recurrent_rl.memory.kernels.compiled.product import add_product
from recurrent_rl.memory.kernels.compiled.rows import ONE, add_in_place, sigmoid_in_place, tanh, tanh_in_place


@entry_point
def lstm_forward(sizes, panels, h, c, gates, outputs, cells):
    """Turn `gates` [R, >= 4H] from input projections into i, f, g, o; fill outputs and cells [R, H]."""
    size, row = outputs.shape[1], 0
    for running in sizes:
        rows = gates[row : row + running]
        add_product(rows, h, running, size, panels)
        for n in range(running):
            gate = rows[n]
            sigmoid_in_place(gate[: 2 * size])
            tanh_in_place(gate[2 * size : 3 * size])
            sigmoid_in_place(gate[3 * size : 4 * size])
            _next_cell(cells[row + n], c[n], gate)
            _next_output(outputs[row + n], cells[row + n], gate[3 * size : 4 * size])
        h, c = outputs[row : row + running], cells[row : row + running]
        row += running


@row_loop
def _next_cell(after, before, gate):
    size = len(after)
    i, f, g = gate[:size], gate[size : 2 * size], gate[2 * size : 3 * size]
    for u in range(size):
        after[u] = f[u] * before[u] + i[u] * g[u]


@row_loop
def _next_output(after, cell, o):
    for u in range(len(after)):
        after[u] = o[u] * tanh(cell[u])


@entry_point
def lstm_backward(sizes, panels, c_entry, gates, cells, grad_outputs, grad_cells, dh, dc, grad_gates):
    """Fill grad_gates [R, 4H]; dh [S, >= H] and dc [S, H], zero at first, end as the entry state's gradients.

    grad_cells is [R, H], or [0, H] where nothing reads the cells.
    """
    size, row = cells.shape[1], len(cells)
    for k in range(len(sizes) - 1, -1, -1):
        running = sizes[k]
        row -= running
        before = cells[row - sizes[k - 1] : row] if k > 0 else c_entry
        for n in range(running):
            gate, grad, o = gates[row + n], grad_gates[row + n], gates[row + n, 3 * size : 4 * size]
            add_in_place(dh[n], grad_outputs[row + n])
            if len(grad_cells) > 0:
                add_in_place(dc[n], grad_cells[row + n])
            _through_output(grad[3 * size : 4 * size], dc[n], dh[n], cells[row + n], o)
            _through_cell(grad, dc[n], gate, before[n])
        dh[:running] = 0.0
        add_product(dh, grad_gates[row : row + running], running, 4 * size, panels)


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
