"""How long one observation takes: `predict`, and the bare policy step, beside sb3-contrib."""

import time
from collections.abc import Callable, Iterator, Mapping
from statistics import median
from typing import Any

import numpy as np
import torch
from sb3_contrib.common.recurrent.type_aliases import RNNStates

from experiments.throughput.loop import THEIRS, make_model
from experiments.throughput.output import Row, progress, verdict
from experiments.throughput.settings import Bar, Workload
from experiments.throughput.timing import Effort

LSTM_256 = Workload(name="one observation, LSTM 256", n_envs=1)  # 256 is the default of both
BLOCK = 100  # calls between turns
BLOCKS_PER_REPETITION = 6
BAR = Bar(measure="ratio", least=5.0)  # a fifth of their time
Call = Callable[[], object]


def predicting(model: Any) -> Call:
    """Return a call of `predict` on one observation, which passes the state on."""
    observation, start = np.zeros(4, dtype=np.float32), np.zeros(1, dtype=bool)
    state = None

    def call() -> None:
        nonlocal state
        _, state = model.predict(observation, state, start, deterministic=True)

    return call


def stepping(policy: Any) -> Call:
    """Return a step of our policy for one environment: action, value, log-probability."""
    observation, start = torch.zeros(1, 4), torch.zeros(1, dtype=torch.bool)
    state = policy.initial_state(1)

    def call() -> None:
        nonlocal state
        state = policy.act(observation, state, start)[3]

    return call


def stepping_theirs(policy: Any) -> Call:
    """Return the same step of sb3-contrib's policy."""
    observation, start = torch.zeros(1, 4), torch.zeros(1)
    leaves = (torch.zeros(policy.lstm_hidden_state_shape), torch.zeros(policy.lstm_hidden_state_shape))
    state = RNNStates(leaves, leaves)

    def call() -> None:
        nonlocal state
        state = policy.forward(observation, state, start)[3]

    return call


def block(call: Call) -> list[float]:
    """Return the seconds of each of BLOCK calls."""
    seconds = []
    for _ in range(BLOCK):
        started = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - started)
    return seconds


@torch.no_grad()
def medians(calls: Mapping[str, Call], effort: Effort) -> dict[str, float]:
    """Alternate blocks of calls, the first block of each not counted; return the median seconds of a call."""
    for call in calls.values():
        block(call)
    seconds: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(BLOCKS_PER_REPETITION * effort.repetitions):
        for name, call in calls.items():
            seconds[name] += block(call)
    return {name: median(taken) for name, taken in seconds.items()}


def row(what: str, threads: int, ours: float, theirs: float) -> Row:
    figures: Row = {"what": what, "threads": threads, "ours_us": 1e6 * ours, "their_us": 1e6 * theirs}
    figures["ratio"] = theirs / ours
    return figures | {"bar": verdict(figures, BAR) if what == "predict" else None}


def latency_table(effort: Effort) -> Iterator[Row]:
    """Measure at one thread and at two; the number of threads is as before afterwards."""
    ours, theirs = (make_model(side, LSTM_256, "endless") for side in ("float32", THEIRS))
    calls = {
        "predict": (predicting(ours), predicting(theirs)),
        "policy step": (stepping(ours.policy), stepping_theirs(theirs.policy)),
    }
    before = torch.get_num_threads()
    for threads in (1, 2):
        torch.set_num_threads(threads)
        for what, (mine, other) in calls.items():
            progress(f"latency: {what}, {threads} thread(s)")
            taken = medians({"ours": mine, THEIRS: other}, effort)
            yield row(what, threads, taken["ours"], taken[THEIRS])
    torch.set_num_threads(before)
