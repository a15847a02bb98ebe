"""The bare memory layer, forward and backward, beside torch's own, which cannot reset."""

import time
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass

import torch
from torch import nn

from experiments.throughput.output import Row, progress, verdict
from experiments.throughput.settings import Bar
from experiments.throughput.timing import Effort, Run, Timing, alternate
from recurrent_rl.memory import GRU, LSTM
from recurrent_rl.memory.recurrent import RecurrentSpec

STEPS, COLUMNS, UNITS = 128, 64, 128
RESETS = (0, 1, 10)  # percent of all rows
RUNS_PER_REPETITION = 6  # one run takes milliseconds


@dataclass(frozen=True, kw_only=True)
class Layer:
    """Our layer, torch's, its number of gates, and the share of torch's rate to reach with 1% resets."""

    spec: RecurrentSpec
    torch_layer: type[nn.GRU] | type[nn.LSTM]
    gates: int
    bar: Bar

    @property
    def flops(self) -> int:
        """FLOPs of the products, forward and both gradients."""
        return 3 * 2 * STEPS * COLUMNS * self.gates * UNITS * 2 * UNITS


LAYERS = (
    Layer(spec=LSTM(hidden_size=UNITS), torch_layer=nn.LSTM, gates=4, bar=Bar(measure="ratio", least=0.8)),
    Layer(spec=GRU(hidden_size=UNITS), torch_layer=nn.GRU, gates=3, bar=Bar(measure="ratio", least=2.0)),
)


def both_ways(module: nn.Module, *arguments: object, precision: str = "float32") -> Run:
    """Return a run of `module` over random inputs, forward and backward, with the gradient of the inputs."""
    inputs = torch.randn(STEPS, COLUMNS, UNITS, requires_grad=True)
    gradient = torch.randn(STEPS, COLUMNS, UNITS)

    def run() -> Timing:
        module.zero_grad()
        inputs.grad = None
        lower = torch.autocast("cpu", torch.bfloat16) if precision == "bfloat16" else nullcontext()
        started = time.perf_counter()
        with lower:
            outputs = module(inputs, *arguments)[0]
        outputs.backward(gradient.to(outputs.dtype))
        return Timing(time.perf_counter() - started)

    return run


def our_run(layer: Layer, precision: str, resets: int) -> Run:
    memory = layer.spec.build(UNITS)
    starts = torch.rand(STEPS, COLUMNS, generator=torch.Generator().manual_seed(resets)) < resets / 100
    return both_ways(memory, memory.initial_state(COLUMNS), starts, precision=precision)


def measure(layer: Layer, effort: Effort) -> Iterator[Row]:
    """Alternate ours with all shares of resets and torch's without; yield a row for each of ours."""
    cases = [(precision, resets) for precision in effort.precisions for resets in RESETS]
    runs = {f"{precision} {resets}": our_run(layer, precision, resets) for precision, resets in cases}
    many = Effort(repetitions=RUNS_PER_REPETITION * effort.repetitions, budget=effort.budget)
    medians = alternate({**runs, "torch": both_ways(layer.torch_layer(UNITS, UNITS))}, many)
    theirs = medians["torch"].whole
    for precision, resets in cases:
        ours = medians[f"{precision} {resets}"].whole
        row: Row = {
            "layer": layer.torch_layer.__name__,
            "precision": precision,
            "resets_percent": resets,
            "ours_ms": 1e3 * ours,
            "torch_ms": 1e3 * theirs,
            "ours_gflops": layer.flops / ours / 1e9,
            "torch_gflops": layer.flops / theirs / 1e9,
            "ratio": theirs / ours,
        }
        yield row | {"bar": verdict(row, layer.bar) if (precision, resets) == ("float32", 1) else None}


def layer_table(effort: Effort) -> Iterator[Row]:
    for layer in LAYERS:
        progress(f"layer: {layer.torch_layer.__name__}")
        yield from measure(layer, effort)
