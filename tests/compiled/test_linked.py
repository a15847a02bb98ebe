"""Functions that tasks call are code in the tasks, and nowhere else."""

import gc

import numpy as np
import pytest
from numba import types
from numba.core.registry import cpu_target

from recurrent_rl.compiled.decorators import compiled, row_loop
from recurrent_rl.compiled.task import Task, floats


@row_loop
def _double(row):
    for u in range(len(row)):
        row[u] *= 2.0


@compiled
def _halve(row):
    for u in range(len(row)):
        row[u] *= 0.5


@compiled
def _double_all(rows):
    for i in range(len(rows)):
        _double(rows[i])
    return len(rows)


def double_table(a):
    """Double the float32 array [a[1], a[2]] at the address a[0], and put the number of its rows in a[3]."""
    a[3] = _double_all(floats(a[0], a[1], a[2]))


@pytest.fixture
def task(monkeypatch, tmp_path):
    monkeypatch.setattr("numba.core.config.CACHE_DIR", str(tmp_path))
    return Task(double_table)


def test_a_task_runs_the_functions_that_it_calls_after_compiling_and_from_the_disk(task):
    for each in (task, Task(double_table)):
        numbers = np.arange(6, dtype=np.float32).reshape(2, 3)
        table = np.array([numbers.ctypes.data, 2, 3, 0])
        each.call(table.ctypes.data)
        assert (table[3], numbers.tolist()) == (2, [[0, 2, 4], [6, 8, 10]])


@pytest.mark.parametrize(("function", "expected"), [(_halve, False), (_double, True)])
def test_functions_that_tasks_call_get_no_machine_code_but_for_loops_over_a_row(function, expected):
    function.compile((types.Array(types.float32, 1, "C"),))
    [made] = function.overloads.values()
    assert cpu_target.target_context.codegen()._engine.is_symbol_defined(made.fndesc.mangled_name) == expected


@pytest.mark.parametrize("running", [True, False])
def test_compiling_leaves_the_garbage_collector_as_it_was(task, running):
    before = gc.isenabled()
    try:
        (gc.enable if running else gc.disable)()
        assert task.address
        assert gc.isenabled() == running
    finally:
        (gc.enable if before else gc.disable)()
