"""Pickles in .npy files give values and arrays of numbers, and run nothing."""

import io
import pickle
from pathlib import Path

import numpy as np
import pytest

from recurrent_rl.sequence.data.errors import DataError
from recurrent_rl.sequence.data.object_arrays import read_object

VALUE = {
    "rows": [np.arange(6.0).reshape(2, 3), np.ones((1, 3), dtype=np.int32)],
    "labels": np.array([1, 2]),
    "names": ["a", "é"],
}


def saved(value):
    """Return the .npy file of one object."""
    buffer = io.BytesIO()
    array = np.empty((), dtype=object)
    array[()] = value
    np.save(buffer, array, allow_pickle=True)
    return buffer.getvalue()


def pickled(value, protocol):
    """Return the same with a pickle of any protocol; 2 is what Python 2 wrote."""
    array = np.empty((), dtype=object)
    array[()] = value
    return saved(None).split(b"\n", 1)[0] + b"\n" + pickle.dumps(array, protocol=protocol)


@pytest.mark.parametrize("protocol", range(5))
def test_values_and_arrays_come_back(protocol):
    found = read_object(pickled(VALUE, protocol))
    assert found["names"] == VALUE["names"]
    for one, other in zip([*found["rows"], found["labels"]], [*VALUE["rows"], VALUE["labels"]], strict=True):
        np.testing.assert_array_equal(one, other)
        assert one.dtype == other.dtype


class Touch:
    """Makes a file where it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def test_a_pickle_that_would_call_something_is_refused_before_it_does(tmp_path):
    content = saved({"rows": Touch(tmp_path / "made")})
    with pytest.raises(DataError, match=r"The pickle asks for .*is not read"):
        read_object(content)
    assert not (tmp_path / "made").exists()
    np.load(io.BytesIO(content), allow_pickle=True)
    assert (tmp_path / "made").exists()


@pytest.mark.parametrize("name", ["builtins.eval", "os.system", "numpy.load", "numpy.core.multiarray.scalar"])
def test_any_other_name_is_refused(name):
    module, function = name.rsplit(".", 1)
    content = saved(None).split(b"\n", 1)[0] + b"\n" + f"c{module}\n{function}\n.".encode()
    with pytest.raises(DataError, match=f"asks for {name}"):
        read_object(content)


def test_other_encodings_are_refused():
    content = saved(None).split(b"\n", 1)[0] + b"\n" + b"c_codecs\nencode\n(Va\nVrot13\ntR."
    with pytest.raises(DataError, match="the encoding rot13"):
        read_object(content)


@pytest.mark.parametrize("array", [np.zeros(3), np.array([None, 1])])
def test_arrays_that_are_not_one_object_are_refused(array):
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=True)
    with pytest.raises(DataError, match="not one object"):
        read_object(buffer.getvalue())


def test_what_is_no_npy_file_is_refused():
    with pytest.raises(DataError, match=r"no \.npy file"):
        read_object(b"PK\x03\x04 something else")
