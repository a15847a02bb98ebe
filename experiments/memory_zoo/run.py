"""Train every memory on four worlds of POPGym with equally many parameters, and compare.

    python -m experiments.memory_zoo.run
    python -m experiments.memory_zoo.run --worlds RepeatPreviousEasy --memories GRU LRU --seeds 0 1 2
    python -m experiments.memory_zoo.report

Runs are those of `recurrent-rl train`, in runs/memory_zoo/<world>_<memory>_<seed>/, as many at once as --processes, each on
one thread. What was stopped goes on where it stopped; what has a result in results/runs/ is not run again. The report
writes the tables and pictures.
"""

import argparse
import contextlib
import json
import multiprocessing
import sys
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from experiments.memory_zoo.entrants import ENTRANTS, memory_fields
from recurrent_rl.runs.config import RunConfig
from recurrent_rl.runs.evaluate import evaluate
from recurrent_rl.runs.options import Options
from recurrent_rl.runs.train import resume, train

RESULTS, RUNS = Path(__file__).parent / "results" / "runs", Path("runs/memory_zoo")
EPISODES = 100
WORLDS = ("RepeatPreviousEasy", "RepeatPreviousMedium", "CountRecallEasy", "NoisyPositionOnlyCartPoleHard")
STEPS = 250_000
# Gradients flow through a whole rollout: RepeatPreviousMedium asks for what was 31 steps ago.
SETTINGS: dict[str, Any] = {"n_envs": 32, "n_steps": 128, "bptt_horizon": 128, "batch_size": 1024, "n_epochs": 10}


@dataclass(frozen=True)
class Job:
    """One run."""

    world: str
    entrant: str
    seed: int
    steps: int

    @property
    def name(self) -> str:
        """Of its folder and its result."""
        more = "" if self.steps == STEPS else f"_{self.steps}"
        return f"{self.world}_{self.entrant.replace(' ', '-')}_{self.seed}{more}"

    @property
    def result(self) -> Path:
        """Where its result is written."""
        return RESULTS / f"{self.name}.json"

    def config(self) -> RunConfig:
        """Return the run's configuration."""
        entrant = next(entrant for entrant in ENTRANTS if entrant.name == self.entrant)
        fields = memory_fields(entrant, self.world)
        env = f"pomdp_envs/{self.world}-v0"
        return RunConfig(
            env=env, memory=entrant.memory, memory_fields=fields, steps=self.steps, seed=self.seed, **SETTINGS
        )


def run(job: Job) -> dict[str, Any] | None:
    """Train (or go on), evaluate, and return what is recorded; None where a signal stopped it."""
    path, config = RUNS / job.name, job.config()
    options = Options(progress_bar=False, checkpoint_every=100_000)
    begun = time.process_time()
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_suffix(".log").open("a") as log, contextlib.redirect_stdout(log):
        started = (path / "config.json").exists()
        if started and RunConfig.read(path / "config.json") != config:
            raise ValueError(f"{path} holds a run with other settings; delete it.")
        stopped = resume(path, options) if started else train(config, path, options)
        seconds = spent(path, time.process_time() - begun)
        if stopped:
            return None
        mean, deviation = evaluate(path, EPISODES, deterministic=True)
    return {
        "world": job.world,
        "memory": job.entrant,
        "seed": job.seed,
        "steps": job.steps,
        "mean_return": mean,
        "std_return": deviation,
        "episodes": EPISODES,
        **sizes(config),
        "cpu_seconds": round(seconds, 1),
    }


def spent(path: Path, seconds: float) -> float:
    """Add to the CPU time that the run has taken so far, and return all of it: a busy machine does not change that."""
    file = path / "cpu_seconds.txt"
    total = seconds + (float(file.read_text()) if file.exists() else 0.0)
    file.write_text(f"{total}\n")
    return total


def sizes(config: RunConfig) -> dict[str, int]:
    """Return the numbers of parameters and of numbers in the state of one column."""
    policy = config.make_model().policy
    count = sum(parameter.numel() for parameter in policy.parameters())
    return {"parameters": count, "state_numbers": sum(leaf.numel() for leaf in policy.initial_state(1))}


def jobs(options: argparse.Namespace) -> list[Job]:
    """Return what is to be run: first seeds first, so that a table is there early."""
    chosen = [entrant for entrant in ENTRANTS if entrant.name in options.memories]
    wanted = [
        Job(world, entrant.name, seed, options.steps)
        for seed in options.seeds or range(max(entrant.seeds for entrant in chosen))
        for world in options.worlds
        for entrant in chosen
        if options.seeds or seed < entrant.seeds
    ]
    return [job for job in wanted if not job.result.exists()]


def parse() -> argparse.Namespace:
    names = [entrant.name for entrant in ENTRANTS]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--worlds", nargs="+", choices=WORLDS, default=list(WORLDS))
    parser.add_argument("--memories", nargs="+", choices=names, default=names)
    parser.add_argument("--seeds", nargs="+", type=int, help="by default 0 to 2 for five memories, 0 for the others")
    parser.add_argument("--steps", type=int, default=STEPS, help="of the environment, per run")
    parser.add_argument("--processes", type=int, default=2)
    return parser.parse_args()


def main() -> None:
    options = parse()
    RESULTS.mkdir(parents=True, exist_ok=True)
    waiting = jobs(options)
    print(f"{len(waiting)} runs of {options.steps:,} steps, {options.processes} at once", flush=True)
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(options.processes, mp_context=context) as pool:
        running = {pool.submit(run, job): job for job in waiting}
        for number, done in enumerate(as_completed(running), start=1):
            job, result = running[done], done.result()
            if result is None:
                pool.shutdown(cancel_futures=True)
                sys.exit("Stopped; the same command goes on.")
            job.result.write_text(json.dumps(result, indent=1) + "\n")
            print(f"[{number}/{len(waiting)}] {job.name}: {result['mean_return']:.3f}", flush=True)


if __name__ == "__main__":
    main()
