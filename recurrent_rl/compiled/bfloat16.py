"""Pairs of bfloat16 in 32 bits: the first number in the low half, both rounded to nearest, ties to even."""

import numpy as np

from recurrent_rl.compiled.decorators import compiled, row_loop

_HALF, _ONE, _SHIFT, _HIGH = np.uint32(0x7FFF), np.uint32(1), np.uint32(16), np.uint32(0xFFFF0000)


@row_loop
def pair_rows(result, low, high):
    """Fill result with pairs of the bits of two float32 rows."""
    for u in range(len(low)):
        a, b = low[u], high[u]
        a = (a + _HALF + ((a >> _SHIFT) & _ONE)) >> _SHIFT
        b = (b + _HALF + ((b >> _SHIFT) & _ONE)) & _HIGH
        result[u] = a | b


@row_loop
def _pair_neighbours(result, row):
    for u in range(len(result)):
        a, b = row[2 * u], row[2 * u + 1]
        a = (a + _HALF + ((a >> _SHIFT) & _ONE)) >> _SHIFT
        b = (b + _HALF + ((b >> _SHIFT) & _ONE)) & _HIGH
        result[u] = a | b


@compiled
def pair_neighbours(result, row):
    """Fill result [ceil(K / 2)] with pairs of neighbours of the bits of a float32 row [K]; zero follows an odd one."""
    whole = len(row) // 2
    _pair_neighbours(result[:whole], row)
    if len(row) % 2:
        last = row[len(row) - 1]
        result[whole] = (last + _HALF + ((last >> _SHIFT) & _ONE)) >> _SHIFT
