"""Steps per second of a native batch, beside popgym's environment stepped alone in one process."""

import time
import warnings
from typing import Any

import gymnasium as gym
import numpy as np

from experiments.throughput.output import Row
from experiments.throughput.timing import Effort, Timing, alternate

OURS, THEIRS = "pomdp_envs", "popgym"
LONGEST = 1100  # steps, so that every run has resets of the worlds with the longest episodes too
ACTIONS = 64  # random ones, drawn before the clock starts and used in turn


class Batch:
    """A native batch; a call steps it `steps` times."""

    def __init__(self, env_id: str, columns: int, steps: int) -> None:
        self.env = gym.make_vec(env_id, num_envs=columns)
        self.env.reset(seed=0)
        self.env.action_space.seed(0)
        self.actions = [self.env.action_space.sample() for _ in range(ACTIONS)]
        self.steps = steps

    def __call__(self) -> Timing:
        step, actions = self.env.step, self.actions
        started = time.perf_counter()
        for i in range(self.steps):
            step(actions[i % ACTIONS])
        return Timing(time.perf_counter() - started)


class Alone:
    """One of popgym's environments; a call steps it `steps` times, and resets it where its episodes end."""

    def __init__(self, name: str, steps: int) -> None:
        self.env: Any = make_popgym(name)
        self.env.reset(seed=0)
        self.env.action_space.seed(0)
        self.actions = [self.env.action_space.sample() for _ in range(ACTIONS)]
        self.steps = steps

    def __call__(self) -> Timing:
        env, actions = self.env, self.actions
        started = time.perf_counter()
        for i in range(self.steps):
            _, _, terminated, truncated, _ = env.step(actions[i % ACTIONS])
            if terminated or truncated:
                env.reset()
        return Timing(time.perf_counter() - started)


def make_popgym(name: str) -> Any:
    """Make popgym's environment of a name such as "RepeatFirstEasy", None where it has none."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns about its mazes
        import popgym.envs

        made = getattr(popgym.envs, name, None)
        return None if made is None else made()


def measure(env_id: str, columns: int, steps: int, effort: Effort) -> Row:
    """Alternate both sides of one id; popgym's has `steps` steps, ours a whole episode or more."""
    name = env_id.removeprefix("pomdp_envs/").removesuffix("-v0")
    batch_steps = max(4 * steps // columns, LONGEST)
    runs: dict[str, Any] = {OURS: Batch(env_id, columns, batch_steps)}
    if make_popgym(name) is not None:
        runs[THEIRS] = Alone(name, steps)
    medians = alternate(runs, effort)
    ours = batch_steps * columns / medians[OURS].whole
    theirs = steps / medians[THEIRS].whole if THEIRS in medians else None
    return {"id": env_id, OURS: ours, THEIRS: theirs, "ratio": None if theirs is None else ours / theirs}


def bars(rows: list[Row]) -> list[str]:
    """Say which bars the POPGym ids reach: 5 times popgym each, 20 in the median, 30 ids above a million steps/s."""
    ratios = np.array([row["ratio"] for row in rows if row["ratio"] is not None], dtype=float)
    fast = sum(row[OURS] >= 1e6 for row in rows if row["ratio"] is not None)  # type: ignore[operator]
    return [
        f"{(ratios >= 5).sum()} of {len(ratios)} ids at least 5 times popgym (all needed); the lowest {ratios.min():.1f}",
        f"median {np.median(ratios):.1f} times popgym (20 needed)",
        f"{fast} ids at least 1 million steps/s (30 needed)",
    ]
