"""Data: of the benchmark's real tasks by way of the registries' clients, made-up stand-ins, and a user's own."""

from recurrent_rl.sequence.data.cut import Cut
from recurrent_rl.sequence.data.entry import Entry
from recurrent_rl.sequence.data.errors import DataError
from recurrent_rl.sequence.data.manifest import ENTRIES, summary
from recurrent_rl.sequence.data.own import OwnData, from_arrays
from recurrent_rl.sequence.data.own_files import Columns, from_csv, from_npz
from recurrent_rl.sequence.data.stand_ins import stand_in

__all__ = [
    "ENTRIES",
    "Columns",
    "Cut",
    "DataError",
    "Entry",
    "OwnData",
    "from_arrays",
    "from_csv",
    "from_npz",
    "stand_in",
    "summary",
]
