"""Every task runs once, on torch's threads or on our own."""

import numpy as np
import pytest
import torch

from recurrent_rl.compiled import threads
from recurrent_rl.compiled.threads import run_tasks


@threads.task
def count_one(a):
    """Add the second number of a row to its first."""
    a[0] += a[1]


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("of_our_own", [False, True])
def test_every_task_runs_once(workers, of_our_own, monkeypatch):
    before = torch.get_num_threads()
    torch.set_num_threads(workers)
    if of_our_own:
        monkeypatch.setattr(threads, "_parallel", lambda: threads._parallel_by_threads)
    tables = np.stack([np.zeros(57, dtype=np.int64), np.arange(57)], axis=1)
    run_tasks(count_one, tables)
    torch.set_num_threads(before)
    assert tables[:, 0].tolist() == list(range(57))
