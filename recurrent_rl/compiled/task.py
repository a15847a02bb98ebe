"""Compiled functions that threads run: each takes the address of a table of int64, which holds addresses and sizes.

Such a function touches neither the interpreter nor its lock, so it can run on any thread, and another one can call it by
its address, so that what many share (the matrix product) is compiled once.
"""

import ctypes
import gc
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from llvmlite import ir
from numba import carray, cfunc, types
from numba.extending import intrinsic

from recurrent_rl.compiled.decorators import compiled

_typed_at_compilation: Any = intrinsic
_SIGNATURE = types.void(types.CPointer(types.int64))


class Task:
    """A function of a table, compiled when its address is asked for and kept on disk."""

    def __init__(self, function: Callable[[Any], None]) -> None:
        self._function = function
        self._compiled: Any = None
        self._call: Any = None
        self.__doc__ = function.__doc__

    @property
    def address(self) -> int:
        """Where the machine code is."""
        if self._compiled is None:
            started = time.perf_counter()
            with _garbage_kept():
                self._compiled = _compile(self._function)
            if not self._compiled.cache_hits:
                say_compiled(self._function.__name__, time.perf_counter() - started)
        return self._compiled.address

    def call(self, table: int) -> None:
        """Run it in this thread with the table at an address."""
        if self._call is None:
            self._call = ctypes.CFUNCTYPE(None, ctypes.c_void_p)(self.address)
        self._call(table)


task = Task


def _compile(function: Callable[[Any], None]) -> Any:
    options: dict[str, Any] = {"fastmath": {"contract"}, "error_model": "numpy"}
    try:
        return cfunc(_SIGNATURE, cache=True, **options)(function)
    except RuntimeError as error:  # numba found no folder that it may write to
        if "cannot cache" not in str(error):
            raise
        return cfunc(_SIGNATURE, **options)(function)


@contextmanager
def _garbage_kept() -> Iterator[None]:
    """Pause the garbage collector: it would look through all that compilation holds on to, again and again."""
    paused = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if paused:
            gc.enable()


def say_compiled(name: str, seconds: float) -> None:
    """Log that a function was compiled just now."""
    logging.getLogger("recurrent_rl").warning(
        "Compiled %s for this machine in %.1f s; the next process finds it in the cache.", name, seconds
    )


@_typed_at_compilation
def _as_pointer(typingctx, address):
    def generate(context, builder, signature, arguments):
        return builder.inttoptr(arguments[0], ir.IntType(8).as_pointer())

    return types.voidptr(types.int64), generate


@compiled
def floats(address, rows, columns):
    """Return the float32 array [rows, columns] at an address."""
    return carray(_as_pointer(address), (rows, columns), np.float32)


@compiled
def numbers(address, count):
    """Return the float64 array [count] at an address."""
    return carray(_as_pointer(address), (count,), np.float64)


@compiled
def integers(address, count):
    """Return the int64 array [count] at an address."""
    return carray(_as_pointer(address), (count,), np.int64)


@compiled
def flags(address, count):
    """Return the bool array [count] at an address, as bytes."""
    return carray(_as_pointer(address), (count,), np.uint8)


@_typed_at_compilation
def invoke(typingctx, address, table):
    """Call the task at `address` with the table at the address `table`."""

    def generate(context, builder, signature, arguments):
        number = ir.IntType(64)
        kind = ir.FunctionType(ir.VoidType(), [number.as_pointer()])
        function = builder.inttoptr(arguments[0], kind.as_pointer())
        builder.call(function, [builder.inttoptr(arguments[1], number.as_pointer())])
        return context.get_dummy_value()

    return types.void(types.int64, types.int64), generate


@_typed_at_compilation
def take_next(typingctx, counter):
    """Return the number at the pointer `counter` and add one to it, whatever other threads do meanwhile."""

    def generate(context, builder, signature, arguments):
        return builder.atomic_rmw("add", arguments[0], ir.Constant(ir.IntType(64), 1), "monotonic")

    return types.int64(types.CPointer(types.int64)), generate
