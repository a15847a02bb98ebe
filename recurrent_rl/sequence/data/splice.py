"""Splice sites: is the middle of 60 nucleotides of a primate's DNA a boundary of exon and intron, and which of the two?

    symbol at place j = 4 j + number of the nucleotide in ACGT

So a symbol is a nucleotide at its place: what tells a site stands at fixed places, 30 steps from where a recurrent network's
summary is read, and 1,950 sequences are too few to learn to count from (without places a GRU both ways is right in 89%, with
them in 96%).
"""

import warnings

import numpy as np
from numpy.typing import NDArray

from recurrent_rl.sequence.batch import Examples
from recurrent_rl.sequence.data.archive import read_member
from recurrent_rl.sequence.data.arts_entries import SPLICE
from recurrent_rl.sequence.data.cut import Cut, first_of_equals, splits_of
from recurrent_rl.sequence.data.optional import optional
from recurrent_rl.sequence.task import Splits

NUCLEOTIDES = "ACGT"
LABELS = ("ei", "ie", "n")
"""Exon to intron (a donor site), intron to exon (an acceptor site), neither."""
CLASSES, STEPS = 3, 60
SYMBOLS = STEPS * len(NUCLEOTIDES)
CUT = Cut(validation=0.15, test=0.2, seed=0)
"""The package has no official split: a random one, by label, seed 0."""


def load(seed: int = 0) -> Splits:
    """Return 1,950 / 451 / 600 sequences [60] of symbols; the same for each seed.

    Sequences that repeat an earlier one are removed first, 185 of 3,186; one that has two labels keeps the first.

    Source: Noordewier, Towell, Shavlik 1991, Training Knowledge-Based Neural Networks to Recognize Genes in DNA Sequences.
    """
    return split(parse(read_member(SPLICE, SPLICE.members[0])))


def parse(content: bytes) -> Examples:
    """Return the sequences of an R file's data frame DNA: columns V1 to V180 of 0 and 1, three for each place, and Class.

    A is 1 0 0, C is 0 1 0, G is 0 0 1, and T is 0 0 0.

    Raises:
        DataError: The package rdata is not installed.
    """
    rdata = optional("rdata", "rdata", "splice")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the file does not say how its texts are encoded; they are ASCII
        frame = rdata.conversion.convert(rdata.parser.parse_data(content))["DNA"]
    bits = np.stack([frame[f"V{place}"] == "1" for place in range(1, 3 * STEPS + 1)], axis=1)
    labels = np.array([LABELS.index(label) for label in frame["Class"]], dtype=np.int64)
    return Examples(list(decode(bits.reshape(len(bits), STEPS, 3))), labels)


def decode(bits: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return symbols [..., T] of bits [..., T, 3]."""
    return at_places(np.where(bits.any(-1), bits.argmax(-1), NUCLEOTIDES.index("T")))


def at_places(nucleotides: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return symbols [..., T] of numbers of nucleotides [..., T]."""
    return nucleotides + len(NUCLEOTIDES) * np.arange(nucleotides.shape[-1])


def split(examples: Examples) -> Splits:
    """Return splits of what is left without duplicates, by label and at random."""
    unique = examples.select(first_of_equals(examples.inputs))
    assert unique.targets is not None
    return splits_of(unique, CUT.by_label(np.asarray(unique.targets)))
