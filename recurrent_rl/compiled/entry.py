"""Compiled functions that Python calls: kept on disk, and said on screen when they had to be compiled."""

import logging
import time
from collections.abc import Callable
from functools import wraps
from typing import Any

from numba import njit

compiled = njit(nogil=True, fastmath={"contract"}, error_model="numpy")
row_loop = njit(nogil=True, fastmath={"contract"}, error_model="numpy", inline="never")
"""For loops over one row, from 0 to its length and over few arrays: then the compiler sees that it may use vectors."""


def entry_point(function: Callable[..., None]) -> Callable[..., None]:
    """Compile a function that Python calls, keep the machine code on disk, and say when that was not there yet."""
    dispatcher: Any = njit(nogil=True, fastmath={"contract"}, error_model="numpy", cache=True)(function)

    @wraps(function)
    def call(*arguments: Any) -> None:
        if dispatcher.signatures:
            return dispatcher(*arguments)
        started = time.perf_counter()
        dispatcher(*arguments)
        if dispatcher.stats.cache_misses:
            seconds = time.perf_counter() - started
            logging.getLogger("recurrent_rl").warning(
                "Compiled %s for this machine in %.1f s; the next process finds it in the cache.",
                function.__name__,
                seconds,
            )
        return None

    return call
