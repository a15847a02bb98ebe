"""exp for float32 within vector code: Cody and Waite's reduction by ln 2 and a Taylor series of six terms."""

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from recurrent_rl.compiled.decorators import only_for_tasks
from recurrent_rl.compiled.rows import ONE

_LEAST, _MOST = np.float32(-87.0), np.float32(88.5)  # 2^k is infinite for the latter
_PER_LN_2, _LN_2_HIGH, _LN_2_LOW = np.float32(1.442695041), np.float32(0.693359375), np.float32(-2.12194440e-4)
_ROUNDER = np.float32(1.5 * 2**23)  # added to a small number, it leaves a whole one in the lowest bits
_C2, _C3, _C4, _C5, _C6 = (np.float32(1 / f) for f in (2, 6, 24, 120, 720))
_typed_at_compilation: Any = intrinsic


@_typed_at_compilation
def _power_of_two(typingctx, rounded):
    """Return 2^k for the float32 k + _ROUNDER: k + 127, moved to the exponent's bits."""

    def generate(context, builder, signature, arguments):
        word = ir.IntType(32)
        bits = builder.add(builder.bitcast(arguments[0], word), ir.Constant(word, 127))
        return builder.bitcast(builder.shl(bits, ir.Constant(word, 23)), ir.FloatType())

    return types.float32(types.float32), generate


@only_for_tasks(inline="always")
def exp(x):
    """Return exp x for one float32: relative error below 3e-7; infinity above 88.37, and exp(-87) below -87."""
    if x > _MOST:
        x = _MOST
    if x < _LEAST:
        x = _LEAST
    rounded = x * _PER_LN_2 + _ROUNDER
    k = rounded - _ROUNDER
    r = (x - k * _LN_2_HIGH) - k * _LN_2_LOW
    series = ((((_C6 * r + _C5) * r + _C4) * r + _C3) * r + _C2) * r * r + r + ONE
    return series * _power_of_two(rounded)


@only_for_tasks(inline="always")
def sigmoid(x):
    """Return 1 / (1 + exp(-x)) for one float32; exactly 0 below -88.37, so that nothing huge passes a closed gate."""
    return ONE / (ONE + exp(-x))
