"""How functions are compiled that tasks call (see `compiled.task`): without what calling them from Python would take."""

from collections.abc import Callable
from typing import Any

from numba import njit


def _only_for_tasks(**options: Any) -> Callable[..., Any]:
    # A wrapper for Python doubles the time to compile.
    return njit(
        nogil=True,
        error_model="numpy",
        fastmath={"contract"},
        no_cpython_wrapper=True,
        no_cfunc_wrapper=True,
        **options,
    )


compiled = _only_for_tasks()
row_loop = _only_for_tasks(inline="never")
"""For loops over one row, from 0 to its length and over few arrays: then the compiler sees that it may use vectors."""
