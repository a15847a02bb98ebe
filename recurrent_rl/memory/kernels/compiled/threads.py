"""Segments of packed rows on threads of their own: they share nothing, so each runs its whole time loop alone."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TypeVar

Part = TypeVar("Part")


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(os.cpu_count(), thread_name_prefix="recurrent_rl")


os.register_at_fork(after_in_child=_pool.cache_clear)  # threads do not survive a fork


def for_each(run: Callable[[Part], None], parts: list[Part]) -> None:
    """Call `run` on every part, the first in this thread; `run` must spend its time outside the interpreter's lock."""
    others = [_pool().submit(run, part) for part in parts[1:]]
    run(parts[0])
    for other in others:
        other.result()
