"""Heartbeats of the UCR format, and no beat of the test in training."""

import numpy as np

from recurrent_rl.sequence.batch import Examples
from recurrent_rl.sequence.data.ecg5000 import official, parse


def test_a_line_is_a_label_from_one_and_its_values():
    found = parse(b"1\t0.5\t-2\n5\t1e-1\t3\n")
    assert list(found.targets) == [0, 4]
    np.testing.assert_allclose(found.inputs[1], [[0.1], [3]], rtol=1e-6)
    assert found.inputs[0].dtype == np.float32


def test_beats_of_training_that_the_test_holds_are_removed():
    rng = np.random.default_rng(0)
    rows = [rng.normal(size=(4, 1)).astype(np.float32) for _ in range(25)]
    train, test = (
        Examples([*rows[:20], rows[3]], np.arange(21) % 2),
        Examples([rows[0], *rows[20:]], np.zeros(6, dtype=int)),
    )
    found = official(train, test)
    assert len(found.test) == 6
    assert len(found.train) + len(found.validation) == 19  # rows[0] is of the test, rows[3] was there twice
    parts = [{row.tobytes() for row in part.inputs} for part in (found.train, found.validation, found.test)]
    assert len(set().union(*parts)) == 25
