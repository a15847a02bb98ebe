"""The tasks of the benchmark, by their names on the command line."""

from collections.abc import Callable
from functools import partial

from recurrent_rl.sequence.task import Task
from recurrent_rl.sequence.tasks.arts import ARTS
from recurrent_rl.sequence.tasks.in_context import classification_in_context, regression_in_context
from recurrent_rl.sequence.tasks.memory import adding, copy_memory, selective_copy
from recurrent_rl.sequence.tasks.moving_digits import moving_digits
from recurrent_rl.sequence.tasks.perception import mnist1d
from recurrent_rl.sequence.tasks.real import REAL
from recurrent_rl.sequence.tasks.recall import recall
from recurrent_rl.sequence.tasks.state_tracking import modular_arithmetic, parity, permutations
from recurrent_rl.sequence.tasks.texts import TEXTS

MADE_UP: dict[str, Callable[[], Task]] = {
    "adding-200": partial(adding, 200),
    "adding-600": partial(adding, 600),
    "copy-100": partial(copy_memory, 100),
    "copy-500": partial(copy_memory, 500),
    "selective-copy-100": partial(selective_copy, 100),
    "selective-copy-500": partial(selective_copy, 500),
    "parity": parity,
    "modular-arithmetic": modular_arithmetic,
    "permutations": permutations,
    "recall": recall,
    "mnist1d": mnist1d,
    "mnist1d-shuffled": partial(mnist1d, shuffled=True),
    "moving-digits": moving_digits,
    "in-context-regression": regression_in_context,
    "in-context-classification": classification_in_context,
}

TASKS: dict[str, Callable[[], Task]] = {**MADE_UP, **REAL, **TEXTS, **ARTS}

__all__ = [
    "ARTS", "MADE_UP", "REAL", "TASKS", "TEXTS", "adding", "classification_in_context", "copy_memory", "mnist1d",
    "modular_arithmetic", "moving_digits", "parity", "permutations", "recall", "regression_in_context", "selective_copy",
]  # fmt: skip
