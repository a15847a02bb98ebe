"""The results of trials: a file of JSON lines for each task, to which lines are only added."""

import json
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

from recurrent_rl.sequence.benchmark.entrant import Setting
from recurrent_rl.sequence.benchmark.trial import Result, Trial


class Results:
    """The results in a folder. Several suites may add to them at once.

    Args:
        folder: With a file <task>.jsonl for each task.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def of(self, trial: Trial) -> Result | None:
        """Return the result of a trial, None where there is none yet."""
        for result in self.of_task(trial.task):
            if trial_of(result) == trial:
                return result
        return None

    def of_task(self, task: str) -> Iterator[Result]:
        """Yield all results of a task, in the order in which they came; a line that was cut off is passed over."""
        path = self.folder / f"{task}.jsonl"
        for line in path.read_text().splitlines() if path.exists() else ():
            if line.endswith("}"):
                yield json.loads(line)

    def add(self, result: Result) -> None:
        """Add a line."""
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / f"{result['task']}.jsonl"
        begin = "\n" if path.exists() and not path.read_bytes().endswith(b"\n") else ""  # after a line that was cut off
        with path.open("a") as file:
            file.write(f"{begin}{json.dumps(result)}\n")


def trial_of(result: Result) -> Trial:
    """Return the trial that a result is of."""
    named: dict[str, Any] = {field.name: result[field.name] for field in fields(Trial)}
    return Trial(**{**named, "setting": Setting(**result["setting"])})
