"""A run is one folder: config.json, metrics.csv, checkpoints/, learning_curve.png, TensorBoard events."""

import csv
import time
from pathlib import Path

from stable_baselines3.common.logger import CSVOutputFormat, KVWriter, Logger, TensorBoardOutputFormat

from recurrent_rl.runs.config import RunConfig


class RunFolder:
    """Paths of a run.

    Args:
        path: The folder; made if it is not there.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.config = path / "config.json"
        self.metrics = path / "metrics.csv"
        self.curve = path / "learning_curve.png"
        self.latest = path / "checkpoints" / "latest.zip"
        self.latest.parent.mkdir(parents=True, exist_ok=True)

    @classmethod
    def new(cls, config: RunConfig, path: Path | None) -> "RunFolder":
        """Make the folder of a new run under runs/, or at `path`.

        Raises:
            ValueError: There is a run at `path` already.
        """
        if path is None:
            name = config.env.rpartition("/")[2]
            stem = f"{name}_{config.algo}_{config.memory}_{config.seed}_{time.strftime('%Y%m%d-%H%M%S')}"
            path = Path("runs") / stem
            for number in range(2, 1000):
                if not path.exists():
                    break
                path = Path("runs") / f"{stem}-{number}"
        if (path / "config.json").exists():
            raise ValueError(f"{path} holds a run already; go on with --resume {path}, or name another folder.")
        folder = cls(path)
        config.write(folder.config)
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
        """Return metrics.csv, one dict per row with the entries that are there."""
        if not self.metrics.exists():
            return []
        with self.metrics.open(newline="") as file:
            return [
                {key: float(value) for key, value in row.items() if key and value not in ("", None)}
                for row in csv.DictReader(file)
            ]
