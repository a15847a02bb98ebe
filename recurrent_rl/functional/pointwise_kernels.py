"""Compiled passes over time for `functional.pointwise`, which says what they compute; the torch code there is the oracle.

Tables hold T, B, D, the first column and the one after the last, then addresses: rows [T, B, 1 to 3 D], weight [D], entry
[B, D], initial [D], starts [T, B], states [T, B, D]; on the way back also the gradient of the states, then the gradients to
fill, of rows, and for each column of weight, entry and initial [B, D], which are zero at first. That of entry is what row
t passes back to row t - 1 meanwhile.
"""

from typing import Any, NamedTuple

import numpy as np

from recurrent_rl.compiled.decorators import compiled, only_for_tasks, row_loop
from recurrent_rl.compiled.exponential import exp
from recurrent_rl.compiled.rows import ONE, add_in_place, clear
from recurrent_rl.compiled.task import flags, floats, task

_ZERO, _CLOSED = np.float32(0.0), np.float32(1e-30)


class Part(NamedTuple):
    """What every task reads."""

    steps: int
    columns: int
    first: int
    last: int
    rows: Any
    weight: Any
    entry: Any
    initial: Any
    starts: Any
    states: Any


class Back(NamedTuple):
    """What the way back reads and fills besides."""

    states: Any
    rows: Any
    weight: Any
    entry: Any
    initial: Any


@compiled
def _read(a, width):
    steps, columns, size = a[0], a[1], a[2]
    count = steps * columns
    rows, weight = floats(a[5], count, width * size), floats(a[6], 1, size)[0]
    entry, initial = floats(a[7], columns, size), floats(a[8], 1, size)[0]
    return Part(
        steps, columns, a[3], a[4], rows, weight, entry, initial, flags(a[9], count), floats(a[10], count, size)
    )


@compiled
def _read_back(a, width):
    columns, size, count = a[1], a[2], a[0] * a[1]
    return Back(
        floats(a[11], count, size),
        floats(a[12], count, width * size),
        floats(a[13], columns, size),
        floats(a[14], columns, size),
        floats(a[15], columns, size),
    )


@task
def gated_forward(a):
    """Fill the states of `gated_scan`."""
    part = _read(a, 2)
    for t in range(part.steps):
        for b in range(part.first, part.last):
            i = t * part.columns + b
            _gated(part.states[i], _before(part, t, b), part.rows[i], part.weight)


@task
def gated_backward(a):
    """Fill the gradients of `gated_scan`."""
    part, back = _read(a, 2), _read_back(a, 2)
    for t in range(part.steps - 1, -1, -1):
        for b in range(part.first, part.last):
            i = t * part.columns + b
            add_in_place(back.entry[b], back.states[i])
            _through_gate(back.rows[i], back.entry[b], _before(part, t, b), part.rows[i], part.weight)
            _leave(part, back, i, b)


@task
def paired_forward(a):
    """Fill the states of `paired_scan`."""
    part = _read(a, 3)
    for t in range(part.steps):
        for b in range(part.first, part.last):
            i = t * part.columns + b
            _paired(part.states[i], _before(part, t, b), part.rows[i], part.weight)


@task
def paired_backward(a):
    """Fill the gradients of `paired_scan`."""
    part, back = _read(a, 3), _read_back(a, 3)
    for t in range(part.steps - 1, -1, -1):
        for b in range(part.first, part.last):
            i = t * part.columns + b
            add_in_place(back.entry[b], back.states[i])
            _through_pair(back.rows[i], back.entry[b], _before(part, t, b), part.rows[i], part.weight)
            _leave(part, back, i, b)


@task
def relu_forward(a):
    """Fill the states of `relu_scan`."""
    part = _read(a, 1)
    for t in range(part.steps):
        for b in range(part.first, part.last):
            i = t * part.columns + b
            _relu(part.states[i], _before(part, t, b), part.rows[i], part.weight)


