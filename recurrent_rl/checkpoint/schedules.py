"""Schedules as data: a function of the remaining progress becomes a table that interpolates it."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from stable_baselines3.common.utils import ConstantSchedule, FloatSchedule, LinearSchedule

POINTS = 1001


@dataclass(frozen=True)
class Tabulated:
    """A schedule by its values at evenly spaced progress 0 ... 1, linear in between."""

    values: tuple[float, ...]

    def __call__(self, progress_remaining: float) -> float:
        """Return the value at `progress_remaining` in [0, 1]."""
        return float(np.interp(progress_remaining, np.linspace(0.0, 1.0, len(self.values)), self.values))


Schedules = LinearSchedule | ConstantSchedule | FloatSchedule | Tabulated


def tabulate(schedule: Callable[[float], float]) -> Tabulated | None:
    """Return the table of a schedule, or None where it fails somewhere in [0, 1] (a logarithm at 0, say)."""
    try:
        return Tabulated(tuple(float(schedule(progress)) for progress in np.linspace(0.0, 1.0, POINTS).tolist()))
    except Exception:  # the user's function; a save must not fail for it
        return None
