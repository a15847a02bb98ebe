"""The tasks of the benchmark with how long a network is trained on each: budgets that two cores can hold."""

from collections.abc import Callable
from dataclasses import dataclass

from recurrent_rl.sequence.task import Task
from recurrent_rl.sequence.tasks import MADE_UP
from recurrent_rl.sequence.training import TrainConfig


@dataclass(frozen=True, kw_only=True)
class Work:
    """A task and its training.

    Args:
        task: Returns it.
        config: The same for all models, but for what is tuned.
    """

    task: Callable[[], Task]
    config: TrainConfig


def budget(steps: int, batch_size: int) -> TrainConfig:
    """Return a configuration whose score is looked at twenty times."""
    return TrainConfig(steps=steps, batch_size=batch_size, evaluate_every=max(1, steps // 20), warmup=steps // 20)


_BUDGETS = {
    "adding-200": budget(3000, 64),
    "adding-600": budget(4000, 64),
    "copy-100": budget(3000, 64),
    "copy-500": budget(3000, 64),
    "selective-copy-100": budget(3000, 64),
    "selective-copy-500": budget(3000, 64),
    "parity": budget(3000, 64),
    "modular-arithmetic": budget(6000, 64),
    "permutations": budget(6000, 64),
    "recall": budget(4000, 64),
    "mnist1d": budget(3000, 64),
    "mnist1d-shuffled": budget(3000, 64),
}

WORKS = {name: Work(task=make, config=_BUDGETS[name]) for name, make in MADE_UP.items()}
"""By name of the task."""
