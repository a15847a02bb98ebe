"""Recordings are cut where their lengths say, and equal ones count once."""

import io

import numpy as np

from recurrent_rl.sequence.batch import Examples
from recurrent_rl.sequence.data.spoken_digits import parse, split


def test_recordings_are_cut_by_their_lengths():
    steps, file = np.arange(18, dtype=np.float32).reshape(6, 3), io.BytesIO()
    np.savez(file, X=steps, y=np.array([7, 0, 2]), lengths=np.array([1, 3, 2]))
    found = parse(file.getvalue())
    assert [len(row) for row in found.inputs] == [1, 3, 2]
    np.testing.assert_array_equal(np.concatenate(found.inputs), steps)
    assert list(found.targets) == [7, 0, 2]


def test_a_recording_that_is_there_twice_is_in_one_part():
    rng = np.random.default_rng(0)
    rows = [rng.normal(size=(5, 2)).astype(np.float32) for _ in range(40)]
    found = split(Examples(rows * 2, np.arange(80) % 10))
    parts = [{row.tobytes() for row in part.inputs} for part in (found.train, found.validation, found.test)]
    assert sum(map(len, parts)) == len(set().union(*parts)) == 40
    assert len(parts[2]) == 8 or abs(len(parts[2]) - 8) <= 10  # a fifth of each digit, rounded by chance
