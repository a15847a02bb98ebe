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
from recurrent_rl.sequence.benchmark.networks import Network, longest_read
from recurrent_rl.sequence.benchmark.suite import Suite
from recurrent_rl.sequence.models import SequenceNetwork
from recurrent_rl.sequence.task import Task

LONGER = 4  # times the length, for the growth
SHORTEST = 256  # steps for the growth: in shorter sequences the calls cost more than the steps
PATIENCE = 0.3  # seconds for which a call is repeated
FEWEST = 5  # calls, however long they take


@dataclass(frozen=True, kw_only=True)
class Cost:
    """Of one sequence at a time, on one thread of this machine's CPU.

    Args:
        step_us: Microseconds for one more input after a sequence of `steps`. A model without a state reads all again.
        state_bytes: What must be kept until then: the state, or the vectors of all inputs.
        growth: Exponent of the time for a whole sequence in its length, from `steps`, 256 at least, to four times that: 1
            where twice the length takes twice the time.
        steps: Length of the task's longest training sequence, or of the pieces in which it is read.
    """

    step_us: float
    state_bytes: int
    growth: float
    steps: int


@torch.no_grad()
def measure(network: SequenceNetwork, inputs: Tensor, steps: int) -> Cost:
    """Measure a network.

    Args:
        network: In any mode; it is in evaluation mode afterwards.
        inputs: Of one sequence, [4 L, 1, ...] with L the larger of `steps` and 256.
        steps: That the task has.
    """
    network.eval()
    whole, long, longer = (_batch(inputs[:length]) for length in (steps, len(inputs) // LONGER, len(inputs)))
    _, state = network(whole, None)
    seconds = _seconds(lambda: network(whole, None))
    growth = math.log(_seconds(lambda: network(longer, None)) / _seconds(lambda: network(long, None)), LONGER)
    if state is None:
        kept = steps * network.inputs.spec.width * inputs.new_zeros(1, dtype=torch.float32).element_size()
        return Cost(step_us=1e6 * seconds, state_bytes=kept, growth=growth, steps=steps)
    one = _batch(inputs[:1])
    step_us = 1e6 * _seconds(lambda: network(one, state))
    return Cost(step_us=step_us, state_bytes=_bytes(state), growth=growth, steps=steps)


def measure_all(suite: Suite) -> None:
    """Measure the networks of a suite that were not measured yet, and keep the figures in its folder.

    They are as wide as in the trials but not trained: what they cost does not depend on it.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    for name, work in suite.works.items():
        task, known = work.task(), read(suite.folder, name)
        missing = [
            one for one in entrants_for(task, suite.models) if isinstance(one, Network) and one.name not in known
        ]
        if not missing:
            continue
        splits = task.load(0)
        steps = longest_read(splits, work.config.bptt_horizon)
        inputs = _inputs(task, splits.train.inputs[0].shape[1:], LONGER * max(steps, SHORTEST))
        for entrant in tqdm(missing, desc=f"{name}, costs", unit="model"):
            known[entrant.name] = measure(entrant.network(task, entrant.matched(task, steps, 0.0)), inputs, steps)
            _write(suite.folder, name, known)
    torch.set_num_threads(threads)


def read(folder: Path, task: str) -> dict[str, Cost]:
    """Return the costs of a task's networks by their names, as far as they were measured."""
    path = _path(folder, task)
    found = json.loads(path.read_text()) if path.exists() else {}
    return {name: Cost(**figures) for name, figures in found.items()}


def _write(folder: Path, task: str, costs: dict[str, Cost]) -> None:
    _path(folder, task).write_text(json.dumps({name: asdict(cost) for name, cost in costs.items()}, indent=1) + "\n")


def _path(folder: Path, task: str) -> Path:
    return folder / f"{task}_costs.json"


def _inputs(task: Task, shape: tuple[int, ...], steps: int) -> Tensor:
    """Return random inputs of one sequence, [T, 1, ...], with the shape that an input of the task has."""
    rng = np.random.default_rng(0)
    if task.symbols is not None:
        return torch.from_numpy(rng.integers(task.symbols, size=(steps, 1, *shape)))
    return torch.from_numpy(rng.normal(size=(steps, 1, *shape)).astype(np.float32))


def _batch(inputs: Tensor) -> Batch:
    return Batch(inputs, torch.tensor([len(inputs)]))


def _bytes(state: State) -> int:
    return sum(leaf.numel() * leaf.element_size() for leaf in state)


def _seconds(call: Callable[[], object]) -> float:
    """Return the median time of a call."""
    call()
    times: list[float] = []
    while len(times) < FEWEST or sum(times) < PATIENCE:
        begun = time.perf_counter()
        call()
        times.append(time.perf_counter() - begun)
    return float(np.median(times))
