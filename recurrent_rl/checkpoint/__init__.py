"""Checkpoints: JSON and tensors in a zip, written atomically, read without unpickling."""

from recurrent_rl.checkpoint.archive import CheckpointError, read_archive, with_suffix, write_archive
from recurrent_rl.checkpoint.codec import Untrusted, decode, encode, find_untrusted
from recurrent_rl.checkpoint.schedules import Schedules, Tabulated, tabulate

__all__ = [
    "CheckpointError",
    "Schedules",
    "Tabulated",
    "Untrusted",
    "decode",
    "encode",
    "find_untrusted",
    "read_archive",
    "tabulate",
    "with_suffix",
    "write_archive",
]
