"""Three bits are a nucleotide, and equal sequences are not in two parts."""

import numpy as np
import pytest

from recurrent_rl.sequence.batch import Examples
from recurrent_rl.sequence.data import splice


def test_three_bits_are_a_nucleotide():
    bits = np.array([[[1, 0, 0], [0, 1, 0], [0, 0, 1], [0, 0, 0]]], dtype=bool)
    found = splice.decode(bits)
    assert "".join(splice.NUCLEOTIDES[symbol % 4] for symbol in found[0]) == "ACGT"
    assert list(found[0] // 4) == [0, 1, 2, 3]
    assert found.dtype == np.int64


def test_columns_become_sequences_and_classes_numbers(tmp_path):
    rdata, pandas = pytest.importorskip("rdata"), pytest.importorskip("pandas")
    sequence = np.random.default_rng(0).integers(4, size=(2, splice.STEPS))
    columns = {"Class": np.array(["n", "ei"])}
    for place in range(splice.STEPS):
        for bit in range(3):
            columns[f"V{3 * place + bit + 1}"] = np.where(sequence[:, place] == bit, "1", "0")
    frame = pandas.DataFrame({name: pandas.Categorical(column) for name, column in columns.items()})
    rdata.write_rda(tmp_path / "made.rda", {"DNA": frame})
    found = splice.parse((tmp_path / "made.rda").read_bytes())
    np.testing.assert_array_equal(np.stack(found.inputs), splice.at_places(sequence))
    assert max(row.max() for row in found.inputs) < splice.SYMBOLS
    assert [splice.LABELS[label] for label in found.targets] == ["n", "ei"]


def test_equal_sequences_count_once_with_the_first_label():
    strands = np.random.default_rng(0).integers(4, size=(60, splice.STEPS))
    labels = np.arange(60) % 3
    found = splice.split(Examples([*strands, *strands], np.concatenate([labels, (labels + 1) % 3])))
    parts = (found.train, found.validation, found.test)
    rows = [tuple(row) for part in parts for row in part.inputs]
    assert len(rows) == len(set(rows)) == 60
    known = {tuple(strand): label for strand, label in zip(strands, labels, strict=True)}
    assert all(known[tuple(row)] == label for part in parts for row, label in zip(part.inputs, part.targets))
