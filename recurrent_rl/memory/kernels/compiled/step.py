"""One step of a cell for a few rows, by weights as they are or packed; equations in `kernels.fused`.

Rows are columns of the batch. `Weights` of the two products are either panels or matrices [G H, K] in their own layout,
which is quicker for one row or a few, since nothing is packed.
"""

import numpy as np

from recurrent_rl.compiled.decorators import compiled
from recurrent_rl.compiled.multiply import add_dots, add_product, whole_panels
from recurrent_rl.compiled.rows import add_in_place, copy, relu_in_place, sigmoid_in_place, tanh_in_place
from recurrent_rl.compiled.task import floats
from recurrent_rl.memory.kernels.compiled.gru import candidate, mix
from recurrent_rl.memory.kernels.compiled.lstm import next_cell, next_output

LSTM, GRU, TANH, RELU = range(4)


@compiled
def add_weighted(engine, out, left, weight, inputs, outputs, packed):
    """Add left[:, :inputs] W^T to out [m, >= outputs], W [outputs, inputs] at the address `weight`, packed or not."""
    if packed:
        add_product(engine, out, left, inputs, floats(weight, 1, 1))
    else:
        add_dots(out, left, floats(weight, outputs, inputs))


@compiled
def gates_of(engine, x, inputs, weight, bias, outputs, packed):
    """Return x W^T + b [m, >= outputs]."""
    gates = np.zeros((len(x), whole_panels(outputs)), np.float32)
    if bias != 0:
        for i in range(len(x)):
            copy(gates[i, :outputs], floats(bias, 1, outputs)[0])
    add_weighted(engine, gates, x, weight, inputs, outputs, packed)
    return gates


@compiled
def gru_step(engine, gates, h, weight_hh, bias_hh, packed):
    """Replace h [m, H] by the next state; gates [m, >= 3H] hold x W + b of the inputs."""
    size = h.shape[1]
    hidden_n, bias = np.empty_like(h), np.zeros(3 * size, np.float32)
    if bias_hh != 0:
        copy(bias, floats(bias_hh, 1, 3 * size)[0])
    for i in range(len(h)):
        copy(hidden_n[i], gates[i, 2 * size : 3 * size])  # x_n, out of the way of the product
        copy(gates[i, 2 * size : 3 * size], bias[2 * size :])
        add_in_place(gates[i], bias[: 2 * size])
    add_weighted(engine, gates, h, weight_hh, size, 3 * size, packed)
    after = np.empty(size, np.float32)
    for i in range(len(h)):
        sigmoid_in_place(gates[i, : 2 * size])
        candidate(hidden_n[i], gates[i])
        mix(after, h[i], gates[i])


@compiled
def lstm_step(engine, gates, h, c, weight_hh, bias_hh, packed):
    """Replace h and c [m, H] by the next state; gates [m, >= 4H] hold x W + b of the inputs."""
    size = h.shape[1]
    if bias_hh != 0:
        for i in range(len(h)):
            add_in_place(gates[i], floats(bias_hh, 1, 4 * size)[0])
    add_weighted(engine, gates, h, weight_hh, size, 4 * size, packed)
    after = np.empty(size, np.float32)
    for i in range(len(h)):
        gate = gates[i]
        sigmoid_in_place(gate[: 2 * size])
        tanh_in_place(gate[2 * size : 3 * size])
        sigmoid_in_place(gate[3 * size : 4 * size])
        next_cell(after, c[i], gate)
        copy(c[i], after)
        next_output(h[i], after, gate[3 * size : 4 * size])


@compiled
def rnn_step(engine, gates, h, weight_hh, bias_hh, relu, packed):
    """Replace h [m, H] by the next state; gates [m, >= H] hold x W + b of the inputs."""
    size = h.shape[1]
    if bias_hh != 0:
        for i in range(len(h)):
            add_in_place(gates[i], floats(bias_hh, 1, size)[0])
    add_weighted(engine, gates, h, weight_hh, size, size, packed)
    for i in range(len(h)):
        copy(h[i], gates[i])
        if relu:
            relu_in_place(h[i])
        else:
            tanh_in_place(h[i])
