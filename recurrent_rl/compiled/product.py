"""A register-blocked matrix product, for the inside of time loops and for everything around them.

BLAS is made for large products; between two steps of a recurrence its call, its packing and its threads cost as much as
the arithmetic. Here a tile of the result stays in registers while the inner dimension runs through. Each number is summed
in the same order whatever the number of rows, so a column of a batch gets the same bits as alone.

    out [m, n] += left [m, k] @ right [k, n]

`right` lies in panels of WIDTH columns. In float32 a number is a number; in bfloat16 "a number" is a pair of neighbours
along k in 32 bits, and the sum is float32.

Source: Goto & van de Geijn 2008, Anatomy of High-Performance Matrix Multiplication.
"""

from typing import Any

import llvmlite.binding as llvm
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from recurrent_rl.compiled.task import task

_FEATURES = llvm.get_host_cpu_features()
_WIDE = bool(_FEATURES.get("avx512f"))
LANES = 16 if _WIDE else 8 if _FEATURES.get("avx2") else 4
VECTORS = 2
WIDTH = LANES * VECTORS
"""Columns of a panel: what a row of a tile holds in two vector registers."""
HEIGHT = 12 if _WIDE else 6
"""Rows of the largest tile: with WIDTH columns, the sums just fit into the registers."""
HAS_BFLOAT16 = bool(_FEATURES.get("avx512bf16"))

_FLOATS = ir.VectorType(ir.FloatType(), LANES)
_WORDS = ir.VectorType(ir.IntType(32), LANES)
_INDEX, _FIRST_LANE = ir.IntType(64), ir.Constant(ir.VectorType(ir.IntType(32), LANES), None)


class _BFloat(ir.Type):
    """LLVM's bfloat, which llvmlite has no name for."""

    def _to_string(self) -> str:
        return "bfloat"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _BFloat)

    def __hash__(self) -> int:
        return hash(_BFloat)


