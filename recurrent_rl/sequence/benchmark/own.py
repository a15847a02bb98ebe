"""The whole comparison on a user's own data."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from recurrent_rl.sequence.benchmark.costs import measure_all
from recurrent_rl.sequence.benchmark.report import report
from recurrent_rl.sequence.benchmark.suite import Suite
from recurrent_rl.sequence.benchmark.works import Work
from recurrent_rl.sequence.data.own import OwnData
from recurrent_rl.sequence.training import TrainConfig


def own_work(data: OwnData, name: str = "own", *, steps: int = 2000, batch_size: int = 32) -> Work:
    """Return a user's data as a task with its training: three settings are tuned, and three seeds are run."""
    return Work(task=partial(data.task, name), config=TrainConfig(steps=steps, batch_size=batch_size))


def compare(
    data: OwnData,
    folder: str | Path = "runs/own",
    *,
    models: Sequence[str] = ("all",),
    steps: int = 2000,
    processes: int = 1,
) -> str:
    """Tune, train and test the models on a user's data; return the table, and write it with pictures into `folder`.

    What is there already is not run again, so an interrupted comparison goes on. A script that calls this needs the guard
    `if __name__ == "__main__":`, for trials run in processes of their own.

    Args:
        data: From `from_arrays`, `from_csv` or `from_npz`.
        folder: Of this data: results, and the report.
        models: Names of models, or "all".
        steps: Optimiser steps of each run.
        processes: Trials at once.
    """
    folder = Path(folder)
    suite = Suite(works={"own": own_work(data, steps=steps)}, models=models, folder=folder, processes=processes)
    suite.run()
    measure_all(suite)
    return report(suite, folder)
