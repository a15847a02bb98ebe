"""A run is one folder: config.json, options.json, metrics.csv, checkpoints/, learning_curve.png, TensorBoard events."""

import itertools
import time
from pathlib import Path

from stable_baselines3.common.logger import CSVOutputFormat, KVWriter, Logger, TensorBoardOutputFormat

from recurrent_rl.runs.config import RunConfig


class RunFolder:
    """Paths of a run.

    Args:
        path: The folder.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.config = path / "config.json"
        self.options = path / "options.json"
        self.metrics = path / "metrics.csv"
        self.curve = path / "learning_curve.png"
        self.latest = path / "checkpoints" / "latest.zip"

    @classmethod
    def new(cls, config: RunConfig, path: Path | None) -> "RunFolder":
        """Make the folder of a new run under runs/, or at `path`; of several processes that try, one gets it.

        Raises:
            ValueError: There is a run at `path` already, or no folder can be made there.
        """
        try:
            folder = cls(_make_automatic(config) if path is None else path)
            folder.path.mkdir(parents=True, exist_ok=True)
            if folder.latest.exists():
                raise FileExistsError
            config.write(folder.config)
        except OSError as error:
            if isinstance(error, FileExistsError) and path is not None and path.is_dir():
                message = f"{path} holds a run already; go on with --resume {path}, or name another folder."
                raise ValueError(message) from error
            raise ValueError(f"No folder can be made for the run ({error}); name another by --run.") from error
        return folder

    def logger(self, resumed_at: int, extra: list[KVWriter]) -> Logger:
        """Open metrics.csv, TensorBoard and further writers.

        Args:
            resumed_at: Steps of the checkpoint that training goes on from; later rows of metrics.csv are dropped, since
                they will be written again. 0 for a new run.
            extra: Further outputs.
        """
        rows = [row for row in self.rows() if row.get("time/total_timesteps", 0.0) <= resumed_at]
        metrics = CSVOutputFormat(str(self.metrics))
        for row in rows:
            metrics.write(dict(row), dict.fromkeys(row, ()))
        return Logger(str(self.path), [metrics, TensorBoardOutputFormat(str(self.path)), *extra])

    def rows(self) -> list[dict[str, float]]:
        """Return metrics.csv, one dict per row with the entries that are there; rows that cannot be read are left out.

        A machine that stops while a row is written leaves a part of it, or zeros.
        """
        if not self.metrics.exists():
            return []
        text = self.metrics.read_text(encoding="utf-8", errors="replace")
        header, *lines = text.split("\n")[:-1] or [""]  # what follows the last line's end is a part of a row
        rows = [_numbers(header.split(","), line.split(",")) for line in lines]
        return [row for row in rows if row is not None]


def _numbers(names: list[str], entries: list[str]) -> dict[str, float] | None:
    """Return the entries of a row of metrics.csv that are not empty, or None where the row is damaged."""
    if len(entries) != len(names):
        return None
    try:
        return {name: float(entry) for name, entry in zip(names, entries) if entry}
    except ValueError:
        return None


def _make_automatic(config: RunConfig) -> Path:
    """Make a folder under runs/ that was not there, and return its path."""
    name = config.env.rpartition("/")[2]
    stem = f"{name}_{config.algo}_{config.memory}_{config.seed}_{time.strftime('%Y%m%d-%H%M%S')}"
    for number in itertools.count(1):
        path = Path("runs") / (stem if number == 1 else f"{stem}-{number}")
        try:
            path.mkdir(parents=True)
        except FileExistsError:  # by another process in this second
            continue
        return path
    raise AssertionError("The numbers do not end.")
