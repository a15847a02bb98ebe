"""What the layers of all cells do before and after their time loops, for one segment of the pieces.

R packed rows, S pieces, I inputs, H units, G gates; a flat row is t B + b in arrays [T B, ...], where x, outputs and their
gradients lie. Widths that a product adds to are padded to whole panels (">= H").
"""

from typing import NamedTuple

import numpy as np

from recurrent_rl.compiled.decorators import compiled
from recurrent_rl.compiled.multiply import (
    BLOCK,
    Engine,
    add_product,
    add_transposed_product,
    make_engine,
    pack,
    whole_panels,
)
from recurrent_rl.compiled.rows import add_in_place, clear, copy
from recurrent_rl.compiled.task import floats, integers


class Part(NamedTuple):
    """A segment as arrays, and what its products share.

    Args:
        engine: Of `multiply`.
        sizes: [longest], pieces that have a row k; it never grows.
        gather: [R], the flat row of each packed row.
        columns: [S], the column of each piece.
        fresh: [S], the piece begins with a start.
        n_columns: B.
        n_rows: T B.
        inputs: I.
        units: H.
    """

    engine: Engine
    sizes: np.ndarray
    gather: np.ndarray
    columns: np.ndarray
    fresh: np.ndarray
    n_columns: int
    n_rows: int
    inputs: int
    units: int


# The table of a layer's task; addresses but for the counts. "segment": this segment's own part or its own sum.
(
    PRODUCT,  # the task `product`
    PAIRS,  # whether products take bfloat16 pairs
    STEPS,  # the longest piece
    ROWS,  # R
    PIECES,  # S
    COLUMNS,  # B
    FLAT_ROWS,  # T B
    INPUTS,  # I
    UNITS,  # H
    SIZES,  # int64 [STEPS]
    GATHER,  # int64 [R]
    MARKS,  # int64 [2, S], columns and fresh
    X,  # [T B, I]
    WEIGHT_IH,  # [G H, I]
    WEIGHT_HH,  # [G H, H]
    BIAS_IH,  # [G H]
    BIAS_HH,  # [G H]
    OUTPUTS,  # [T B, H]
    GATES,  # segment [R, >= G H]
    KEPT,  # segment [R, H], what else the cell keeps for the way back
    HIDDEN,  # [B, H], the state handed in
    HIDDEN_STRIDE,  # of its rows, in numbers
    HIDDEN_INITIAL,  # [H]
    CELL,
    CELL_STRIDE,
    CELL_INITIAL,
    CELL_LEAVING,  # [B, H]
    GRAD_OUTPUTS,  # [T B, H]
    GRAD_CELL_LEAVING,  # [B, H]
    GRAD_X,  # [T B, I], or 0
    GRAD_HIDDEN,  # [B, H]
    GRAD_CELL,  # [B, H]
    GRAD_WEIGHT_IH,  # segment [G H, >= I]
    GRAD_WEIGHT_HH,  # segment [G H, >= H]
    GRAD_BIAS_IH,  # segment [G H]
    GRAD_BIAS_HH,  # segment [G H]
    GRAD_HIDDEN_INITIAL,  # segment [H]
    GRAD_CELL_INITIAL,  # segment [H]
    FIELDS,
) = range(39)


@compiled
def read_part(a, gates):
    """Return the segment that a table describes; `gates` is G."""
    rows, pieces, inputs, units = a[ROWS], a[PIECES], a[INPUTS], a[UNITS]
    widest = max(whole_panels(inputs), whole_panels(gates * units))
    engine = make_engine(a[PRODUCT], a[PAIRS] != 0, max(pieces, BLOCK) * widest)
    marks = integers(a[MARKS], 2 * pieces)
    sizes, gather = integers(a[SIZES], a[STEPS]), integers(a[GATHER], rows)
    return Part(engine, sizes, gather, marks[:pieces], marks[pieces:], a[COLUMNS], a[FLAT_ROWS], inputs, units)


@compiled
def project(part, x, bias, gates, panels):
    """Fill gates [R, >= G H] with x W + b, for flat x [T B, I], bias [G H] and W packed as panels."""
    block = np.empty((BLOCK, part.inputs), np.float32)
    used = len(bias)
    for first in range(0, len(gates), BLOCK):
        rows = min(BLOCK, len(gates) - first)
        for i in range(rows):
            copy(block[i], x[part.gather[first + i]])
            copy(gates[first + i, :used], bias)
            clear(gates[first + i, used:])
        add_product(part.engine, gates[first : first + rows], block[:rows], part.inputs, panels)