def padded(columns: int) -> int:
    """Return the smallest multiple of a panel's width that holds `columns`."""
    return -(-columns // WIDTH) * WIDTH


def _pointer(builder: Any, address: ir.Value, kind: ir.Type) -> ir.Value:
    return builder.inttoptr(address, kind.as_pointer())


def _row(builder: Any, address: ir.Value, stride: ir.Value, i: int) -> ir.Value:
    """Return the address of row i; strides count numbers of 4 bytes."""
    return builder.add(address, builder.mul(stride, ir.Constant(_INDEX, 4 * i)))


def _vectors(builder: Any, address: ir.Value) -> list[ir.Value]:
    """Return pointers to the vectors of one row of a tile."""
    moved = [builder.add(address, ir.Constant(_INDEX, 4 * LANES * v)) for v in range(VECTORS)]
    return [_pointer(builder, one, _FLOATS) for one in moved]


def _spread(builder: Any, address: ir.Value) -> ir.Value:
    """Return a vector that holds the number at `address` in every lane."""
    undefined = ir.Constant(_FLOATS, ir.Undefined)
    number = builder.load(_pointer(builder, address, ir.FloatType()), align=4)
    first = builder.insert_element(undefined, number, ir.Constant(ir.IntType(32), 0))
    return builder.shuffle_vector(first, undefined, _FIRST_LANE)


def _multiply_add(builder: Any, bfloat16: bool) -> Any:
    """Return what emits total + factor right: a fused multiply-add, or the products of a pair."""
    if not bfloat16:
        kind = ir.FunctionType(_FLOATS, [_FLOATS] * 3)
        fma = cgutils.get_or_insert_function(builder.module, kind, f"llvm.fma.v{LANES}f32")
        return lambda total, factor, right: builder.call(fma, [factor, right, total])
    pairs = ir.VectorType(_BFloat(), 2 * LANES)
    kind = ir.FunctionType(_FLOATS, [_FLOATS, pairs, pairs])
    dot = cgutils.get_or_insert_function(builder.module, kind, "llvm.x86.avx512bf16.dpbf16ps.512")

    def emit(total: ir.Value, factor: ir.Value, right: ir.Value) -> ir.Value:
        return builder.call(dot, [total, builder.bitcast(factor, pairs), builder.bitcast(right, pairs)])

    return emit


def _emit_tile(builder: Any, count: int, bfloat16: bool, arguments: list[ir.Value]) -> None:
    """Write the instructions: out[i] += sum over k of left[i, k] right[k, :], for `count` rows i and one panel."""
    out, out_stride, left, left_stride, left_step, right, right_step, depth = arguments
    multiply_add = _multiply_add(builder, bfloat16)
    targets = [p for i in range(count) for p in _vectors(builder, _row(builder, out, out_stride, i))]
    rows = [_row(builder, left, left_stride, i) for i in range(count)]
    sums = [cgutils.alloca_once(builder, _FLOATS) for _ in targets]  # the compiler keeps them in registers
    for total, target in zip(sums, targets, strict=True):
        builder.store(builder.load(target, align=4), total)
    four = ir.Constant(_INDEX, 4)
    left_bytes, right_bytes = builder.mul(left_step, four), builder.mul(right_step, four)
    with cgutils.for_range(builder, depth) as loop:
        line = builder.add(right, builder.mul(loop.index, right_bytes))
        vectors = [builder.load(pointer, align=4) for pointer in _vectors(builder, line)]
        moved = builder.mul(loop.index, left_bytes)
        for i, row in enumerate(rows):
            factor = _spread(builder, builder.add(row, moved))
            for v, vector in enumerate(vectors):
                total = sums[i * VECTORS + v]
                builder.store(multiply_add(builder.load(total), factor, vector), total)
    for total, target in zip(sums, targets, strict=True):
        builder.store(builder.load(total), target, align=4)


def _make_tiles(bfloat16: bool) -> Any:
    """Return the intrinsic for tiles of 1 to HEIGHT rows; its arguments are the count, addresses, strides and the depth."""

    @intrinsic
    def tiles(typingctx, count, out, out_stride, left, left_stride, left_step, right, right_step, depth):
        def generate(context, builder, signature, arguments):
            if bfloat16 and not HAS_BFLOAT16:
                return context.get_dummy_value()
            end = builder.append_basic_block("end")
            switch = builder.switch(arguments[0], end)
            for rows in range(1, HEIGHT + 1):
                block = builder.append_basic_block(f"rows_{rows}")
                switch.add_case(ir.Constant(_INDEX, rows), block)
                builder.position_at_end(block)
                _emit_tile(builder, rows, bfloat16, arguments[1:])
                builder.branch(end)
            builder.position_at_end(end)
            return context.get_dummy_value()

        return types.void(*[types.int64] * 9), generate

    return tiles


_tiles, _pair_tiles = _make_tiles(False), _make_tiles(True)


@task
def product(a):
    """Add left @ right to out; `a` holds addresses and strides in the order in which they are read here."""
    out, out_stride, left, left_stride, left_step = a[0], a[1], a[2], a[3], a[4]
    right, right_step, right_panel, rows, columns, depth, pairs = a[5], a[6], a[7], a[8], a[9], a[10], a[11]
    blocks = (rows + HEIGHT - 1) // HEIGHT
    for column in range(0, columns, WIDTH):
        row, panel = 0, right + 4 * right_panel * (column // WIDTH)
        for block in range(blocks):
            left_over = blocks - block
            count = (rows - row + left_over - 1) // left_over  # blocks of nearly equal height
            target, source = out + 4 * (row * out_stride + column), left + 4 * row * left_stride
            if pairs:
                _pair_tiles(count, target, out_stride, source, left_stride, left_step, panel, right_step, depth)
            else:
                _tiles(count, target, out_stride, source, left_stride, left_step, panel, right_step, depth)
            row += count
