"""Physiotherapy: which of seven shoulder exercises? A watch's accelerations and turns, of people not heard of before."""

import numpy as np

from recurrent_rl.sequence.batch import Array, Examples
from recurrent_rl.sequence.data.archive import read_member
from recurrent_rl.sequence.data.arts_entries import PHYSIOTHERAPY
from recurrent_rl.sequence.data.cut import Cut, splits_of, standardised
from recurrent_rl.sequence.data.object_arrays import read_object
from recurrent_rl.sequence.task import Splits

FEATURES, CLASSES = 6, 7
BLOCK = 10
"""Samples whose mean is a step: 50 a second become 5, and up to 2,618 steps become 261."""
CUT = Cut(validation=0.2, test=0.3, seed=0)


def load(seed: int = 0) -> Splits:
    """Return 70 / 28 / 42 recordings [94 to 261, 6] of 5 / 2 / 3 people, standardised by training; the same for each seed.

    Source: Burns et al. 2018, Shoulder Physiotherapy Exercise Recognition: Machine Learning the Inertial Signals from a
    Smartwatch.
    """
    return split(parse(read_member(PHYSIOTHERAPY, PHYSIOTHERAPY.members[0])))


def parse(content: bytes) -> Examples:
    """Return the recordings of a .npy file with a dictionary of X, y and subject; groups are the subjects."""
    recorded = read_object(content)
    inputs = [coarser(np.asarray(row)) for row in recorded["X"]]
    return Examples(inputs, recorded["y"].astype(np.int64), recorded["subject"].astype(np.int64))


def coarser(samples: Array) -> Array:
    """Return the means of blocks of samples [T, F], [T // 10, F] float32; what fills no block is left out."""
    steps = len(samples) // BLOCK
    return samples[: steps * BLOCK].reshape(steps, BLOCK, -1).mean(1).astype(np.float32)


def split(examples: Examples) -> Splits:
    """Return splits that share no subject, standardised."""
    assert examples.groups is not None
    return standardised(splits_of(examples, CUT.by_group(np.asarray(examples.groups))))
