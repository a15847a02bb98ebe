"""Which trials a comparison needs, and running them: tuning first, then fresh seeds with what was best on validation.

What has a result is not run again, and a trial that was stopped goes on from its checkpoint: a suite can run for days in
pieces. Trials run in processes of one thread each.
"""

import multiprocessing
import os
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing.connection import wait
from pathlib import Path

import torch
from tqdm import tqdm

from recurrent_rl.sequence.benchmark.entrant import Entrant, Setting
from recurrent_rl.sequence.benchmark.entrants import entrants_for
from recurrent_rl.sequence.benchmark.results import Results
from recurrent_rl.sequence.benchmark.trial import Recorder, Trial, run_trial
from recurrent_rl.sequence.benchmark.works import Work

TUNING_SEED = 1000  # not among the seeds that count


@dataclass(frozen=True, kw_only=True)
class Suite:
    """A comparison.

    Args:
        works: Tasks by name, with their training.
        models: Names of models, or "all".
        folder: Where results are: a file for each task, with a line for each trial.
        processes: Trials at once.
        recorders: Where the figures of each training go, beside the results.
    """

    works: Mapping[str, Work]
    models: Sequence[str] = ("all",)
    folder: Path = Path("runs/sequence")
    processes: int = 1
    recorders: tuple[Recorder, ...] = ()

    def run(self) -> None:
        """Run what has no result yet: settings first, then seeds.

        Raises:
            ValueError: A model is unknown, none suits any of the tasks, or with every setting it diverged.
        """
        if len(self.without_models()) == len(self.works):
            raise ValueError(
                f"{', '.join(self.models)} cannot be asked what {', '.join(self.works)} asks; name other models."
            )
        for task, work in self.works.items():
            entrants = entrants_for(work.task(), self.models)
            tuner = self._tuner(task)
            self._run(tuner, [trial for one in entrants for trial in tuning(tuner, one)], f"{task}, tuning")
            self._run(work, [trial for one in entrants for trial in self.final(task, one)], f"{task}, seeds")

    def without_models(self) -> list[str]:
        """Return the names of the tasks that none of the models suits."""
        return [name for name, work in self.works.items() if not entrants_for(work.task(), self.models)]

    def final(self, task: str, entrant: Entrant) -> list[Trial]:
        """Return a trial for each fresh seed, with the best setting.

        Raises:
            ValueError: Tuning has not been run, or diverged with every setting.
        """
        setting = self.best(task, entrant)
        work = self.works[task]
        return [
            Trial(task=task, model=entrant.name, seed=seed, setting=setting, steps=work.config.steps)
            for seed in work.final_seeds
        ]

    def is_tuned(self, task: str, entrant: Entrant) -> bool:
        """Return whether every setting was tried, and one of them did not diverge."""
        found = [Results(self.folder).of(trial) for trial in tuning(self._tuner(task), entrant)]
        return None not in found and (not found or any("error" not in result for result in found if result))

    def best(self, task: str, entrant: Entrant) -> Setting:
        """Return the setting with the best score on the validation data; of equal ones that with the least loss."""
        one, trials = self._tuner(task).task(), tuning(self._tuner(task), entrant)
        if not trials:
            return entrant.settings(one)[0]
        found = [Results(self.folder).of(trial) for trial in trials]
        tried = {trial.setting: result for trial, result in zip(trials, found, strict=True) if result is not None}
        if len(tried) < len(trials):
            raise ValueError(f"{one.name} is not tuned for {entrant.name} yet; run the suite.")
        sign = 1.0 if one.higher_is_better else -1.0
        ranks = {
            setting: (sign * result["validation"], -result["validation_loss"])
            for setting, result in tried.items()
            if "error" not in result
        }
        if not ranks:
            raise ValueError(f"{entrant.name} diverged on {one.name} with every setting; lower the learning rates.")
        return max(ranks, key=lambda setting: ranks[setting])

    def _tuner(self, task: str) -> Work:
        """Return the work on which a task's settings are tuned."""
        return self.works[task].tuned_as or self.works[task]

    def _run(self, work: Work, trials: Sequence[Trial], what: str) -> None:
        """Run the trials that have no result, several at once, and keep each as it comes."""
        results = Results(self.folder)
        waiting = [trial for trial in trials if results.of(trial) is None]
        if not waiting:
            return
        folder, context = self.folder / "unfinished", multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(self.processes, mp_context=context, initializer=_prepare_process) as pool:
            running = [pool.submit(run_trial, trial, work, folder, self.recorders) for trial in waiting]
            for done in tqdm(as_completed(running), total=len(running), desc=what, unit="trial"):
                results.add(done.result())


def tuning(work: Work, entrant: Entrant) -> list[Trial]:
    """Return a trial for each setting that is tried; none where there is no choice."""
    task = work.task()
    settings = entrant.settings(task)
    tried = settings if len(settings) > 1 else ()
    return [
        Trial(task=task.name, model=entrant.name, seed=TUNING_SEED, setting=one, steps=work.tuning_steps, tuning=True)
        for one in tried
    ]


def _prepare_process() -> None:
    """Use one thread, take numbers below 1e-38 as 0, and end with the suite's process, however that ends.

    Gradients that fade over hundreds of steps come to be so small, and a processor takes many times as long for them.
    """
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    parent = multiprocessing.parent_process()
    assert parent is not None
    threading.Thread(target=_end_with, args=(parent.sentinel,), daemon=True).start()


def _end_with(sentinel: int) -> None:
    wait([sentinel])
    os._exit(1)
