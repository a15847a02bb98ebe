"""How much memory the bare layer, and the loss of an update, take at their peak beside the activations that backward needs.

Forward and backward, counted and not timed: all that torch allocates meanwhile, the gradients handed down among it.
"""

import json
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import torch
from torch import nn
from torch.profiler import ProfilerActivity, profile

from experiments.throughput.loop import make_model
from experiments.throughput.output import Row, progress
from experiments.throughput.settings import GRU_128, TWO_LSTMS, Workload
from experiments.throughput.timing import Effort
from recurrent_rl import RecurrentPPO
from recurrent_rl.memory import GRU, LSTM, RNN
from recurrent_rl.memory.recurrent import RecurrentMemory, RecurrentSpec
from recurrent_rl.rollout import Minibatch

SHAPES = ((128, 64), (256, 64), (512, 64), (128, 128))
UNITS = 128
FLOAT = 4  # bytes
KEPT = {RNN: 0 + 0 + 1, GRU: 3 + 1 + 1, LSTM: 4 + 1 + 1}
"""Rows of H numbers that a layer keeps per step and column: gates, what the cell keeps beside them, outputs."""
WORKLOADS = (GRU_128, TWO_LSTMS)
MOST = 1.2


def layer_numbers(spec: type[RNN | GRU | LSTM]) -> int:
    """Return how many numbers per step and column the way back of a layer needs, I = H: its inputs, and what it keeps."""
    return (1 + KEPT[spec]) * UNITS


def policy_numbers(policy: nn.Module) -> int:
    """Return the same for a whole policy: what its memories keep, and the outputs of all its linear layers."""
    specs: list[RecurrentSpec] = [module.spec for module in policy.modules() if isinstance(module, RecurrentMemory)]
    kept = sum(KEPT[type(spec)] * spec.hidden_size * spec.num_layers for spec in specs)  # type: ignore[index]
    return kept + sum(module.out_features for module in policy.modules() if isinstance(module, nn.Linear))


def peak_bytes(run: Callable[[], None]) -> int:
    """Return the most bytes of torch's allocations that are alive at once during a call, above those alive before it."""
    run()  # compiles, and makes what is kept
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiler:
        run()
    with tempfile.TemporaryDirectory() as folder:
        trace = Path(folder) / "trace.json"
        profiler.export_chrome_trace(str(trace))
        events = [event for event in json.loads(trace.read_text())["traceEvents"] if event.get("name") == "[memory]"]
    alive = peak = 0
    for event in sorted(events, key=lambda event: event["ts"]):
        alive += event["args"]["Bytes"]
        peak = max(peak, alive)
    return peak


def layer_peak(spec: type[RNN | GRU | LSTM], steps: int, columns: int) -> int:
    """Return the layer's own peak in bytes: outputs, what it keeps, and all gradients; its inputs are there before."""
    memory = spec(hidden_size=UNITS).build(UNITS)
    inputs = torch.randn(steps, columns, UNITS, requires_grad=True)
    state, starts = memory.initial_state(columns), torch.rand(steps, columns) < 0.01
    grad_outputs = torch.randn(steps, columns, UNITS)

    def forward_and_backward() -> None:
        outputs, _ = memory(inputs, state, starts)
        outputs.backward(grad_outputs)
        inputs.grad = None
        memory.zero_grad(set_to_none=True)

    return peak_bytes(forward_and_backward)


def update_peak(model: RecurrentPPO, steps: int, columns: int) -> int:
    """Return the peak in bytes of the loss of one minibatch [T, B] and its backward; the minibatch is there before."""
    minibatch = _minibatch(model, steps, columns)

    def forward_and_backward() -> None:
        model.loss(minibatch)[0].backward()
        model.policy.zero_grad(set_to_none=True)

    return peak_bytes(forward_and_backward)


def update_model(workload: Workload) -> RecurrentPPO:
    """Return a model that is ready to compute its loss."""
    model = make_model("float32", workload, "short")
    model.learn(0)  # makes the logger
    model._update_objective()
    return model


def _minibatch(model: RecurrentPPO, steps: int, columns: int) -> Minibatch:
    rows = torch.zeros(steps, columns)
    return Minibatch(
        observations=torch.randn(steps, columns, 4),
        actions=rows,
        starts=torch.rand(steps, columns) < 0.01,
        valid=torch.ones(steps, columns, dtype=torch.bool),
        entry_state=tuple(leaf.contiguous() for leaf in model.policy.initial_state(columns)),
        values=rows,
        log_probs=rows,
        advantages=torch.randn(steps, columns),
        returns=rows,
    )


def row(what: str, steps: int, columns: int, peak: int, numbers: int) -> Row:
    needed = numbers * FLOAT * steps * columns
    ratio = peak / needed
    return {
        "what": what,
        "T": steps,
        "B": columns,
        "peak_MB": peak / 1e6,
        "activations_MB": needed / 1e6,
        "ratio": ratio,
        "bar": f"ratio at most {MOST:g}: {'met' if ratio <= MOST else 'missed'}",
    }


def memory_table(effort: Effort) -> Iterator[Row]:
    """Measure each cell, and each workload's update, at each shape; counted, not timed, so once is enough."""
    for spec in (RNN, GRU, LSTM):
        for steps, columns in SHAPES:
            progress(f"memory: {spec.__name__}, {steps} x {columns}")
            yield row(spec.__name__, steps, columns, layer_peak(spec, steps, columns), layer_numbers(spec))
    for workload in WORKLOADS:
        model = update_model(workload)
        for steps, columns in SHAPES:
            progress(f"memory: update of {workload.name}, {steps} x {columns}")
            peak = update_peak(model, steps, columns)
            yield row(f"update, {workload.name}", steps, columns, peak, policy_numbers(model.policy))
