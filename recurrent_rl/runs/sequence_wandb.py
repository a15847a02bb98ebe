"""Training figures of the sequence benchmark to Weights & Biases: a run for each trial."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from recurrent_rl.sequence.benchmark.trial import Trial
from recurrent_rl.sequence.training import Record


@dataclass(frozen=True, kw_only=True)
class ToWandb:
    """Loss and validation scores over the steps of each trial; a failure warns once a trial and stops nothing.

    Args:
        project: Name of the project.
        folder: Under which wandb writes.
    """

    project: str
    folder: Path

    @contextmanager
    def __call__(self, trial: Trial) -> Iterator[Record]:
        """Open a run of a trial's name, in the group of its task."""
        run = self._start(trial)
        if run is None:
            yield _nothing
            return
        try:
            yield lambda step, figures: run.log(figures, step=step)
        finally:
            run.finish()

    def _start(self, trial: Trial):
        import wandb

        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            return wandb.init(
                project=self.project, name=trial.name, group=trial.task, config=asdict(trial), dir=str(self.folder)
            )
        except Exception as error:
            warnings.warn(f"Weights & Biases tracking failed and is off; training goes on. {error!r}", stacklevel=2)
            return None


def _nothing(step: int, figures: dict[str, float]) -> None:
    """Take figures, and do nothing with them."""
