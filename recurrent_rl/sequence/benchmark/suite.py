"""Which trials a comparison needs, and running them: tuning first, then fresh seeds with what was best on validation.

What has a result is not run again, and a trial that was stopped goes on from its checkpoint: a suite can run for days in
pieces. Trials run in processes of one thread each.
"""

import json
import multiprocessing
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from tqdm import tqdm

from recurrent_rl.sequence.benchmark.entrants import ENTRANTS
from recurrent_rl.sequence.benchmark.trial import Setting, Trial, entrant_of, run_trial
from recurrent_rl.sequence.benchmark.works import WORKS, Work
from recurrent_rl.sequence.task import Task

FULL = tuple(Setting(learning_rate=rate, dropout=dropout) for rate in (1e-3, 3e-3, 1e-2) for dropout in (0.0, 0.2))
SHORT = tuple(Setting(learning_rate=rate) for rate in (1e-3, 3e-3, 1e-2))
TUNING_SEED = 1000  # not among the seeds that count
Result = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Suite:
    """A comparison.

    Args:
        tasks: Names of tasks.
        models: Names of models, or "all".
        folder: Where results are.
        processes: Trials at once.
    """

    tasks: Sequence[str]
    models: Sequence[str] = ("all",)
    folder: Path = Path("runs/sequence")
    processes: int = 1

    def run(self) -> None:
        """Run what has no result yet: settings first, then seeds."""
        for task in self.tasks:
            models = self.models_of(WORKS[task].task())
            self._run(task, [trial for model in models for trial in self.tuning(task, model)], "tuning")
            self._run(task, [trial for model in models for trial in self.final(task, model)], "seeds")

    def models_of(self, task: Task) -> list[str]:
        """Return the chosen models that can be asked what the task asks."""
        chosen = [entrant.name for entrant in ENTRANTS] if "all" in self.models else list(self.models)
        return [name for name in chosen if entrant_of(name).causal or not task.problem.causal]

    def tuning(self, task: str, model: str) -> list[Trial]:
        """Return a trial for each setting: six with the full protocol, else three."""
        settings = FULL if WORKS[task].task().full else SHORT
        return [Trial(task=task, model=model, seed=TUNING_SEED, setting=one, tuning=True) for one in settings]

    def final(self, task: str, model: str) -> list[Trial]:
        """Return a trial for each fresh seed, five with the full protocol and else three, with the best setting.

        Raises:
            ValueError: Tuning has not been run.
        """
        setting, seeds = self.best(task, model), 5 if WORKS[task].task().full else 3
        return [Trial(task=task, model=model, seed=seed, setting=setting) for seed in range(seeds)]

    def best(self, task: str, model: str) -> Setting:
        """Return the setting with the best validation score."""
        sign = 1.0 if WORKS[task].task().higher_is_better else -1.0
        trials = self.tuning(task, model)
        missing = [trial.name for trial in trials if not self.path(trial).exists()]
        if missing:
            raise ValueError(f"{missing[0]} has no result yet; run the suite.")
        return max(trials, key=lambda trial: sign * self.result(trial)["validation"]).setting

    def path(self, trial: Trial) -> Path:
        """Return where a trial's result is."""
        return self.folder / trial.task / f"{trial.name}.json"

    def result(self, trial: Trial) -> Result:
        """Return a trial's result."""
        return json.loads(self.path(trial).read_text())

    def results(self) -> Iterator[Result]:
        """Yield all results that are there, tuning too."""
        for task in self.tasks:
            for path in sorted((self.folder / task).glob("*.json")):
                yield json.loads(path.read_text())

    def _run(self, task: str, trials: list[Trial], what: str) -> None:
        waiting = [trial for trial in trials if not self.path(trial).exists()]
        if not waiting:
            return
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(self.processes, mp_context=context, initializer=_one_thread) as pool:
            running = {pool.submit(_run_one, trial, WORKS[task], self.folder / task): trial for trial in waiting}
            for done in tqdm(as_completed(running), total=len(running), desc=f"{task}, {what}", unit="trial"):
                done.result()


def _one_thread() -> None:
    torch.set_num_threads(1)


def _run_one(trial: Trial, work: Work, folder: Path) -> None:
    run_trial(trial, work.task(), work.config, folder)
