"""exp and the logistic function in tasks: to rounding where float32 has room, and at both ends of it."""

import numpy as np

from recurrent_rl.compiled.decorators import row_loop
from recurrent_rl.compiled.exponential import exp, sigmoid
from recurrent_rl.compiled.task import floats, task
from recurrent_rl.compiled.threads import run_tasks


@row_loop
def _exp_in_place(row):
    for u in range(len(row)):
        row[u] = exp(row[u])


@row_loop
def _sigmoid_in_place(row):
    for u in range(len(row)):
        row[u] = sigmoid(row[u])


@task
def exponentials(a):
    """Replace the a[1] numbers at the address a[0] by their exp, or with a[2] by their logistic function."""
    row = floats(a[0], 1, a[1])[0]
    if a[2]:
        _sigmoid_in_place(row)
    else:
        _exp_in_place(row)


def results(numbers, logistic=False):
    row = np.array(numbers, dtype=np.float32)
    run_tasks(exponentials, np.array([[row.ctypes.data, len(row), logistic]], dtype=np.int64))
    return row


def test_exp_is_right_to_rounding():
    x = np.concatenate([np.linspace(-87, 88.3, 100_001), np.geomspace(1e-45, 1, 999)]).astype(np.float32)
    exact = np.exp(x.astype(np.float64))
    assert (np.abs(results(x) - exact) <= 3e-7 * exact).all()


def test_exp_ends_where_it_says():
    least = np.exp(-87.0)
    np.testing.assert_allclose(results([-np.inf, -3e38, -88.0, -87.0]), least, rtol=3e-7)
    assert (results([88.4, 88.7, 90.0, 1e3, 3e38, np.inf]) == np.inf).all()
    assert np.isnan(results([np.nan, -np.nan])).all()


def test_the_logistic_function_closes_and_opens_all_the_way():
    assert results([-np.inf, -3e38, -88.4], True).tolist() == [0.0, 0.0, 0.0]
    assert results([20.0, 88.4, 3e38, np.inf], True).tolist() == [1.0] * 4
    x = np.linspace(-88.3, 20, 100_001).astype(np.float32)
    exact = 1 / (1 + np.exp(-x.astype(np.float64)))
    assert (np.abs(results(x, True) - exact) <= 4e-7 * exact).all()