@task
def relu_backward(a):
    """Fill the gradients of `relu_scan`."""
    part, back = _read(a, 1), _read_back(a, 1)
    for t in range(part.steps - 1, -1, -1):
        for b in range(part.first, part.last):
            i = t * part.columns + b
            add_in_place(back.entry[b], back.states[i])
            _through_relu(back.rows[i], back.entry[b], part.states[i], part.weight)
            _add_product(back.weight[b], back.rows[i], _before(part, t, b))
            _leave(part, back, i, b)


@compiled
def _before(part, t, b):
    """Return the state before row t of column b."""
    i = t * part.columns + b
    if part.starts[i]:
        return part.initial
    if t == 0:
        return part.entry[b]
    return part.states[i - part.columns]


@compiled
def _leave(part, back, i, b):
    """Give what passes back over a start to the initial state."""
    if part.starts[i]:
        add_in_place(back.initial[b], back.entry[b])
        clear(back.entry[b])


@only_for_tasks(inline="always")
def _open(above, below):
    """Return above / below, or exactly 0 for a closed gate; NaN stays NaN."""
    z = above / below
    return _ZERO if z < _CLOSED else z


@row_loop
def _gated(state, before, row, span):
    size = len(state)
    logits, candidates = row[:size], row[size:]
    for u in range(size):
        z = _open(ONE, ONE + exp(-logits[u]))
        state[u] = (ONE - span[u] * z) * before[u] + z * candidates[u]


@row_loop
def _through_gate(grad_row, carried, before, row, span):
    """Fill the gradient of the row, and turn that of the state after it into that of the state before."""
    size = len(carried)
    logits, candidates, grad_logits, grad_candidates = row[:size], row[size:], grad_row[:size], grad_row[size:]
    for u in range(size):
        z, dh = _open(ONE, ONE + exp(-logits[u])), carried[u]
        grad_logits[u] = dh * (candidates[u] - span[u] * before[u]) * z * (ONE - z)
        grad_candidates[u] = dh * z
        carried[u] = dh * (ONE - span[u] * z)


@only_for_tasks(inline="always")
def _scaled(i, f):
    """Return 1, exp(-i) and exp(-f), divided by the largest: both gates may be closed further than exp reaches."""
    shift = _ZERO
    if -i > shift:
        shift = -i
    if -f > shift:
        shift = -f
    return exp(-shift), exp(-i - shift), exp(-f - shift)


@row_loop
def _paired(state, before, row, span):
    size = len(state)
    i, f, candidates = row[:size], row[size : 2 * size], row[2 * size :]
    for u in range(size):
        one, of_i, of_f = _scaled(i[u], f[u])
        z = _open(one + of_f, (one + of_i) + (one + of_f))
        state[u] = (ONE - span[u] * z) * before[u] + z * candidates[u]


@row_loop
def _through_pair(grad_row, carried, before, row, span):
    """Fill the gradient of the row, and turn that of the state after it into that of the state before."""
    size = len(carried)
    i, f, candidates = row[:size], row[size : 2 * size], row[2 * size :]
    grad_i, grad_f, grad_candidates = grad_row[:size], grad_row[size : 2 * size], grad_row[2 * size :]
    for u in range(size):
        one, of_i, of_f = _scaled(i[u], f[u])
        z, dh = _open(one + of_f, (one + of_i) + (one + of_f)), carried[u]
        grad_z = dh * (candidates[u] - span[u] * before[u]) * z * (ONE - z)
        grad_i[u] = grad_z * of_i / (one + of_i)
        grad_f[u] = -grad_z * of_f / (one + of_f)
        grad_candidates[u] = dh * z
        carried[u] = dh * (ONE - span[u] * z)


@row_loop
def _relu(state, before, row, weight):
    for u in range(len(state)):
        x = weight[u] * before[u] + row[u]
        state[u] = _ZERO if x < _ZERO else x


@row_loop
def _through_relu(grad_row, carried, state, weight):
    """Fill the gradient of the row, and turn that of the state after it into that of the state before."""
    for u in range(len(carried)):
        dx = _ZERO if state[u] <= _ZERO else carried[u]
        grad_row[u] = dx
        carried[u] = dx * weight[u]


@row_loop
def _add_product(total, one, other):
    for u in range(len(total)):
        total[u] += one[u] * other[u]
