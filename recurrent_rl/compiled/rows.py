"""Elementwise work on one row, as vector code; tanh and the logistic function as a rational function.

    tanh x = x P(x^2) / Q(x^2)          relative error below 4e-7 in float32; NaN stays NaN

Source: the coefficients are ours, a weighted least-squares fit of tanh on [0, 9]; beyond, float32 tanh is 1.
"""

import numpy as np

from recurrent_rl.compiled.decorators import only_for_tasks, row_loop

ONE = np.float32(1.0)
_HALF, _LIMIT = np.float32(0.5), np.float32(9.0)
_P0, _P1, _P2, _P3, _P4 = (
    np.float32(c)
    for c in (
        0.999999979469739,
        0.1338102826994728,
        0.0034955911856570537,
        2.0609129831236374e-05,
        1.3354721776065025e-08,
    )
)
_Q1, _Q2, _Q3, _Q4 = (
    np.float32(c) for c in (0.4671434386659758, 0.025876994006179974, 0.00032856397006207985, 7.776584161671286e-07)
)


@only_for_tasks(inline="always")
def tanh(x):
    """Return tanh x for one float32."""
    if x > _LIMIT:
        x = _LIMIT
    if x < -_LIMIT:
        x = -_LIMIT
    s = x * x
    above = x * ((((_P4 * s + _P3) * s + _P2) * s + _P1) * s + _P0)
    below = (((_Q4 * s + _Q3) * s + _Q2) * s + _Q1) * s + ONE
    return above / below


@row_loop
def tanh_in_place(x):
    """Replace each number by its tanh."""
    for u in range(len(x)):
        x[u] = tanh(x[u])


@row_loop
def relu_in_place(x):
    """Replace negative numbers by zero."""
    for u in range(len(x)):
        if x[u] < 0.0:
            x[u] = 0.0


@row_loop
def sigmoid_in_place(x):
    """Replace each number by 1 / (1 + exp(-x))."""
    for u in range(len(x)):
        x[u] = _HALF * tanh(_HALF * x[u]) + _HALF


@row_loop
def add_in_place(total, term):
    """Add `term` to the first numbers of `total`."""
    for u in range(len(term)):
        total[u] += term[u]


@row_loop
def copy(result, row):
    """Fill result with the first numbers of `row` (an assignment of slices is several times slower)."""
    for u in range(len(result)):
        result[u] = row[u]


@row_loop
def clear(row):
    """Fill a row with zeros."""
    for u in range(len(row)):
        row[u] = 0.0
