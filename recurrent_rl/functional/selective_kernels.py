"""Compiled passes for `functional.selective_scan`, which says what they compute; the torch code there is the oracle.

Tables hold T, B, N, E, the first column and the one after the last, then addresses: steps and values [T, B, E], read and
write [T, B, N], rates [N, E], entry [B, N, E], starts [T, B], and the states before each block of BLOCK rows
[T / BLOCK, B, N, E]. Channels are the inner axis, so that the states of one n are a vector.
"""

from typing import Any, NamedTuple

import numpy as np

from recurrent_rl.compiled.decorators import compiled, only_for_tasks, row_loop
from recurrent_rl.compiled.exponential import exp
from recurrent_rl.compiled.rows import add_in_place, clear, copy
from recurrent_rl.compiled.task import flags, floats, task

BLOCK = 16  # rows: their states and decays, twice N E numbers for each, stay in the second cache
_ZERO = np.float32(0.0)


class Part(NamedTuple):
    """What both ways read."""

    rows: int
    columns: int
    count: int
    size: int
    steps: Any
    values: Any
    read: Any
    write: Any
    rates: Any
    entry: Any
    starts: Any
    kept: Any


class Back(NamedTuple):
    """What the way back reads and fills besides; `carried` is the gradient of the state, [B N, E]."""

    outputs: Any
    steps: Any
    values: Any
    read: Any
    write: Any
    rates: Any
    carried: Any


class Scratch(NamedTuple):
    """Room for a block of rows and for one row, on the way back."""

    states: Any  # [(BLOCK + 1) N, E], before the first row and after each
    decays: Any  # [BLOCK N, E]
    update: Any  # [E], steps * values
    grad_update: Any
    product: Any


@compiled
def _read(a):
    rows, columns, count, size = a[0], a[1], a[2], a[3]
    total, blocks = rows * columns, (rows + BLOCK - 1) // BLOCK
    steps, values = floats(a[6], total, size), floats(a[7], total, size)
    read, write = floats(a[8], total, count), floats(a[9], total, count)
    rates, entry = floats(a[10], count, size), floats(a[11], columns * count, size)
    kept = floats(a[13], blocks * columns * count, size)
    return Part(rows, columns, count, size, steps, values, read, write, rates, entry, flags(a[12], total), kept)


