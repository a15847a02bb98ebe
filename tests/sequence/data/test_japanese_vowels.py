"""The .ts format is read as it is written."""

import numpy as np
import pytest

from recurrent_rl.sequence.data.errors import DataError
from recurrent_rl.sequence.data.japanese_vowels import official, parse

TEXT = """#made up: two dimensions
@problemName Made
@equalLength false
@classLabel true 1 2 c
@data
1,2,3:-1,-2.5,-3:c
4:5:1

0.5,0.25:1e-3,0:2
"""


def test_dimensions_become_columns_and_labels_numbers_in_the_order_of_the_header():
    found = parse(TEXT)
    np.testing.assert_array_equal(found.inputs[0], np.array([[1, -1], [2, -2.5], [3, -3]], dtype=np.float32))
    assert [row.shape for row in found.inputs] == [(3, 2), (1, 2), (2, 2)]
    assert {row.dtype for row in found.inputs} == {np.dtype(np.float32)}
    assert list(found.targets) == [2, 0, 1]


def test_carriage_returns_change_nothing():
    np.testing.assert_array_equal(parse(TEXT.replace("\n", "\r\n")).inputs[2], parse(TEXT).inputs[2])


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("4:5:1", "4,4:5:1", "Sequence 1 has dimensions of unequal length"),
        ("4:5:1", "4:5:9", "Sequence 1 has the label '9'"),
        ("@classLabel true 1 2 c\n", "", "no line `@classLabel"),
    ],
)
def test_a_broken_file_is_refused(old, new, message):
    with pytest.raises(DataError, match=message):
        parse(TEXT.replace(old, new))


def test_validation_comes_from_training_and_the_test_is_left_whole():
    train, test = (
        parse(TEXT.split("@data")[0] + "@data\n" + rows) for rows in ("1:2:1\n3:4:1\n5:6:2\n7:8:2\n", "9:9:1\n")
    )
    found = official(train, test, 1 / 2)
    assert [len(part) for part in (found.train, found.validation, found.test)] == [2, 2, 1]
    assert sorted(found.train.targets) == sorted(found.validation.targets) == [0, 1]
