"""Compiled passes over time for `functional.scan`, which says what they compute; the torch code there is the oracle.

Rows hold D numbers, or 2 D for complex ones: real and imaginary part in turn. Tables hold, in this order: T, B, the length
of a row, whether numbers are complex, whether decays have a row for each step (otherwise it is the same at every step),
the first column and the one after the last, then addresses as read below.
"""

from recurrent_rl.compiled.decorators import compiled, row_loop
from recurrent_rl.compiled.rows import copy
from recurrent_rl.compiled.task import flags, floats, task


@task
def scan_forward(a):
    """Fill states [T, B, D]; addresses: decays, updates, entry [B, D], initial [D], starts [T, B], states."""
    steps, columns, length, is_complex, decay_rows, first, last = a[0], a[1], a[2], a[3], a[4], a[5], a[6]
    rows = steps * columns
    decays, updates = floats(a[7], rows if decay_rows else columns, length), floats(a[8], rows, length)
    entry, initial = floats(a[9], columns, length), floats(a[10], 1, length)[0]
    starts, states = flags(a[11], rows), floats(a[12], rows, length)
    for t in range(steps):
        for b in range(first, last):
            i = t * columns + b
            before = _before(i, t, b, columns, starts, initial, entry, states)
            decay = decays[i if decay_rows else b]
            if is_complex:
                _complex_step(states[i], decay, before, updates[i])
            else:
                _step(states[i], decay, before, updates[i])


@task
def scan_backward(a):
    """Fill the gradients of all arguments from that of the states.

    Addresses: decays, entry, initial, starts, states, gradient of the states; then the gradients to fill: of decays
    (added up over T [B, D] where they are the same at every step), updates, entry [B, D] and initial [B, D].
    """
    steps, columns, length, is_complex, decay_rows, first, last = a[0], a[1], a[2], a[3], a[4], a[5], a[6]
    rows = steps * columns
    decay_count = rows if decay_rows else columns
    decays, entry, initial = (
        floats(a[7], decay_count, length),
        floats(a[8], columns, length),
        floats(a[9], 1, length)[0],
    )
    starts, states, incoming = flags(a[10], rows), floats(a[11], rows, length), floats(a[12], rows, length)
    grad_decays, grad_updates = floats(a[13], decay_count, length), floats(a[14], rows, length)
    grad_entry, grad_initial = floats(a[15], columns, length), floats(a[16], columns, length)
    for t in range(steps - 1, -1, -1):
        for b in range(first, last):
            i = t * columns + b
            after, here = i + columns, i if decay_rows else b
            copy(grad_updates[i], incoming[i])
            if t < steps - 1 and starts[after] == 0:
                _add_conj(grad_updates[i], decays[after if decay_rows else b], grad_updates[after], is_complex)
            before = _before(i, t, b, columns, starts, initial, entry, states)
            _add_conj(grad_decays[here], before, grad_updates[i], is_complex)
            if starts[i]:
                _add_conj(grad_initial[b], decays[here], grad_updates[i], is_complex)
            elif t == 0:
                _add_conj(grad_entry[b], decays[here], grad_updates[i], is_complex)


@compiled
def _before(i, t, b, columns, starts, initial, entry, states):
    """Return the state before row t of column b."""
    if starts[i]:
        return initial
    if t == 0:
        return entry[b]
    return states[i - columns]


@row_loop
def _step(state, decay, before, update):
    for u in range(len(state)):
        state[u] = decay[u] * before[u] + update[u]


@row_loop
def _complex_step(state, decay, before, update):
    for u in range(len(state) // 2):
        re, im = 2 * u, 2 * u + 1
        real = decay[re] * before[re] - decay[im] * before[im] + update[re]
        state[im] = decay[re] * before[im] + decay[im] * before[re] + update[im]
        state[re] = real


@compiled
def _add_conj(result, factor, gradient, is_complex):
    """Add conj(factor) times gradient to result."""
    if is_complex:
        _add_conj_product(result, factor, gradient)
    else:
        _add_product(result, factor, gradient)


@row_loop
def _add_product(result, factor, gradient):
    for u in range(len(result)):
        result[u] += factor[u] * gradient[u]


@row_loop
def _add_conj_product(result, factor, gradient):
    for u in range(len(result) // 2):
        re, im = 2 * u, 2 * u + 1
        result[re] += factor[re] * gradient[re] + factor[im] * gradient[im]
        result[im] += factor[re] * gradient[im] - factor[im] * gradient[re]
