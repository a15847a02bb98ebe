"""How things are timed: all sides in turn, medians over the turns."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import median
from typing import Any, NamedTuple

DISTURBED = 1.5


class Timing(NamedTuple):
    """Seconds of one run, and of its two parts where it has them."""

    whole: float
    collection: float = 0.0
    update: float = 0.0


Run = Callable[[], Timing]


@dataclass(frozen=True, kw_only=True)
class Effort:
    """How long to measure.

    Args:
        repetitions: Timed runs of each side.
        budget: Seconds after which a slow side is not run again (it has been once).
        precisions: Which of ours to measure.
    """

    repetitions: int = 5
    budget: float = 15.0
    precisions: tuple[str, ...] = ("float32",)


def alternate(runs: Mapping[str, Run], effort: Effort) -> dict[str, Timing]:
    """Run each side once without counting it, then all in turn; return the medians.

    The first run compiles what is compiled, allocates and fills caches. Taking turns lets a slow minute of the machine
    hit all sides alike.
    """
    for run in runs.values():
        run()
    timings: dict[str, list[Timing]] = {side: [] for side in runs}
    for _ in range(effort.repetitions):
        for side, run in runs.items():
            if sum(timing.whole for timing in timings[side]) < effort.budget:
                timings[side].append(run())
    medians = {side: Timing(*map(median, zip(*taken, strict=True))) for side, taken in timings.items()}
    _say_where_disturbed(medians, timings)
    return medians


def _say_where_disturbed(medians: Mapping[str, Timing], timings: Mapping[str, list[Timing]]) -> None:
    """Name the sides whose runs differ so much that something else was running: few runs have no good median."""
    for side, taken in timings.items():
        slowest = max(timing.whole for timing in taken) / medians[side].whole
        if slowest > DISTURBED:
            print(
                f"    disturbed: the slowest of {len(taken)} runs of {side} took {slowest:.1f}x the median", flush=True
            )


class Stopwatch:
    """A function that notes how many seconds its last call took."""

    def __init__(self, call: Callable[..., Any]) -> None:
        self.call, self.seconds = call, 0.0

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        started = time.perf_counter()
        result = self.call(*args, **kwargs)
        self.seconds = time.perf_counter() - started
        return result
