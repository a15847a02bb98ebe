"""How much memory the bare layer takes at its peak, forward and backward, beside the activations that backward needs."""

import json
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import torch
from torch.profiler import ProfilerActivity, profile

from experiments.throughput.output import Row, progress
from experiments.throughput.timing import Effort
from recurrent_rl.memory import GRU, LSTM, RNN

SHAPES = ((128, 64), (256, 64), (512, 64), (128, 128))
UNITS = 128
FLOAT = 4  # bytes
# Rows of H numbers per step and column: inputs (I = H here), gates, what the cell keeps beside them, outputs.
ACTIVATIONS = {RNN: 1 + 1 + 0 + 1, GRU: 1 + 3 + 1 + 1, LSTM: 1 + 4 + 1 + 1}
MOST = 1.2


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


def memory_table(effort: Effort) -> Iterator[Row]:
    """Measure each cell at each shape; counted, not timed, so once is enough."""
    for spec in (RNN, GRU, LSTM):
        for steps, columns in SHAPES:
            progress(f"memory: {spec.__name__}, {steps} x {columns}")
            peak = layer_peak(spec, steps, columns)
            needed = ACTIVATIONS[spec] * UNITS * FLOAT * steps * columns
            ratio = peak / needed
            yield {
                "layer": spec.__name__,
                "T": steps,
                "B": columns,
                "peak_MB": peak / 1e6,
                "activations_MB": needed / 1e6,
                "ratio": ratio,
                "bar": f"ratio at most {MOST:g}: {'met' if ratio <= MOST else 'missed'}",
            }
