"""Where the figures of a trial's training go beside its result."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from recurrent_rl.sequence.benchmark.trial import Trial
from recurrent_rl.sequence.training import Record, to_tensorboard


@dataclass(frozen=True, kw_only=True)
class ToTensorBoard:
    """TensorBoard events of each trial.

    Args:
        folder: For a folder of each task, with one of each trial in it.
    """

    folder: Path

    @contextmanager
    def __call__(self, trial: Trial) -> Iterator[Record]:
        """Return a record of a trial."""
        yield to_tensorboard(self.folder / trial.task / trial.name)
