"""How functions are compiled that tasks call (see `compiled.task`): without what calling them from Python would take."""

from collections.abc import Callable
from typing import Any

from numba import njit

from recurrent_rl.compiled.linked import LinkedOnly

_njit: Any = njit


def only_for_tasks(fastmath: frozenset[str] = frozenset({"contract"}), **options: Any) -> Callable[..., Any]:
    """Return a decorator that compiles; a wrapper for Python would add a quarter to the time."""
    return _njit(
        nogil=True,
        error_model="numpy",
        fastmath=set(fastmath),
        no_cpython_wrapper=True,
        no_cfunc_wrapper=True,
        **options,
    )


compiled = only_for_tasks(pipeline_class=LinkedOnly)
row_loop = only_for_tasks(inline="never")
"""For loops over one row, from 0 to its length and over few arrays: then the compiler sees that it may use vectors.

They go through all of numba's passes before their callers take them over: the layers are up to three percent faster for it.
"""
