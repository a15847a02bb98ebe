"""Every task runs once, on torch's threads or on our own."""

import os
import subprocess
import sys

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


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_process_does_not_wait_for_threads_that_it_does_not_have():
    code = (
        "import os, torch\n"
        "torch.set_num_threads(2)\n"
        "from recurrent_rl.memory import GRU\n"
        "memory, starts = GRU(hidden_size=256).build(3), torch.zeros(64, 8, dtype=torch.bool)\n"
        "run = lambda: memory(torch.zeros(64, 8, 3), memory.initial_state(8), starts)\n"
        "run()\n"
        "child = os.fork()\n"
        "if child == 0:\n"
        "    run()\n"
        "    os._exit(7)\n"
        "print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.stdout.strip() == "7"
