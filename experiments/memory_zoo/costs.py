"""What each memory costs at equal width: parameters, state, acting, training, and how training grows with T.

    python -m experiments.memory_zoo.costs [--memories MinGRU LRU S5] [--repetitions 5] [--threads 2]

All memories together are written to results/costs.csv and drawn in results/costs.png; chosen ones are printed only. Each
is measured in turn with the fused GRU, in this process. The figures belong to the machine that the first line names.
"""

import argparse
import time
from math import log
from pathlib import Path

import torch

from experiments.memory_zoo.costs_plot import draw
from experiments.throughput.output import Row, machine, progress, save, show, verdict
from experiments.throughput.settings import Bar
from experiments.throughput.timing import Effort, Run, Timing, alternate
from recurrent_rl.memory import GRU, FrameWindow, Memory, MemorySpec, MinGRU, NoMemory, Normed, Residual, Stack
from recurrent_rl.runs.memories import MEMORIES

RESULTS = Path(__file__).parent / "results"
WIDTH = 128
COLUMNS = 16  # of training; acting has one, and as many
RESETS = 0.01  # share of all rows
GROWTH = (16, 64, 256, 1024)  # T; the exponent leaves the first out, where calls cost more than rows
RATES = (128, 1024)  # T
ROWS_OF_A_TURN = 512  # in time: short passes are repeated until they fill a turn
STEPS_OF_A_TURN = 100  # acting
TURNS_OF_A_REPETITION = 3
BUDGET = 3.0  # seconds of a side, eight to a memory; slow ones are run twice in any case

INNER = GRU(hidden_size=WIDTH)
WITHOUT_A_SIZE = (NoMemory(), FrameWindow(), Stack([INNER, INNER]), Residual(INNER), Normed(INNER))
LINEAR = ("MinGRU", "MinGRU-signed", "MinLSTM", "LRU", "S5", "FFM", "SelectiveSSM")
BAR = Bar(measure="times_GRU", least=2.0)


def at_width(kind: type[MemorySpec]) -> MemorySpec:
    """Return a spec with outputs of WIDTH and defaults otherwise; the controls take theirs from the inputs."""
    given = {type(spec): spec for spec in WITHOUT_A_SIZE}
    return given[kind] if kind in given else kind(hidden_size=WIDTH)  # type: ignore[call-arg]


def memories() -> dict[str, MemorySpec]:
    """Return all that recurrent_rl.memory exports, by name, and the signed MinGRU."""
    named = {kind.__name__: at_width(kind) for kind in MEMORIES.values()}
    named["MinGRU-signed"] = MinGRU(hidden_size=WIDTH, eigenvalues="signed")
    return dict(sorted(named.items()))


def state_bytes(memory: Memory) -> int:
    """Return the bytes of one column's state."""
    return sum(leaf.numel() * leaf.element_size() for leaf in memory.initial_state(1))


def acting(memory: Memory, columns: int) -> Run:
    """Return a turn of acting steps, T = 1, that pass the state on."""
    inputs, starts = torch.randn(1, columns, WIDTH), torch.zeros(1, columns, dtype=torch.bool)

    @torch.no_grad()
    def run() -> Timing:
        memory.eval()
        state = memory.initial_state(columns)
        started = time.perf_counter()
        for _ in range(STEPS_OF_A_TURN):
            _, state = memory(inputs, state, starts)
        return Timing(time.perf_counter() - started)

    return run


def passes(steps: int) -> int:
    """Return how often a turn of training repeats T steps."""
    return max(1, ROWS_OF_A_TURN // steps)


def training(memory: Memory, steps: int) -> Run:
    """Return a turn of forward and backward passes, with the gradient of the inputs; the entry state is given."""
    inputs = torch.randn(steps, COLUMNS, WIDTH, requires_grad=True)
    gradient = torch.randn(steps, COLUMNS, memory.output_size)
    starts = torch.rand(steps, COLUMNS, generator=torch.Generator().manual_seed(0)) < RESETS
    with torch.no_grad():
        state = memory.initial_state(COLUMNS)

    def run() -> Timing:
        memory.train()
        started = time.perf_counter()
        for _ in range(passes(steps)):
            memory.zero_grad()
            inputs.grad = None
            memory(inputs, state, starts)[0].backward(gradient)
        return Timing(time.perf_counter() - started)

    return run


def training_ms(memory: Memory, effort: Effort) -> tuple[dict[int, float], float]:
    """Return milliseconds of forward and backward by T, and those of the GRU at the longest."""
    lengths = sorted({*GROWTH, *RATES})
    runs = {str(steps): training(memory, steps) for steps in lengths}
    medians = alternate({**runs, "GRU": training(INNER.build(WIDTH), lengths[-1])}, effort)
    times = {steps: 1e3 * medians[str(steps)].whole / passes(steps) for steps in lengths}
    return times, 1e3 * medians["GRU"].whole / passes(lengths[-1])


def measure(name: str, spec: MemorySpec, repetitions: int) -> Row:
    """Return a row of the table."""
    progress(name)
    torch.manual_seed(0)
    memory = spec.build(WIDTH)
    effort = Effort(repetitions=TURNS_OF_A_REPETITION * repetitions, budget=BUDGET)
    acted = alternate({str(columns): acting(memory, columns) for columns in (1, COLUMNS)}, effort)
    times, gru = training_ms(memory, effort)
    return {
        "memory": name,
        "parameters": sum(parameter.numel() for parameter in memory.parameters()),
        "state_bytes": state_bytes(memory),
        **{f"act_{columns}_us": 1e6 * turn.whole / STEPS_OF_A_TURN for columns, turn in acted.items()},
        **{f"steps/s_{steps}": 1e3 * steps * COLUMNS / times[steps] for steps in RATES},
        **{f"ms_{steps}": times[steps] for steps in GROWTH},
        "exponent": log(times[GROWTH[-1]] / times[GROWTH[1]]) / log(GROWTH[-1] / GROWTH[1]),
        "times_GRU": gru / times[GROWTH[-1]],
    }


def parse(names: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--memories", nargs="+", choices=names, default=names, metavar="NAME")
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    return parser.parse_args()


def main() -> None:
    everything = memories()
    options = parse(list(everything))
    torch.set_num_threads(options.threads)
    here = machine(options.threads)
    print(here, flush=True)
    rows = [measure(name, everything[name], options.repetitions) for name in everything if name in options.memories]
    show(rows)
    if len(rows) == len(everything):
        save(RESULTS / "costs.csv", [{"machine": here} | row for row in rows])
        draw(rows, GROWTH, here, RESULTS / "costs.png")
    for row in (row for row in rows if row["memory"] in LINEAR):
        print(f"{row['memory']}: {verdict(row, BAR)} ({row['times_GRU']:.2f})")


if __name__ == "__main__":
    main()
