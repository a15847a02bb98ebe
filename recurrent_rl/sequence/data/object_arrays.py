"""Arrays of objects out of .npy files, which are pickles: read by an unpickler that makes plain values and arrays alone.

A pickle may name any function to call. Here four names are known, those that numpy's own arrays need, and any other is
refused before it is looked up; so a file runs no code.
"""

import io
import pickle
from typing import Any

import numpy as np

from recurrent_rl.sequence.data.errors import DataError

_RECONSTRUCT = np.empty(0).__reduce__()[0]  # where numpy keeps it differs between versions


def read_object(content: bytes) -> Any:
    """Return the one object of a .npy file: lists, dictionaries, numbers, texts and arrays of numbers.

    Raises:
        DataError: The file is no .npy file of one object, or its pickle asks for anything else.
    """
    file = io.BytesIO(content)
    try:
        readers = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
        shape, _, kind = readers[np.lib.format.read_magic(file)](file)
    except (ValueError, KeyError) as error:
        raise DataError(f"This is no .npy file that can be read: {error}.") from error
    if kind != np.dtype(object) or shape != ():
        raise DataError(f"The .npy file holds an array {shape} of {kind}, not one object.")
    return _Unpickler(file).load().item()


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        known = {
            ("numpy.core.multiarray", "_reconstruct"): _RECONSTRUCT,
            ("numpy._core.multiarray", "_reconstruct"): _RECONSTRUCT,
            ("numpy", "ndarray"): np.ndarray,
            ("numpy", "dtype"): np.dtype,
            ("_codecs", "encode"): _latin1,
        }
        if (module, name) not in known:
            raise DataError(f"The pickle asks for {module}.{name}: it is not what it was, and is not read.")
        return known[module, name]


def _latin1(text: str, encoding: str) -> bytes:
    """Return bytes that Python 2 wrote as text."""
    if encoding != "latin1":
        raise DataError(f"The pickle asks for the encoding {encoding}: it is not what it was, and is not read.")
    return text.encode("latin1")
