"""Single-precision results that equal those of the C library, for whole arrays.

Gymnasium's environments compute with scalars, for which NumPy and Python call the C library; for arrays NumPy has
routines of its own, whose last bit differs now and then. A float64 value whose error is known settles the float32 that it
rounds to wherever its whole neighbourhood rounds to that one number; only the few entries beside a rounding boundary have
to be computed one by one.
"""

from collections.abc import Callable

import numpy as np

# glibc's powf(x, 2) leaves the nearest float32 only within 2**-33.1 (relative) of a boundary: all x in [0, 2] were tried.
SQUARE_ERROR = 2.0**-30


def rounded(accurate: np.ndarray, error: np.ndarray | float, exact: Callable[[int], float]) -> np.ndarray:
    """Round to float32 as if every entry came from `exact`.

    Args:
        accurate: float64 [B].
        error: how far entries may be from what `exact` rounds, [B] or one number; a generous bound costs little.
        exact: index -> the entry; asked where the bound does not settle it.

    Returns:
        float32 [B].
    """
    result = (accurate - error).astype(np.float32)
    unsettled = result != (accurate + error).astype(np.float32)
    if unsettled.any():
        for index in np.flatnonzero(unsettled).tolist():
            result[index] = exact(index)
    return result


def scalar_squares(values: np.ndarray) -> np.ndarray:
    """Square float32 [B] as NumPy squares scalars: by the C library's powf, which is not always the nearest float32.

    (It squares an array by multiplying; the two differ about once in 1400 values.)
    """
    squares = np.square(values, dtype=np.float64)  # exact: 48 bits
    return rounded(squares, squares * SQUARE_ERROR, lambda index: values[index] ** 2)
