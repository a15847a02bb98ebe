"""Spoken digits: which of ten digits is said? 13 mel-frequency cepstral coefficients at each of 6 to 92 steps."""

import io

import numpy as np

from recurrent_rl.sequence.batch import Examples
from recurrent_rl.sequence.data.archive import read_member
from recurrent_rl.sequence.data.cut import Cut, first_of_equals, splits_of, standardised
from recurrent_rl.sequence.data.manifest import SPOKEN_DIGITS
from recurrent_rl.sequence.task import Splits

FEATURES, CLASSES = 13, 10
CUT = Cut(validation=0.1, test=0.2, seed=0)
"""The package has no official split and no speakers: a random one, by digit, seed 0."""


def load(seed: int = 0) -> Splits:
    """Return 2,100 / 300 / 600 recordings, standardised by those of training; the same for each seed.

    Equal recordings are removed first (there were none), so that no part holds another's.

    Source: Jackson et al., Free Spoken Digit Dataset.
    """
    return split(parse(read_member(SPOKEN_DIGITS, SPOKEN_DIGITS.members[0])))


def parse(content: bytes) -> Examples:
    """Return the sequences of an npz file with X [sum of lengths, F], y [N] and lengths [N]."""
    with np.load(io.BytesIO(content), allow_pickle=False) as file:
        steps, labels, lengths = file["X"], file["y"], file["lengths"]
    return Examples(np.split(steps, np.cumsum(lengths)[:-1]), labels)


def split(examples: Examples) -> Splits:
    """Return splits of what is left without duplicates, by label and at random, standardised."""
    unique = examples.select(first_of_equals(examples.inputs))
    assert unique.targets is not None
    return standardised(splits_of(unique, CUT.by_label(np.asarray(unique.targets))))
