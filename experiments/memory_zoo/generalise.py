"""Train every memory to track a state over up to 40 steps, and see how far beyond it goes on doing so.

    python -m experiments.memory_zoo.generalise
    python -m experiments.memory_zoo.generalise --memories gru mingru-signed --seeds 0 1 --tasks parity --processes 1

A memory of 64 units reads symbols, one-hot, and a linear readout gives the state after each. Writes
results/generalise/<task>_<memory>_<seed>.json, of which one that is there is not computed again unless it took another
number of steps; results/generalise.csv, a table, and results/generalise.png show all that are there.
"""

import argparse
import csv
import json
import time
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from itertools import groupby
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import torch
from matplotlib.figure import Figure
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, one_hot

from experiments.memory_zoo.state_tracking import TASKS, Task
from recurrent_rl import memory as m

RESULTS = Path(__file__).parent / "results"
LONGEST = 40  # in training
LENGTHS = (40, 100, 250, 500)
MEMORIES: dict[str, m.MemorySpec] = {
    "mingru": m.MinGRU(),
    "mingru-signed": m.MinGRU(eigenvalues="signed"),
    "minlstm": m.MinLSTM(),
    "minlstm-signed": m.MinLSTM(eigenvalues="signed"),
    "lru": m.LRU(),
    "indrnn": m.IndRNN(),
    "rnn": m.RNN(),
    "lstm": m.LSTM(),
    "gru": m.GRU(),
    "s5": m.S5(),
    "lmu": m.LMU(),
    "belief-filter": m.BeliefFilter(),
    "ffm": m.FFM(),
    # windows reach over all of a sequence in training
    "frame-window": m.FrameWindow(LONGEST),
    "slstm": m.SLSTM(),
    "mlstm": m.MLSTM(),
    "attention": m.Attention(window=LONGEST),
    "fast-weights": m.FastWeights(),
    "deltanet": m.DeltaNet(),
    "external": m.External(),
    "gtrxl": m.GTrXL(memory_length=LONGEST - 1),
    "selective-ssm": m.SelectiveSSM(),
}  # in ascending order of their cost, more or less


@dataclass(frozen=True, kw_only=True)
class Run:
    """One training run.

    Args:
        task: Its name.
        memory: Its name.
        seed: Of the weights and the data.
        steps: Of Adam, each on sequences of one length, drawn from 1 to 40.
        columns: Sequences of a step.
        learning_rate: At first; it falls linearly to 0 in the second half.
        largest_gradient: The norm that gradients are cut to.
        tested: Sequences of the test.
    """

    task: str
    memory: str
    seed: int = 0
    steps: int = 4000
    columns: int = 64
    learning_rate: float = 1e-2
    largest_gradient: float = 1.0
    tested: int = 256

    def __str__(self) -> str:
        return f"{self.task}_{self.memory}_{self.seed}"


class Tracker(nn.Module):
    """A memory and a linear readout."""

    def __init__(self, task: Task, spec: m.MemorySpec) -> None:
        super().__init__()
        self.task, self.memory = task, spec.build(task.symbols)
        self.readout = nn.Linear(self.memory.output_size, task.states)

    def forward(self, symbols: Tensor) -> Tensor:
        """Return logits of the state after each of symbols [T, B], [T, B, states]."""
        inputs = one_hot(symbols, self.task.symbols).float()
        starts = torch.zeros(symbols.shape, dtype=torch.bool)  # one episode, from the initial state
        outputs, _ = self.memory(inputs, self.memory.initial_state(symbols.shape[1]), starts)
        return self.readout(outputs)


