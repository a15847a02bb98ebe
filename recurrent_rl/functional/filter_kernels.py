"""Compiled passes for `functional.causal_filter`, which says what they compute; the torch code there is the oracle.

Tables hold T, B, E, K, the first column and the one after the last, then addresses: rows [T, B, E], window [K - 1, B, E],
taps [K, E], bias [E], starts [T, B].
"""

from typing import Any, NamedTuple

import numpy as np

from recurrent_rl.compiled.decorators import compiled, row_loop
from recurrent_rl.compiled.exponential import sigmoid
from recurrent_rl.compiled.rows import ONE, add_in_place, copy
from recurrent_rl.compiled.task import flags, floats, task


class Part(NamedTuple):
    """What both ways read."""

    steps: int
    columns: int
    count: int
    rows: Any
    window: Any
    taps: Any
    bias: Any
    starts: Any


@compiled
def _read(a):
    steps, columns, size, count = a[0], a[1], a[2], a[3]
    rows, window = floats(a[6], steps * columns, size), floats(a[7], (count - 1) * columns, size)
    taps, bias = floats(a[8], count, size), floats(a[9], 1, size)[0]
    return Part(steps, columns, count, rows, window, taps, bias, flags(a[10], steps * columns))


@task
def filter_forward(a):
    """Fill outputs [T, B, E]."""
    part = _read(a)
    outputs = floats(a[11], part.steps * part.columns, a[2])
    for t in range(part.steps):
        for b in range(a[4], a[5]):
            out = outputs[t * part.columns + b]
            _filter(part, out, t, b)
            _silu(out)


@task
def filter_backward(a):
    """Fill gradients; addresses: that of the outputs, then those of rows and window, zero at first, and for each column
    those of taps and bias, one below the other, zero at first too.
    """
    part = _read(a)
    grad_outputs, grad_rows = floats(a[11], len(part.rows), a[2]), floats(a[12], len(part.rows), a[2])
    grad_window = floats(a[13], (part.count - 1) * part.columns, a[2])
    sums = floats(a[14], part.columns * (part.count + 1), a[2])
    gradient = np.empty(a[2], np.float32)
    for t in range(part.steps):
        for b in range(a[4], a[5]):
            _filter(part, gradient, t, b)
            _through_silu(gradient, grad_outputs[t * part.columns + b])
            first = b * (part.count + 1)
            for lag in range(_reach(part, t, b)):
                _add_product(sums[first + lag], gradient, _seen(part, part.rows, part.window, t - lag, b))
                _add_product(_seen(part, grad_rows, grad_window, t - lag, b), gradient, part.taps[lag])
            add_in_place(sums[first + part.count], gradient)


@compiled
def _reach(part, t, b):
    """Return how many rows, from t back, are of its episode, K at most; those of the window count."""
    reach = 1
    while reach < part.count and (t - reach < -1 or not part.starts[(t - reach + 1) * part.columns + b]):
        reach += 1
    return reach


@compiled
def _seen(part, rows, window, t, b):
    """Return row t of column b, which stands in the window if t is negative."""
    if t < 0:
        return window[(part.count - 1 + t) * part.columns + b]
    return rows[t * part.columns + b]


@compiled
def _filter(part, out, t, b):
    copy(out, part.bias)
    for lag in range(_reach(part, t, b)):
        _add_product(out, _seen(part, part.rows, part.window, t - lag, b), part.taps[lag])


@row_loop
def _add_product(total, one, other):
    for u in range(len(total)):
        total[u] += one[u] * other[u]


@row_loop
def _silu(x):
    for u in range(len(x)):
        x[u] = x[u] * sigmoid(x[u])


@row_loop
def _through_silu(gradient, grad_outputs):
    """Turn what silu was taken of into the gradient before it."""
    for u in range(len(gradient)):
        x = gradient[u]
        s = sigmoid(x)
        gradient[u] = grad_outputs[u] * (s + x * s * (ONE - s))
