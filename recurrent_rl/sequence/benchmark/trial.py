"""One training run of one model on one task, and what is kept of it."""

import csv
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from recurrent_rl.sequence.benchmark.entrant import Learned, Setting, Training
from recurrent_rl.sequence.benchmark.entrants import entrant_of
from recurrent_rl.sequence.benchmark.works import Work
from recurrent_rl.sequence.task import Splits, Task
from recurrent_rl.sequence.training import Record, to_csv

Result = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Trial:
    """A run.

    Args:
        task: Name of the task.
        model: Name of the model.
        seed: Of initialisation, order and dropout; made-up data too.
        setting: What was tuned or is.
        steps: Of a network's training.
        tuning: Whether it only serves the choice of a setting; then the test data is not looked at.
    """

    task: str
    model: str
    seed: int
    setting: Setting
    steps: int
    tuning: bool = False

    @property
    def name(self) -> str:
        """Of its files."""
        kind = "tuning" if self.tuning else "run"
        return f"{self.task}_{self.model}_{kind}_{self.setting.name}_{self.steps}_{self.seed}"


Recorder = Callable[[Trial], AbstractContextManager[Record]]
"""Opens a place where the figures of a trial's training go, at each of its evaluations; can be sent to another process."""


def run_trial(trial: Trial, work: Work, folder: Path, recorders: tuple[Recorder, ...] = ()) -> Result:
    """Train (or go on), evaluate, and return the result; a diverged run's has `error` in place of scores.

    Args:
        trial: Which run.
        work: Of the trial's task.
        folder: For the checkpoint and the curve of what is not finished.
        recorders: Where else the curve goes.
    """
    task, begun = work.task(), time.process_time()
    splits = task.load(trial.seed)
    folder.mkdir(parents=True, exist_ok=True)
    saved, curve = folder / f"{trial.name}.pt", folder / f"{trial.name}.csv"
    with ExitStack() as opened:
        records = (to_csv(curve), *(opened.enter_context(recorder(trial)) for recorder in recorders))
        training = Training(config=work.training(trial.steps, trial.seed), checkpoint=saved, records=records)
        try:
            learned = entrant_of(trial.model).learn(task, splits, trial.setting, training)
        except FloatingPointError as error:
            scores: Result = {"error": str(error)}
        else:
            scores = _scores(learned, task, splits, trial.tuning)
    result = {**asdict(trial), "cpu_seconds": time.process_time() - begun, **scores, "curve": _columns(curve)}
    saved.unlink(missing_ok=True)
    curve.unlink(missing_ok=True)
    return result


def _scores(learned: Learned, task: Task, splits: Splits, tuning: bool) -> Result:
    kept = {
        "validation": learned.validation,
        "validation_loss": learned.validation_loss,
        "parameters": learned.parameters,
        **learned.figures,
    }
    return kept if tuning else kept | tested(learned, task, splits)


def tested(learned: Learned, task: Task, splits: Splits) -> Result:
    """Return the scores on the test data, and on longer sequences by their name: they are read here and nowhere else."""
    everything = {"test": splits.test, **splits.longer}
    scores = {name: task.problem.scores(learned.predict(part), part) for name, part in everything.items()}
    more = {} if learned.more is None else learned.more(splits.test)
    return {"test": scores.pop("test") | more, "longer": scores}


def _columns(path: Path) -> dict[str, list[float]]:
    """Return the curve's columns by name; none where nothing was trained step by step."""
    if not path.exists():
        return {}
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    return (
        {name: [float(f"{float(row[name]):.5g}") for row in rows if row.get(name)] for name in rows[0]} if rows else {}
    )