@task
def selective_forward(a):
    """Fill the kept states, then outputs [T, B, E] and the last states [B, N, E]."""
    part = _read(a)
    outputs, last = (
        floats(a[14], part.rows * part.columns, part.size),
        floats(a[15], part.columns * part.count, part.size),
    )
    state, update = np.empty((part.count, part.size), np.float32), np.empty(part.size, np.float32)
    for b in range(a[4], a[5]):
        _copy_rows(state, part.entry[b * part.count : (b + 1) * part.count])
        for t in range(part.rows):
            i = t * part.columns + b
            if t % BLOCK == 0:
                first = (t // BLOCK * part.columns + b) * part.count
                _copy_rows(part.kept[first : first + part.count], state)
            _multiply(update, part.steps[i], part.values[i])
            clear(outputs[i])
            for n in range(part.count):
                if part.starts[i]:
                    clear(state[n])
                _step(state[n], outputs[i], part.steps[i], part.rates[n], update, part.read[i, n], part.write[i, n])
        _copy_rows(last[b * part.count : (b + 1) * part.count], state)


@task
def selective_backward(a):
    """Fill the gradients of all arguments from that of the outputs [T, B, E].

    Addresses: it; then the gradients of steps, values, read, write, for each column that of the rates [B, N, E], zero at
    first, and that of the entry state [B, N, E], which holds that of the last states at first.
    """
    part = _read(a)
    total, states_of_all = part.rows * part.columns, part.columns * part.count
    back = Back(
        floats(a[14], total, part.size),
        floats(a[15], total, part.size),
        floats(a[16], total, part.size),
        floats(a[17], total, part.count),
        floats(a[18], total, part.count),
        floats(a[19], states_of_all, part.size),
        floats(a[20], states_of_all, part.size),
    )
    scratch = Scratch(
        np.empty(((BLOCK + 1) * part.count, part.size), np.float32),
        np.empty((BLOCK * part.count, part.size), np.float32),
        np.empty(part.size, np.float32),
        np.empty(part.size, np.float32),
        np.empty(part.size, np.float32),
    )
    for b in range(a[4], a[5]):
        for block in range((part.rows - 1) // BLOCK, -1, -1):
            first, last = block * BLOCK, min(part.rows, (block + 1) * BLOCK)
            _run_again(part, scratch, first, last, b)
            for t in range(last - 1, first - 1, -1):
                _row_back(part, back, scratch, t, t - first, b)


@compiled
def _run_again(part, scratch, first, last, b):
    """Fill the states and decays of a block of rows."""
    kept = (first // BLOCK * part.columns + b) * part.count
    _copy_rows(scratch.states[: part.count], part.kept[kept : kept + part.count])
    for t in range(first, last):
        i, here = t * part.columns + b, (t - first) * part.count
        _multiply(scratch.update, part.steps[i], part.values[i])
        for n in range(part.count):
            before, after = scratch.states[here + n], scratch.states[here + part.count + n]
            if part.starts[i]:
                _scale(after, scratch.update, part.read[i, n])
            else:
                decay = scratch.decays[here + n]
                _advance(after, decay, before, part.steps[i], part.rates[n], scratch.update, part.read[i, n])


@compiled
def _row_back(part, back, scratch, t, row, b):
    """Go back through row t, the block's `row`."""
    i, here, column = t * part.columns + b, row * part.count, b * part.count
    _multiply(scratch.update, part.steps[i], part.values[i])
    clear(scratch.grad_update)
    clear(back.steps[i])
    for n in range(part.count):
        carried, after = back.carried[column + n], scratch.states[here + part.count + n]
        back.write[i, n], back.read[i, n] = _through_output(
            carried, scratch.grad_update, back.outputs[i], after, scratch.update, part.read[i, n], part.write[i, n]
        )
        if part.starts[i]:
            clear(carried)
        else:
            _through_decay(carried, scratch.product, scratch.decays[here + n], scratch.states[here + n])
            _to_exponent(back.steps[i], back.rates[column + n], scratch.product, part.steps[i], part.rates[n])
    _multiply(back.values[i], scratch.grad_update, part.steps[i])
    _multiply(scratch.grad_update, scratch.grad_update, part.values[i])
    add_in_place(back.steps[i], scratch.grad_update)


@compiled
def _copy_rows(result, rows):
    for i in range(len(result)):
        copy(result[i], rows[i])


@row_loop
def _step(state, outputs, steps, rates, update, read, write):
    for u in range(len(state)):
        state[u] = exp(steps[u] * rates[u]) * state[u] + update[u] * read
        outputs[u] += state[u] * write


@row_loop
def _advance(state, decay, before, steps, rates, update, read):
    for u in range(len(state)):
        decay[u] = exp(steps[u] * rates[u])
        state[u] = decay[u] * before[u] + update[u] * read


@row_loop
def _scale(result, row, factor):
    for u in range(len(result)):
        result[u] = row[u] * factor


@row_loop
def _multiply(result, one, other):
    for u in range(len(result)):
        result[u] = one[u] * other[u]


@only_for_tasks(
    fastmath=frozenset({"contract", "reassoc"}), inline="never"
)  # sums in any order: so they may use vectors
def _through_output(carried, grad_update, grad_outputs, state, update, read, write):
    """Add to the gradients of the state and the update; return those of write and read."""
    grad_write, grad_read = _ZERO, _ZERO
    for u in range(len(carried)):
        carried[u] += grad_outputs[u] * write
        grad_update[u] += carried[u] * read
        grad_write += grad_outputs[u] * state[u]
        grad_read += carried[u] * update[u]
    return grad_write, grad_read


@row_loop
def _through_decay(carried, product, decay, before):
    """Turn the gradient of a state into that of the one before; fill that of the exponent."""
    for u in range(len(carried)):
        carried[u] *= decay[u]
        product[u] = carried[u] * before[u]


@row_loop
def _to_exponent(grad_steps, grad_rates, product, steps, rates):
    for u in range(len(product)):
        grad_steps[u] += product[u] * rates[u]
        grad_rates[u] += product[u] * steps[u]
