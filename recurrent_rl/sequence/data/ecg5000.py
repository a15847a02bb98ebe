"""ECG5000: which of five kinds of heartbeat? One lead, 140 steps; the rarest class has 24 of 5,000."""

import io

import numpy as np

from recurrent_rl.sequence.batch import Examples
from recurrent_rl.sequence.data.archive import read_members
from recurrent_rl.sequence.data.cut import first_of_equals, hold_out, standardised
from recurrent_rl.sequence.data.manifest import ECG5000
from recurrent_rl.sequence.task import Splits

FEATURES, CLASSES = 1, 5
HELD_OUT = 1 / 5
"""Of the official training set, for validation, chosen by a fixed seed."""


def load(seed: int = 0) -> Splits:
    """Return 400 / 100 / 4,500 heartbeats, standardised by those of training; the official test, the same for each seed.

    Source: Dau et al. 2019, The UCR Time Series Archive; Goldberger et al. 2000, PhysioBank, PhysioToolkit, and PhysioNet.
    """
    train, test = (parse(content) for content in read_members(ECG5000, ECG5000.members).values())
    return official(train, test)


def official(train: Examples, test: Examples) -> Splits:
    """Return splits with validation cut from training by label; beats of training that the test holds are removed."""
    first = first_of_equals([*test.inputs, *train.inputs])
    unique = train.select(first[first >= len(test)] - len(test))
    assert unique.targets is not None
    kept, held = hold_out(np.asarray(unique.targets), HELD_OUT, seed=0)
    return standardised(Splits(unique.select(kept), unique.select(held), test))


def parse(content: bytes) -> Examples:
    """Return the sequences of a file of the UCR archive: a line is a label from 1 and T values, parted by tabs."""
    rows = np.loadtxt(io.BytesIO(content), delimiter="\t", ndmin=2)
    inputs = rows[:, 1:, None].astype(np.float32)  # [N, T, 1]
    return Examples(list(inputs), rows[:, 0].astype(np.int64) - 1)
