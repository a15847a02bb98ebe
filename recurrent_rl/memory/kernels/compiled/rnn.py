"""The vanilla RNN's loops over time; equations and shapes in `kernels.fused`."""

from recurrent_rl.compiled.entry import entry_point, row_loop
from recurrent_rl.memory.kernels.compiled.product import add_product
from recurrent_rl.memory.kernels.compiled.rows import ONE, add_in_place, tanh_in_place


@entry_point
def rnn_forward(sizes, panels, relu, h, gates, outputs):
    """Turn `gates` [R, >= H] from input projections into f(x + W h), f relu or tanh, and copy it to outputs [R, H]."""
    size, row = outputs.shape[1], 0
    for running in sizes:
        rows = gates[row : row + running]
        add_product(rows, h, running, size, panels)
        for i in range(running):
            if relu:
                _relu_in_place(rows[i])
            else:
                tanh_in_place(rows[i])
            outputs[row + i] = rows[i, :size]
        h = outputs[row : row + running]
        row += running


@row_loop
def _relu_in_place(x):
    for u in range(len(x)):
        if x[u] < 0.0:
            x[u] = 0.0


@entry_point
def rnn_backward(sizes, panels, relu, outputs, grad_outputs, dh, grad):
    """Fill grad [R, H], of the sum inside f; dh [S, >= H], zero at first, ends as the entry state's gradient."""
    size, row = outputs.shape[1], len(outputs)
    for k in range(len(sizes) - 1, -1, -1):
        running = sizes[k]
        row -= running
        for i in range(running):
            add_in_place(dh[i], grad_outputs[row + i])
            if relu:
                _through_relu(grad[row + i], dh[i], outputs[row + i])
            else:
                _through_tanh(grad[row + i], dh[i], outputs[row + i])
        dh[:running] = 0.0
        add_product(dh, grad[row : row + running], running, size, panels)


@row_loop
def _through_relu(grad, dh, output):
    for u in range(len(grad)):
        grad[u] = dh[u] if output[u] > 0.0 else 0.0


@row_loop
def _through_tanh(grad, dh, output):
    for u in range(len(grad)):
        grad[u] = dh[u] * (ONE - output[u] * output[u])
