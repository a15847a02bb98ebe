"""Train a GRU with the command line's defaults on worlds of the POPGym suite, and draw its learning curves.

    python -m experiments.popgym.run
    python -m experiments.popgym.run --tasks RepeatPreviousEasy --seeds 0

Each run is what `recurrent-rl train` of the README's command does, in runs/popgym/<world>_<seed>; one that was stopped
is resumed, one that is done is only evaluated. Writes results/<world>_<seed>.json and results/curves.png.
"""

import argparse
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from recurrent_rl.runs.config import RunConfig
from recurrent_rl.runs.evaluate import evaluate
from recurrent_rl.runs.folder import RunFolder
from recurrent_rl.runs.options import Options
from recurrent_rl.runs.train import resume, train

RESULTS, RUNS = Path(__file__).parent / "results", Path("runs/popgym")
EPISODES = 100
NEEDED = 0.99
EVALUATE_EVERY = 50_000


@dataclass(frozen=True, kw_only=True)
class Task:
    """A world, the steps that it gets, and what differs from the command line's defaults."""

    world: str
    steps: int
    changed: dict[str, Any]

    def config(self, seed: int) -> RunConfig:
        """Return the run's configuration."""
        env = f"pomdp_envs/{self.world}-v0"
        return RunConfig(env=env, memory="gru", steps=self.steps, seed=seed, **self.changed)

    def command(self, seed: int) -> str:
        """Return the command line that does the same."""
        changed = "".join(f" --{name.replace('_', '-')} {value}" for name, value in self.changed.items())
        start = f"recurrent-rl train --env pomdp_envs/{self.world}-v0 --memory gru"
        return f"{start} --steps {self.steps} --seed {seed}{changed}"


TASKS = (
    Task(world="RepeatPreviousEasy", steps=1_000_000, changed={}),
    Task(world="RepeatFirstEasy", steps=1_000_000, changed={}),
    Task(world="PositionOnlyCartPoleHard", steps=400_000, changed={"gamma": 0.998}),
)


def run(task: Task, seed: int) -> dict[str, Any]:
    """Train (or go on), evaluate the final policy, and return what is recorded."""
    path = RUNS / f"{task.world}_{seed}"
    options = Options(progress_bar=False, eval_every=EVALUATE_EVERY, eval_episodes=50)
    print(task.command(seed), flush=True)
    started = (path / "config.json").exists()
    stopped = resume(path, options) if started else train(task.config(seed), path, options)
    if stopped:
        print("Nothing of it is recorded; the same command goes on.")
        raise SystemExit(stopped)
    mean, deviation = evaluate(path, EPISODES, deterministic=True)
    curve = learning_curve(path)
    reached = next((step for step, score in curve if score >= NEEDED), None)
    return {
        "command": task.command(seed),
        "mean_return": mean,
        "std_return": deviation,
        "episodes": EPISODES,
        "first_evaluation_at_0.99": reached,
        "curve": curve,
    }


def learning_curve(path: Path) -> list[tuple[int, float]]:
    """Return (steps, mean return of the evaluation episodes, deterministic) of a run."""
    rows = RunFolder(path).rows()
    return [
        (int(row["time/total_timesteps"]), row["eval/mean_reward"])
        for row in rows
        if not np.isnan(row.get("eval/mean_reward", np.nan))
    ]


def draw(path: Path) -> None:
    """Draw the recorded curves, a panel per world."""
    figure = Figure(figsize=(4 * len(TASKS), 3.2), layout="constrained")
    for axis, task in zip(figure.subplots(1, len(TASKS), sharey=True), TASKS, strict=True):
        for file in sorted(RESULTS.glob(f"{task.world}_*.json")):
            steps, scores = zip(*json.loads(file.read_text())["curve"], strict=True)
            axis.plot(np.array(steps) / 1000, scores, label=f"seed {file.stem.rpartition('_')[2]}")
        axis.axhline(NEEDED, color="grey", linewidth=0.8, linestyle="--")
        axis.set(title=task.world, xlabel="thousand steps")
    figure.axes[0].set_ylabel("mean return of 50 episodes")
    figure.axes[0].legend()
    figure.savefig(path, dpi=110)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    worlds = [task.world for task in TASKS]
    parser.add_argument("--tasks", nargs="+", choices=worlds, default=worlds)
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    options = parser.parse_args()
    RESULTS.mkdir(exist_ok=True)
    for task in (task for task in TASKS if task.world in options.tasks):
        for seed in options.seeds:
            result = run(task, seed)
            (RESULTS / f"{task.world}_{seed}.json").write_text(json.dumps(result, indent=1) + "\n")
            print(f"{task.world}, seed {seed}: {result['mean_return']:.4f}", flush=True)
    draw(RESULTS / "curves.png")


if __name__ == "__main__":
    main()
