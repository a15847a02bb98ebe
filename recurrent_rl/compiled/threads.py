"""Tasks on torch's own threads: while they wait for work those spin, and threads of ours would fight them for the cores."""

import ctypes
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from recurrent_rl.compiled.task import Task, invoke, take_next, task

WORTH_A_THREAD = 2**18  # numbers of a pass by `run_parts`, about 50 microseconds; below, a second thread saves nothing


@task
def _work_off(a):
    """Run one task after another until none is left; `a` holds the next one's number, their count and where they are."""
    count, function, tables, stride = a[1], a[2], a[3], a[4]
    while True:
        number = take_next(a)
        if number >= count:
            return
        invoke(function, tables + 8 * stride * number)


def run_tasks(function: Task, tables: np.ndarray) -> None:
    """Call `function` once for each row of `tables`, side by side on torch's threads.

    Args:
        function: A task; calls for different rows write to different places.
        tables: int64 [tasks, arguments], contiguous.
    """
    count, stride = tables.shape
    if count == 1:
        return function.call(tables.ctypes.data)
    job = np.array([0, count, function.address, tables.ctypes.data, stride])
    workers = min(count, torch.get_num_threads())
    _parallel()(_work_off.address, job.ctypes.data, workers, 0)


def run_parts(function: Task, count: int, work: int, sizes: list[int], tensors: list[Tensor]) -> None:
    """Deal out rows or columns to tasks, in as many parts as threads are worth and at most one for each thread.

    Tables hold the sizes, the first of the part and the one after its last, the tensors' addresses, and the part's number.

    Args:
        function: A task; calls for different parts write to different places.
        count: Rows or columns in all.
        work: Numbers that the pass computes in all.
        sizes: What the tables begin with.
        tensors: Contiguous.
    """
    parts = max(1, min(torch.get_num_threads(), count, work // WORTH_A_THREAD))
    bounds = pairwise(count * part // parts for part in range(parts + 1))
    places = [tensor.data_ptr() for tensor in tensors]
    tables = [[*sizes, first, last, *places, part] for part, (first, last) in enumerate(bounds)]
    run_tasks(function, np.array(tables, dtype=np.int64))


def run_task(function: Task, *arguments: int | Tensor) -> None:
    """Call `function` once, in this thread, with a table of numbers and of the tensors' addresses."""
    table = np.array([x.data_ptr() if isinstance(x, Tensor) else x for x in arguments], dtype=np.int64)
    function.call(table.ctypes.data)


@cache
def _parallel() -> Callable[[int, int, int, int], None]:
    """Return GNU OpenMP's `GOMP_parallel` of the library that torch runs on, or the same by threads of our own."""
    library = _openmp_of_torch()
    if library is None:
        return _parallel_by_threads
    run = library.GOMP_parallel
    run.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_uint, ctypes.c_uint]
    run.restype = None
    return run


def _openmp_of_torch() -> ctypes.CDLL | None:
    """Return the OpenMP library that torch brought along; another package's would keep the cores busy for torch's.

    None in a forked process: OpenMP's threads do not survive a fork, and it would wait for them.
    """
    maps = Path("/proc/self/maps")  # Linux; elsewhere torch has another OpenMP
    if _forked or not maps.exists():
        return None
    loaded = sorted({line.split()[-1] for line in maps.read_text().splitlines() if "libgomp" in line})
    packages = Path(torch.__file__).parents[1]
    of_torch = [path for path in loaded if path.startswith(f"{packages}/torch")]  # torch/lib or torch.libs
    elsewhere = [path for path in loaded if not path.startswith(f"{packages}/")]  # the system's, which torch may share
    found = of_torch or elsewhere
    return ctypes.CDLL(found[0]) if found else None


def _parallel_by_threads(function: int, job: int, workers: int, _flags: int) -> None:
    run = ctypes.CFUNCTYPE(None, ctypes.c_void_p)(function)
    others = [_pool().submit(run, job) for _ in range(workers - 1)]
    run(job)
    for other in others:
        other.result()


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(os.cpu_count(), thread_name_prefix="recurrent_rl")


_forked = False


def _after_fork() -> None:
    """Begin anew with threads of our own: neither torch's nor the pool's survive a fork."""
    global _forked
    _forked = True
    _parallel.cache_clear()
    _pool.cache_clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
