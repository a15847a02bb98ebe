"""What a network costs once it is trained: for one more input, for the state that it keeps, and as sequences get longer."""

import json
import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from recurrent_rl.memory.base import State
from recurrent_rl.sequence.batch import Batch
from recurrent_rl.sequence.benchmark.entrants import entrants_for
from recurrent_rl.sequence.benchmark.networks import AnyNetwork, Network, longest_read
from recurrent_rl.sequence.benchmark.suite import Suite
from recurrent_rl.sequence.task import Task

LONGER = 4  # times the length, for the growth
SHORTEST = 1024  # steps for the growth: in shorter sequences the calls cost more than the steps
PATIENCE = 0.2  # CPU seconds for which a call is repeated
FEWEST = 5  # calls, however long they take


@dataclass(frozen=True, kw_only=True)
class Cost:
    """Of one sequence at a time, on one thread of this machine's CPU: time is the CPU's, whatever else it is busy with.

    Args:
        step_us: Microseconds for one more input after a sequence of `steps`. A model without a state reads all again.
        state_bytes: What must be kept until then: the state, or the vectors of all inputs.
        growth: Exponent of the time for a whole sequence in its length, from `steps`, 1,024 at least, to four times that: 1
            where twice the length takes twice the time.
        steps: Length of the task's longest training sequence, or of the pieces in which it is read.
    """

    step_us: float
    state_bytes: int
    growth: float
    steps: int


@torch.no_grad()
def measure(network: AnyNetwork, inputs: Tensor, steps: int) -> Cost:
    """Measure a network.

    Args:
        network: In any mode; it is in evaluation mode afterwards.
        inputs: Of one sequence, [4 L, 1, ...] with L the larger of `steps` and 1,024.
        steps: That the task has.
    """
    network.eval()
    whole, long, longer = (_batch(inputs[:length]) for length in (steps, len(inputs) // LONGER, len(inputs)))
    _, state = network(whole, None)
    if state is None:
        kept = steps * network.model.input_size * inputs.new_zeros(1, dtype=torch.float32).element_size()
        [seconds] = _seconds(lambda: network(whole, None))
    else:
        one, kept = _batch(inputs[:1]), _bytes(state)
        [seconds] = _seconds(lambda: network(one, state))
    before, after = _seconds(lambda: network(long, None), lambda: network(longer, None))
    return Cost(step_us=1e6 * seconds, state_bytes=kept, growth=math.log(after / before, LONGER), steps=steps)


def measure_all(suite: Suite) -> None:
    """Measure the networks of a suite that were not measured yet, and keep the figures in its folder.

    They are as wide as in the trials but not trained: what they cost does not depend on it.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        for name in suite.works:
            _measure_missing(suite, name)
    finally:
        torch.set_num_threads(threads)


def _measure_missing(suite: Suite, name: str) -> None:
    work = suite.works[name]
    task, known = work.task(), read(suite.folder, name)
    missing = [one for one in entrants_for(task, suite.models) if isinstance(one, Network) and one.name not in known]
    if not missing:
        return
    splits = task.load(0)
    steps = longest_read(splits, work.config.bptt_horizon)
    inputs = _inputs(task, LONGER * max(steps, SHORTEST))
    for entrant in tqdm(missing, desc=f"{name}, costs", unit="model"):
        network = entrant.network(task, entrant.matched(task, steps, 0.0))
        _keep(suite.folder, name, entrant.name, measure(network, inputs, steps))


def read(folder: Path, task: str) -> dict[str, Cost]:
    """Return the costs of a task's networks by their names, as far as they were measured."""
    path = _path(folder, task)
    found = json.loads(path.read_text()) if path.exists() else {}
    return {name: Cost(**figures) for name, figures in found.items()}


def _keep(folder: Path, task: str, model: str, cost: Cost) -> None:
    """Add a model's costs to what is there by now: several suites may add at once."""
    folder.mkdir(parents=True, exist_ok=True)
    costs = read(folder, task) | {model: cost}
    _path(folder, task).write_text(json.dumps({name: asdict(one) for name, one in costs.items()}, indent=1) + "\n")


def _path(folder: Path, task: str) -> Path:
    return folder / f"{task}_costs.json"


def _inputs(task: Task, steps: int) -> Tensor:
    """Return random inputs of one sequence: symbols [T, 1] or [T, 1, C], or features [T, 1, F]."""
    rng = np.random.default_rng(0)
    if task.features is not None:
        return torch.from_numpy(rng.normal(size=(steps, 1, task.features)).astype(np.float32))
    assert task.symbols is not None
    columns = (task.columns,) if task.columns > 1 else ()
    return torch.from_numpy(rng.integers(task.symbols, size=(steps, 1, *columns)))


def _batch(inputs: Tensor) -> Batch:
    return Batch(inputs, torch.tensor([len(inputs)]))


def _bytes(state: State) -> int:
    return sum(leaf.numel() * leaf.element_size() for leaf in state)


def _seconds(*calls: Callable[[], object]) -> list[float]:
    """Return the median CPU time of each call. They take turns, so that whatever slows the machine slows all of them."""
    times: list[list[float]] = []
    for call in calls:
        call()
    while len(times) < FEWEST or np.sum(times) < PATIENCE * len(calls):
        times.append([_cpu_seconds(call) for call in calls])
    return np.median(times, axis=0).tolist()


def _cpu_seconds(call: Callable[[], object]) -> float:
    begun = time.process_time()
    call()
    return time.process_time() - begun
