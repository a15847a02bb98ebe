"""A small matrix product for the inside of a time loop: few rows, a matrix that stays in cache, the result added in place.

BLAS is made for large products; between two steps of a recurrence its call, its packing and its threads cost as much as
the arithmetic. Here the matrix is packed once per layer, and a tile of the result stays in registers while the inner
dimension runs through. Each number is summed in the same order whatever the number of rows, so a column of a batch gets
the same bits as alone.

    out [m, P W] += left [m, K] @ matrix [K, N]        matrix packed as panels [P, K, W], P W >= N, the rest zero
"""

from typing import Any

import llvmlite.binding as llvm
import numpy as np
import torch
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic
from torch import Tensor

from recurrent_rl.compiled.entry import compiled

_FEATURES = llvm.get_host_cpu_features()
LANES, VECTORS = (16, 4) if _FEATURES.get("avx512f") else (8, 2) if _FEATURES.get("avx2") else (4, 4)
"""Floats in a vector register, and vectors in a row of a tile: six rows of accumulators just fit into the registers."""
WIDTH = LANES * VECTORS
_FLOATS = ir.VectorType(ir.FloatType(), LANES)
_INDEX, _FIRST_LANE = ir.IntType(64), ir.Constant(ir.VectorType(ir.IntType(32), LANES), None)


def padded(columns: int) -> int:
    """Return the smallest multiple of a panel's width that holds `columns`."""
    return -(-columns // WIDTH) * WIDTH


def pack_panels(matrix: Tensor) -> np.ndarray:
    """Return [K, N] as panels, flat float32 [P K W]."""
    depth, columns = matrix.shape
    wide = torch.nn.functional.pad(matrix, (0, padded(columns) - columns))
    return wide.view(depth, -1, WIDTH).transpose(0, 1).contiguous().view(-1).numpy()  # [P K W]


def _vectors(builder: ir.IRBuilder, start: ir.Value) -> list[Any]:
    """Return pointers to the vectors of one row of a tile."""
    moved = [builder.gep(start, [ir.Constant(_INDEX, v * LANES)]) for v in range(VECTORS)]
    return [builder.bitcast(pointer, _FLOATS.as_pointer()) for pointer in moved]


def _spread(builder: ir.IRBuilder, pointer: ir.Value) -> ir.Value:
    """Return a vector that holds the number at `pointer` in every lane."""
    undefined = ir.Constant(_FLOATS, ir.Undefined)
    first = builder.insert_element(undefined, builder.load(pointer, align=4), ir.Constant(ir.IntType(32), 0))
    return builder.shuffle_vector(first, undefined, _FIRST_LANE)


def _emit_tile(builder: ir.IRBuilder, rows: list[tuple[ir.Value, ir.Value]], panel: ir.Value, depth: ir.Value) -> None:
    """Write the instructions: out_row += sum over k of left_row[k] panel[k, :], for each (out_row, left_row)."""
    fma_type = ir.FunctionType(_FLOATS, [_FLOATS] * 3)
    fma = cgutils.get_or_insert_function(builder.module, fma_type, f"llvm.fma.v{LANES}f32")
    targets = [pointer for out_row, _ in rows for pointer in _vectors(builder, out_row)]
    sums = [cgutils.alloca_once(builder, _FLOATS) for _ in targets]  # the compiler keeps them in registers
    for total, target in zip(sums, targets, strict=True):
        builder.store(builder.load(target, align=4), total)
    with cgutils.for_range(builder, depth) as loop:
        line = builder.gep(panel, [builder.mul(loop.index, ir.Constant(_INDEX, WIDTH))])
        right = [builder.load(pointer, align=4) for pointer in _vectors(builder, line)]
        for i, (_, left_row) in enumerate(rows):
            factor = _spread(builder, builder.gep(left_row, [loop.index]))
            for v in range(VECTORS):
                total = sums[i * VECTORS + v]
                builder.store(builder.call(fma, [factor, right[v], builder.load(total)]), total)
    for total, target in zip(sums, targets, strict=True):
        builder.store(builder.load(total), target, align=4)


def _make_tile(count: int) -> Any:
    """Return the intrinsic that adds [count, K] @ panel [K, W] to a tile of `out`; arrays are flat, with offsets."""

    @intrinsic
    def tile(typingctx, out, out_at, out_stride, left, left_at, left_stride, panels, panel_at, depth):
        def generate(context, builder, signature, arguments):
            def pointer(array: int, at: int) -> ir.Value:
                data = context.make_array(signature.args[array])(context, builder, arguments[array]).data
                return builder.gep(data, [arguments[at]])

            def row(start: ir.Value, stride: int, i: int) -> ir.Value:
                return builder.gep(start, [builder.mul(arguments[stride], ir.Constant(_INDEX, i))])

            out_start, left_start = pointer(0, 1), pointer(3, 4)
            rows = [(row(out_start, 2, i), row(left_start, 5, i)) for i in range(count)]
            _emit_tile(builder, rows, pointer(6, 7), arguments[8])
            return context.get_dummy_value()

        arguments = (out, out_at, out_stride, left, left_at, left_stride, panels, panel_at, depth)
        return types.void(*arguments), generate

    return tile


_tile_1, _tile_2, _tile_3, _tile_4, _tile_5, _tile_6 = (_make_tile(count) for count in range(1, 7))


@compiled
def add_product(out, left, rows, depth, panels):
    """Add left[:rows, :depth] @ matrix to out[:rows].

    Args:
        out: float32 [>= rows, P W], contiguous.
        left: float32 [>= rows, >= depth], contiguous.
        rows: m.
        depth: K.
        panels: The matrix, from `pack_panels`.
    """
    stride, left_stride = out.shape[1], left.shape[1]
    out, left = out.reshape(-1), left.reshape(-1)
    blocks = (rows + 5) // 6
    for column in range(0, stride, WIDTH):
        panel, row = column * depth, 0
        for block in range(blocks):
            left_over = blocks - block
            count = (rows - row + left_over - 1) // left_over  # blocks of nearly equal height
            at, left_at = row * stride + column, row * left_stride
            if count == 6:
                _tile_6(out, at, stride, left, left_at, left_stride, panels, panel, depth)
            elif count == 5:
                _tile_5(out, at, stride, left, left_at, left_stride, panels, panel, depth)
            elif count == 4:
                _tile_4(out, at, stride, left, left_at, left_stride, panels, panel, depth)
            elif count == 3:
                _tile_3(out, at, stride, left, left_at, left_stride, panels, panel, depth)
            elif count == 2:
                _tile_2(out, at, stride, left, left_at, left_stride, panels, panel, depth)
            else:
                _tile_1(out, at, stride, left, left_at, left_stride, panels, panel, depth)
            row += count
