"""Run a program of fully connected layers and cell steps over some rows of a batch, on one thread, without torch.

A program is a table of instructions [n, FIELDS]. Instructions read and write slots, arrays [B, width] that the builder has
laid out; every thread runs the whole program for its own rows.
"""

import numpy as np

from recurrent_rl.compiled.decorators import compiled
from recurrent_rl.compiled.dense import RELU, TANH
from recurrent_rl.compiled.multiply import make_engine
from recurrent_rl.compiled.rows import clear, copy, relu_in_place, tanh_in_place
from recurrent_rl.compiled.task import flags, floats, integers, task
from recurrent_rl.memory.kernels.compiled import step
from recurrent_rl.memory.kernels.compiled.step import add_weighted, gates_of, gru_step, lstm_step, rnn_step

DENSE, CELL = range(2)

# An instruction; addresses but for the numbers.
(
    OPERATION,  # DENSE or CELL
    KIND,  # the activation, or the cell
    PACKED,  # whether the weights are panels
    SOURCE,  # slot [B, SOURCE_WIDTH]
    SOURCE_WIDTH,
    TARGET,  # slot [B, TARGET_WIDTH]
    TARGET_WIDTH,
    INPUTS,  # I
    OUTPUTS,  # O, or H
    WEIGHT,  # [O, I], or [G H, I]
    BIAS,  # or 0
    WEIGHT_HH,  # [G H, H]
    BIAS_HH,  # or 0
    HIDDEN,  # [B, H], enters
    HIDDEN_STRIDE,
    HIDDEN_INITIAL,  # [H]
    HIDDEN_LEAVING,  # [B, H]
    LEAVING_STRIDE,
    CELL_STATE,  # the LSTM's c, likewise
    CELL_STRIDE,
    CELL_INITIAL,
    CELL_LEAVING,
    FIELDS,
) = range(23)

# The table of a task.
PRODUCT, PAIRS, FIRST, ROWS, LENGTH, PROGRAM, STARTS, ROOM, JOB = range(9)


@task
def run_program(a):
    """Run PROGRAM, LENGTH instructions, for ROWS rows from FIRST on; STARTS [B] says where states are reset."""
    engine = make_engine(a[PRODUCT], a[PAIRS] != 0, a[ROWS] * a[ROOM])
    program = integers(a[PROGRAM], a[LENGTH] * FIELDS)
    starts = flags(a[STARTS] + a[FIRST], a[ROWS])
    for i in range(a[LENGTH]):
        line = program[i * FIELDS : (i + 1) * FIELDS]
        if line[OPERATION] == DENSE:
            _dense(engine, line, a[FIRST], a[ROWS])
        else:
            _cell(engine, line, a[FIRST], starts)


@compiled
def _rows(address, first, rows, stride):
    return floats(address + 4 * first * stride, rows, stride)


@compiled
def _dense(engine, line, first, rows):
    source = _rows(line[SOURCE], first, rows, line[SOURCE_WIDTH])
    target = _rows(line[TARGET], first, rows, line[TARGET_WIDTH])
    outputs = line[OUTPUTS]
    for i in range(rows):
        clear(target[i])
    if line[BIAS] != 0:
        for i in range(rows):
            copy(target[i, :outputs], floats(line[BIAS], 1, outputs)[0])
    add_weighted(engine, target, source, line[WEIGHT], line[INPUTS], outputs, line[PACKED] != 0)
    for i in range(rows):
        if line[KIND] == TANH:
            tanh_in_place(target[i, :outputs])
        elif line[KIND] == RELU:
            relu_in_place(target[i, :outputs])


@compiled
def _cell(engine, line, first, starts):
    rows, size, packed, kind = len(starts), line[OUTPUTS], line[PACKED] != 0, line[KIND]
    source = _rows(line[SOURCE], first, rows, line[SOURCE_WIDTH])
    n_gates = 4 if kind == step.LSTM else 3 if kind == step.GRU else 1
    gates = gates_of(engine, source, line[INPUTS], line[WEIGHT], line[BIAS], n_gates * size, packed)
    h = _entering(line[HIDDEN], line[HIDDEN_STRIDE], line[HIDDEN_INITIAL], first, starts, size)
    if kind == step.LSTM:
        c = _entering(line[CELL_STATE], line[CELL_STRIDE], line[CELL_INITIAL], first, starts, size)
        lstm_step(engine, gates, h, c, line[WEIGHT_HH], line[BIAS_HH], packed)
        _leave(line[CELL_LEAVING], line[LEAVING_STRIDE], first, c)
    elif kind == step.GRU:
        gru_step(engine, gates, h, line[WEIGHT_HH], line[BIAS_HH], packed)
    else:
        rnn_step(engine, gates, h, line[WEIGHT_HH], line[BIAS_HH], kind == step.RELU, packed)
    _leave(line[HIDDEN_LEAVING], line[LEAVING_STRIDE], first, h)
    target = _rows(line[TARGET], first, rows, line[TARGET_WIDTH])
    for i in range(rows):
        copy(target[i, :size], h[i])


@compiled
def _entering(state, stride, initial, first, starts, size):
    """Return the state [m, H] with the initial one where an episode starts."""
    result = np.empty((len(starts), size), np.float32)
    for i in range(len(starts)):
        address = initial if starts[i] else state + 4 * (first + i) * stride
        copy(result[i], floats(address, 1, size)[0])
    return result


@compiled
def _leave(address, stride, first, state):
    for i in range(len(state)):
        copy(floats(address + 4 * (first + i) * stride, 1, state.shape[1])[0], state[i])


@task
def sample_categorical(a):
    """Draw actions by the inverse of the distribution function.

    `a` holds B, the number of actions A, and the addresses of logits [B, stride], their stride, uniforms [B], actions
    int64 [B] and log-probabilities [B].
    """
    rows, count = a[0], a[1]
    logits, uniforms, actions = floats(a[2], rows, a[3]), floats(a[4], 1, rows)[0], integers(a[5], rows)
    log_probs = floats(a[6], 1, rows)[0]
    for i in range(rows):
        row = logits[i, :count]
        highest = row.max()
        total = 0.0
        for j in range(count):
            total += np.exp(float(row[j] - highest))
        below, action = 0.0, count - 1
        for j in range(count):
            below += np.exp(float(row[j] - highest))
            if float(uniforms[i]) * total < below:
                action = j
                break
        actions[i] = action
        log_probs[i] = row[action] - highest - np.log(total)
