"""The GRU's loops over time; equations and shapes in `kernels.fused`."""

from recurrent_rl.compiled.entry import entry_point, row_loop
from recurrent_rl.memory.kernels.compiled.product import add_product
from recurrent_rl.memory.kernels.compiled.rows import ONE, add_in_place, sigmoid_in_place, tanh


@entry_point
def gru_forward(sizes, panels, bias_n, h, gates, hidden_n, outputs):
    """Turn `gates` [R, >= 3H] from input projections into r, z, n; fill hidden_n, the product u_n, and outputs [R, H].

    The input projections hold both biases of r and z; bias_n [H] is the one inside r u_n.
    """
    size, row = outputs.shape[1], 0
    for running in sizes:
        rows = gates[row : row + running]
        for i in range(running):
            hidden_n[row + i] = rows[i, 2 * size : 3 * size]  # x_n, out of the way of the product
            rows[i, 2 * size : 3 * size] = bias_n
        add_product(rows, h, running, size, panels)
        for i in range(running):
            gate = rows[i]
            sigmoid_in_place(gate[: 2 * size])
            _candidate(hidden_n[row + i], gate)
            _mix(outputs[row + i], h[i], gate)
        h = outputs[row : row + running]
        row += running


@row_loop
def _candidate(hidden_n, gate):
    size = len(hidden_n)
    r, n = gate[:size], gate[2 * size : 3 * size]
    for u in range(size):
        product = n[u]
        n[u] = tanh(hidden_n[u] + r[u] * product)
        hidden_n[u] = product


@row_loop
def _mix(after, before, gate):
    size = len(after)
    z, n = gate[size : 2 * size], gate[2 * size : 3 * size]
    for u in range(size):
        after[u] = n[u] + z[u] * (before[u] - n[u])


@entry_point
def gru_backward(sizes, panels, h_entering, gates, hidden_n, grad_outputs, dh, grad_u, grad_n):
    """Fill grad_u [R, 3H] and grad_n [R, H], the gradients of u and x_n; dh [S, >= H], zero at first, ends as h's."""
    size, row = grad_n.shape[1], len(grad_n)
    for k in range(len(sizes) - 1, -1, -1):
        running = sizes[k]
        row -= running
        for i in range(running):
            add_in_place(dh[i], grad_outputs[row + i])
            _through_mix(grad_u[row + i], grad_n[row + i], dh[i], gates[row + i], h_entering[row + i])
            _through_candidate(grad_u[row + i], grad_n[row + i], gates[row + i], hidden_n[row + i])
        add_product(dh, grad_u[row : row + running], running, 3 * size, panels)


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