def train(run: Run, tracker: Tracker, generator: torch.Generator) -> None:
    optimiser = torch.optim.Adam(tracker.parameters(), lr=run.learning_rate)
    falling = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: min(1.0, 2 - 2 * step / run.steps))
    for step in range(run.steps):
        length = int(torch.randint(1, LONGEST + 1, (), generator=generator))
        symbols, labels = tracker.task.draw(length, run.columns, generator)
        loss = cross_entropy(tracker(symbols).flatten(0, 1), labels.flatten())
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(tracker.parameters(), run.largest_gradient)
        optimiser.step()
        falling.step()
        if (step + 1) % max(1, run.steps // 4) == 0:
            print(f"{run}: step {step + 1} of {run.steps}, length {length}, loss {loss.item():.4f}", flush=True)


@torch.no_grad()
def accuracies(run: Run, tracker: Tracker) -> dict[str, float]:
    """Return, for each length, the share of right labels in the last quarter of sequences of that length.

    Memories are causal, so the first steps of long sequences are short ones.
    """
    symbols, labels = tracker.task.draw(max(LENGTHS), run.tested, torch.Generator().manual_seed(10_000))
    right = (tracker(symbols).argmax(-1) == labels).double()
    return {str(length): right[length * 3 // 4 : length].mean().item() for length in LENGTHS}


def execute(run: Run, folder: Path) -> None:
    """Train and test, and write the result; nothing to do where it is there."""
    path = folder / f"{run}.json"
    if path.exists() and json.loads(path.read_text())["steps"] == run.steps:
        return
    torch.set_num_threads(1)
    torch.manual_seed(run.seed)
    started = time.perf_counter()
    tracker = Tracker(TASKS[run.task], MEMORIES[run.memory])
    train(run, tracker, torch.Generator().manual_seed(run.seed))
    seconds = round(time.perf_counter() - started, 1)
    result = {**asdict(run), "accuracy": accuracies(run, tracker), "seconds": seconds}
    path.write_text(json.dumps(result, indent=1) + "\n")
    shown = ", ".join(f"{accuracy:.3f} at {length}" for length, accuracy in result["accuracy"].items())
    print(f"{run}: {shown} ({seconds:.0f} s)", flush=True)


def load(folder: Path) -> list[dict[str, Any]]:
    """Return the results that are there, those of one task and memory together, in the order of the dictionaries."""
    results = [json.loads(path.read_text()) for path in folder.glob("*.json")]
    tasks, memories = list(TASKS), list(MEMORIES)
    return sorted(results, key=lambda r: (tasks.index(r["task"]), memories.index(r["memory"]), r["seed"]))


def by_memory(results: Iterable[dict[str, Any]]) -> dict[tuple[str, str], Tensor]:
    """Return accuracies [seeds, lengths] of each task and memory."""
    groups = groupby(results, key=lambda r: (r["task"], r["memory"]))
    return {key: torch.tensor([list(r["accuracy"].values()) for r in group]) for key, group in groups}


def write_csv(results: list[dict[str, Any]], path: Path) -> None:
    rows = [{**{k: v for k, v in r.items() if k != "accuracy"}, **r["accuracy"]} for r in results]
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys(), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def table(results: list[dict[str, Any]]) -> str:
    """Return a table in Markdown: the mean over seeds, and in brackets the best seed at that length."""
    lines = [f"| task | memory | seeds | {' | '.join(map(str, LENGTHS))} |", "|---|---|---|" + "---|" * len(LENGTHS)]
    for (task, memory), found in by_memory(results).items():
        cells = [f"{column.mean():.2f} ({column.max():.2f})" for column in found.T]
        lines.append(f"| {task} | {memory} | {len(found)} | {' | '.join(cells)} |")
    return "\n".join(lines)


def draw(results: list[dict[str, Any]], path: Path) -> None:
    """Draw the mean over seeds against the length, a panel for each task and a line for each memory."""
    figure, groups = Figure(figsize=(5 * len(TASKS) + 2, 4.2), layout="constrained"), by_memory(results)
    for axes, task in zip(figure.subplots(1, len(TASKS), sharey=True), TASKS.values(), strict=True):
        for i, memory in enumerate(MEMORIES):
            if (task.name, memory) in groups:
                style = ".-" if i < 10 else (".--" if i < 20 else ".:")  # there are ten colours
                axes.plot(LENGTHS, groups[task.name, memory].mean(0), style, color=f"C{i % 10}", label=memory)
        axes.axhline(1 / task.states, color="grey", linewidth=0.8, linestyle=":")
        axes.set(title=task.name, xlabel="length", xscale="log", xticks=LENGTHS, xticklabels=LENGTHS)
        axes.minorticks_off()
    figure.axes[0].set_ylabel("accuracy in the last quarter")
    figure.axes[-1].legend(loc="center left", bbox_to_anchor=(1.02, 0.5), frameon=False, fontsize=8)
    figure.savefig(path, dpi=110)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--memories", nargs="+", choices=list(MEMORIES), default=list(MEMORIES), metavar="NAME")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1])
    parser.add_argument("--tasks", nargs="+", choices=list(TASKS), default=list(TASKS))
    parser.add_argument("--steps", type=int, default=Run.steps)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--results", type=Path, default=RESULTS)
    options = parser.parse_args()
    folder = options.results / "generalise"
    folder.mkdir(parents=True, exist_ok=True)
    runs = [
        Run(task=task, memory=memory, seed=seed, steps=options.steps)
        for memory in options.memories
        for task in options.tasks
        for seed in options.seeds
    ]
    with ProcessPoolExecutor(options.processes, mp_context=get_context("spawn")) as pool:
        list(pool.map(execute, runs, [folder] * len(runs)))
    results = load(folder)
    write_csv(results, options.results / "generalise.csv")
    draw(results, options.results / "generalise.png")
    print(table(results))


if __name__ == "__main__":
    main()