@compiled
def enter(part, leaf, stride, initial):
    """Return the state leaf [S, H] that enters each piece, from the addresses of the leaf [B, H] and the initial one."""
    first = floats(initial, 1, part.units)[0]
    state = np.empty((len(part.columns), part.units), np.float32)
    for i in range(len(state)):
        if part.fresh[i]:
            copy(state[i], first)
        else:
            copy(state[i], floats(leaf + 4 * stride * part.columns[i], 1, part.units)[0])
    return state


@compiled
def leave_gradient(part, carried, grad_state, grad_initial):
    """Hand the gradients of the pieces' entering states on to the state's [B, H] and the initial one's [H]."""
    for i in range(len(part.columns)):
        if part.fresh[i]:
            add_in_place(grad_initial, carried[i, : part.units])
        else:
            copy(grad_state[part.columns[i]], carried[i])


class WayBack(NamedTuple):
    """What turns the gradient of gates into those of inputs and weights, block by block.

    Args:
        x: [T B, I].
        entering: [S, H], the hidden states that enter the pieces.
        outputs: [T B, H].
        panels: W of the inputs, packed; empty where grad_x is not wanted.
        grad_x: [T B, I], or no rows.
        grad_weight_ih: [G H, >= I], the segment's sum.
        grad_weight_hh: [G H, >= H], likewise.
        grad_bias: [G H], likewise.
        inputs: Room for a block of x.
        states: Room for a block of hidden states.
        grad_inputs: Room for a block of grad_x.
    """

    x: np.ndarray
    entering: np.ndarray
    outputs: np.ndarray
    panels: np.ndarray
    grad_x: np.ndarray
    grad_weight_ih: np.ndarray
    grad_weight_hh: np.ndarray
    grad_bias: np.ndarray
    inputs: np.ndarray
    states: np.ndarray
    grad_inputs: np.ndarray


@compiled
def way_back(part, a, gates, entering):
    """Return what a table says of the way back; `gates` is G."""
    used, wide, deep = gates * part.units, whole_panels(part.inputs), whole_panels(part.units)
    wanted = a[GRAD_X] != 0
    weight = floats(a[WEIGHT_IH], used if wanted else 0, part.inputs)
    return WayBack(
        floats(a[X], part.n_rows, part.inputs),
        entering,
        floats(a[OUTPUTS], part.n_rows, part.units),
        pack(weight, part.engine.pairs),
        floats(a[GRAD_X], part.n_rows if wanted else 0, part.inputs),
        floats(a[GRAD_WEIGHT_IH], used, wide),
        floats(a[GRAD_WEIGHT_HH], used, deep),
        floats(a[GRAD_BIAS_IH], 1, used)[0],
        np.zeros((BLOCK, wide), np.float32),
        np.zeros((BLOCK, deep), np.float32),
        np.empty((BLOCK, wide), np.float32),
    )


@compiled
def through_inputs(part, way, first, gradient):
    """From the gradient [m, >= G H] of x W + b in packed rows first, first + 1, ...: add to W's and b's, scatter x's."""
    used = len(way.grad_bias)
    for begin in range(0, len(gradient), BLOCK):
        rows = min(BLOCK, len(gradient) - begin)
        block = gradient[begin : begin + rows]
        for i in range(rows):
            copy(way.inputs[i, : part.inputs], way.x[part.gather[first + begin + i]])
            add_in_place(way.grad_bias, block[i, :used])
        add_transposed_product(part.engine, way.grad_weight_ih, block, way.inputs[:rows])
        if len(way.grad_x) > 0:
            for i in range(rows):
                clear(way.grad_inputs[i])
            add_product(part.engine, way.grad_inputs[:rows], block, used, way.panels)
            for i in range(rows):
                copy(way.grad_x[part.gather[first + begin + i]], way.grad_inputs[i])


@compiled
def through_recurrence(part, way, first, gradient):
    """From the gradient [m, >= G H] of W h in packed rows first, first + 1, ...: add to W's."""
    for begin in range(0, len(gradient), BLOCK):
        rows = min(BLOCK, len(gradient) - begin)
        for i in range(rows):
            copy(way.states[i, : part.units], before(part, way.entering, way.outputs, first + begin + i))
        add_transposed_product(part.engine, way.grad_weight_hh, gradient[begin : begin + rows], way.states[:rows])


@compiled
def before(part, entering, outputs, row):
    """Return the hidden state [H] that entered a packed row: a piece's rows are B flat rows apart."""
    if row < len(entering):
        return entering[row]
    return outputs[part.gather[row] - part.n_columns]
