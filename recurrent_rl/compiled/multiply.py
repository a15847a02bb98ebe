"""Products of arrays by the compiled tiles, in float32 or with factors rounded to bfloat16; packing of the right factor.

An `Engine` is what every product of a task shares. Arrays of factors hold 32-bit words: float32, or bfloat16 pairs along
the inner dimension, which is then half as deep.
"""

from typing import NamedTuple

import numpy as np

from recurrent_rl.compiled.bfloat16 import pair_neighbours, pair_rows
from recurrent_rl.compiled.decorators import compiled, only_for_tasks
from recurrent_rl.compiled.product import WIDTH
from recurrent_rl.compiled.task import floats, invoke, task

BLOCK = 48  # rows: small enough to stay in the first cache, a multiple of the tiles' height


class Engine(NamedTuple):
    """Address of the task `product`, whether factors are bfloat16 pairs, the table of its arguments, room for factors."""

    address: int
    pairs: bool
    arguments: np.ndarray
    room: np.ndarray
    more_room: np.ndarray


@compiled
def whole_panels(columns):
    """Return the smallest multiple of a panel's width that holds `columns`."""
    return (columns + WIDTH - 1) // WIDTH * WIDTH


@compiled
def make_engine(address, pairs, room):
    """Return an engine with room for left factors of so many words."""
    words = room if pairs else 0
    return Engine(address, pairs, np.empty(12, np.int64), np.empty(words, np.uint32), np.empty(words, np.uint32))


@compiled
def _call(engine, out, left, left_stride, left_step, right, right_step, right_panel, rows, columns, depth):
    a = engine.arguments
    a[0], a[1] = out.ctypes.data, out.shape[1]
    a[2], a[3], a[4] = left, left_stride, left_step
    a[5], a[6], a[7] = right, right_step, right_panel
    a[8], a[9], a[10], a[11] = rows, columns, depth, engine.pairs
    invoke(engine.address, a.ctypes.data)


@compiled
def add_product(engine, out, left, depth, panels):
    """Add left[:, :depth] @ matrix to out.

    Args:
        engine: With room for `left`.
        out: float32 [m, P W], contiguous; P panels.
        left: float32 [m, >= depth], contiguous.
        depth: K.
        panels: The matrix [K, P W], from `pack` or `pack_transposed`.
    """
    rows, columns = out.shape
    if not engine.pairs:
        step = left.shape[1]
        _call(engine, out, left.ctypes.data, step, 1, panels.ctypes.data, WIDTH, depth * WIDTH, rows, columns, depth)
        return
    half = (depth + 1) // 2
    room = engine.room[: rows * half].reshape(rows, half)
    bits = left.view(np.uint32)
    for i in range(rows):
        pair_neighbours(room[i], bits[i, :depth])
    _call(engine, out, room.ctypes.data, half, 1, panels.ctypes.data, WIDTH, half * WIDTH, rows, columns, half)


@compiled
def add_transposed_product(engine, out, left, right):
    """Add left^T @ right to out [n, P W]; left [m, >= n] and right [m, P W], contiguous. The sum runs over rows."""
    depth, step = left.shape
    rows, columns = out.shape
    if not engine.pairs:
        right_step = right.shape[1]
        _call(engine, out, left.ctypes.data, 1, step, right.ctypes.data, right_step, WIDTH, rows, columns, depth)
        return
    half = (depth + 1) // 2
    lefts, rights = engine.room[: half * step].reshape(half, step), engine.more_room[: half * columns]
    _pair_all(lefts, left)
    _pair_all(rights.reshape(half, columns), right)
    _call(engine, out, lefts.ctypes.data, 1, step, rights.ctypes.data, columns, WIDTH, rows, columns, half)


@compiled
def _pair_all(result, rows):
    """Pair rows 2 k and 2 k + 1; zeros follow an odd one."""
    bits = rows.view(np.uint32)
    for k in range(len(rows) // 2):
        pair_rows(result[k], bits[2 * k], bits[2 * k + 1])
    if len(rows) % 2:
        last = bits[len(rows) - 1]
        pair_rows(result[len(result) - 1], last, np.zeros(len(last), np.uint32))


@compiled
def pack_transposed(matrix, pairs):
    """Return panels of matrix^T, matrix float32 [N, K] contiguous; the columns beyond N are zero."""
    columns, depth = matrix.shape
    words = (depth + 1) // 2 if pairs else depth
    panels = np.zeros(((columns + WIDTH - 1) // WIDTH, words, WIDTH), np.uint32)
    row = np.empty(words, np.uint32)
    bits = matrix.view(np.uint32)
    for n in range(columns):
        panel, lane = panels[n // WIDTH], n % WIDTH
        if pairs:
            pair_neighbours(row, bits[n])
            for k in range(words):
                panel[k, lane] = row[k]
        else:
            for k in range(words):
                panel[k, lane] = bits[n, k]
    return panels


@compiled
def pack(matrix, pairs):
    """Return panels of matrix, float32 [K, N] contiguous; the columns beyond N are zero."""
    depth, columns = matrix.shape
    words = (depth + 1) // 2 if pairs else depth
    panels = np.zeros(((columns + WIDTH - 1) // WIDTH, words, WIDTH), np.uint32)
    bits = matrix.view(np.uint32)
    nothing = np.zeros(columns, np.uint32)
    for first in range(0, columns, WIDTH):
        panel, past = panels[first // WIDTH], min(first + WIDTH, columns)
        width = past - first
        for k in range(words):
            if pairs:
                high = bits[2 * k + 1, first:past] if 2 * k + 1 < depth else nothing[:width]
                pair_rows(panel[k, :width], bits[2 * k, first:past], high)
            else:
                for lane in range(width):
                    panel[k, lane] = bits[k, first + lane]
    return panels


@only_for_tasks(frozenset({"contract", "reassoc"}))
def _dot(left, right):
    total = np.float32(0.0)
    for k in range(len(right)):
        total += left[k] * right[k]
    return total


@compiled
def add_dots(out, left, matrix):
    """Add left[:, :K] @ matrix^T to out [m, >= N], matrix [N, K] as it is: for few rows, where packing costs more."""
    for n in range(len(matrix)):
        for i in range(len(left)):
            out[i, n] += _dot(left[i], matrix[n])


@task
def pack_weights(a):
    """Pack a matrix for `add_product`; `a` holds its address, N, K, whether as pairs, and the address of the panels."""
    columns, depth, pairs = a[1], a[2], a[3] != 0
    panels = pack_transposed(floats(a[0], columns, depth), pairs).reshape(-1)
    result = floats(a[4], 1, len(panels))[0].view(np.uint32)
    for i in range(len(panels)):
        result[i] = panels[i]
