"""The same sequences from a CSV or NPZ file as from arrays."""

import numpy as np
import pytest

from recurrent_rl.sequence.data import Columns, DataError, from_arrays, from_csv, from_npz

RNG = np.random.default_rng(0)
CURVES = [RNG.normal(size=(int(n), 2)).round(3) for n in RNG.integers(3, 9, size=30)]
LABELS = ["left", "right"] * 15
WALKS = Columns(sequence="walk", features=("x", "y"), time="time", target="label", group="who")


def same(one, other):
    assert (one.kind, one.problem, one.symbols, one.features, one.labels) == (
        other.kind, other.problem, other.symbols, other.features, other.labels,
    )  # fmt: skip
    for name in ("train", "validation", "test"):
        a, b = getattr(one.splits, name), getattr(other.splits, name)
        assert len(a) == len(b) > 0
        for index in range(len(a)):
            np.testing.assert_allclose(a.inputs[index], b.inputs[index], rtol=1e-5)
            if a.targets is not None:
                np.testing.assert_array_equal(a.targets[index], b.targets[index])


def lines():
    """Return a header and lines with time running backwards within each walk, walks mixed."""
    steps = [
        f"walk {number},{time},{x},{y},{LABELS[number]},person {number % 6}"
        for time in range(8, -1, -1)
        for number, curve in enumerate(CURVES)
        if time < len(curve)
        for x, y in [curve[time]]
    ]
    return ["walk,time,x,y,label,who", *sorted(steps, key=lambda line: int(line.split(",")[0].split()[1]))]


def write(tmp_path, rows):
    path = tmp_path / "walks.csv"
    path.write_text("\n".join(rows) + "\n")
    return path


def test_lines_become_sequences_in_the_order_of_time(tmp_path):
    found = from_csv(write(tmp_path, lines()), WALKS)
    same(found, from_arrays(CURVES, LABELS, [f"person {n % 6}" for n in range(30)]))


def test_lines_of_sequences_may_be_mixed_and_extra_columns_are_left(tmp_path):
    head, *rows = [line + ",more" for line in lines()]
    found = from_csv(write(tmp_path, [head, *rows[:1], *reversed(rows[1:])]), WALKS)
    assert found.kind == "classification"
    assert sum(len(part) for part in (found.splits.train, found.splits.validation, found.splits.test)) == 30


def test_without_time_lines_are_in_the_order_of_the_file(tmp_path):
    rows = ["sequence,x,label", *(f"{n},{10 * n + t},{n % 2}" for n in range(20) for t in range(3))]
    found = from_csv(write(tmp_path, rows), Columns(features=("x",), target="label"))
    for row in found.splits.train.inputs:
        assert row[0, 0] < row[1, 0] < row[2, 0]
    assert found.labels == (0, 1)


def test_symbols_with_a_label_each_are_tagging_and_without_are_next_step(tmp_path):
    words = ["ab" + "ba" * n for n in range(1, 21)]
    rows = [
        "sequence,letter,tag",
        *(f"{n},{c},{'V' if c == 'a' else 'C'}" for n, word in enumerate(words) for c in word),
    ]
    path = write(tmp_path, rows)
    same(
        from_csv(path, Columns(symbol="letter", target="tag")),
        from_arrays(words, [["V" if c == "a" else "C" for c in word] for word in words]),
    )
    same(from_csv(path, Columns(symbol="letter")), from_arrays(words))


def test_one_number_each_is_regression_and_one_label_for_all_steps_can_be_said_to_be_tagging(tmp_path):
    rows = ["sequence,x,y", *(f"{n},{n + t},{n + 0.5}" for n in range(20) for t in range(3))]
    assert from_csv(write(tmp_path, rows), Columns(features=("x",), target="y")).kind == "regression"
    rows = ["sequence,x,y", *(f"{n},{n + t},{n % 2}" for n in range(20) for t in range(3))]
    assert from_csv(write(tmp_path, rows), Columns(features=("x",), target="y"), kind="tagging").kind == "tagging"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda rows: ["walk,time,x,label,who", *rows[1:]], "no column y; it has walk, time, x, label, who"),
        (lambda rows: [], "no column"),
        (lambda rows: rows[:1], "no sequences"),
        (lambda rows: [*rows[:4], rows[4].replace("left", ""), *rows[5:]], "line 5: label is missing"),
        (lambda rows: [*rows, "walk 1,99"], "x, y, label, who is missing"),
        (lambda rows: [*rows, "walk 1,soon,1,2,right,person 1"], "Column time has 'soon', which is not a number"),
        (lambda rows: [*rows, "walk 1,99,one,2,right,person 1"], "Column x has 'one', which is not a number"),
        (lambda rows: [*rows, "walk 1,99,nan,2,right,person 1"], "Sequence 1 has inputs that are NaN"),
        (lambda rows: [*rows, "walk 1,99,1,2,right,person 2"], "several values of who"),
    ],
)  # fmt: skip
def test_a_file_that_will_not_do_is_said_in_one_line(tmp_path, change, message):
    with pytest.raises(DataError, match=message):
        from_csv(write(tmp_path, change(lines())), WALKS)


def test_numbers_that_change_within_a_sequence_are_no_target(tmp_path):
    rows = ["sequence,x,y", *(f"{n},{n + t},{t + 0.5}" for n in range(20) for t in range(3))]
    with pytest.raises(DataError, match="change within a sequence"):
        from_csv(write(tmp_path, rows), Columns(features=("x",), target="y"))


@pytest.mark.parametrize("read", [lambda path: from_csv(path, WALKS), from_npz], ids=["csv", "npz"])
def test_an_unreadable_path_is_named(tmp_path, read):
    for path in (tmp_path / "none", tmp_path):
        with pytest.raises(DataError, match=f"{path} cannot be read"):
            read(path)
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00\x01" * 50)
    with pytest.raises(DataError, match="cannot be read"):
        read(tmp_path / "binary")


def test_features_or_a_symbol_must_be_named():
    for fields in ({}, {"features": ("x",), "symbol": "y"}):
        with pytest.raises(DataError, match="either features or a symbol"):
            Columns(**fields)


def test_arrays_of_one_length_and_of_many_come_from_npz(tmp_path):
    dense = RNG.normal(size=(30, 5, 2))
    np.savez(tmp_path / "dense.npz", inputs=dense, targets=np.array(LABELS))
    same(from_npz(tmp_path / "dense.npz"), from_arrays(list(dense), LABELS))
    lengths = [len(curve) for curve in CURVES]
    np.savez(
        tmp_path / "ragged.npz",
        inputs=np.concatenate(CURVES),
        lengths=lengths,
        targets=np.arange(30) % 3,
        groups=np.arange(30) // 3,
    )
    same(from_npz(tmp_path / "ragged.npz"), from_arrays(CURVES, np.arange(30) % 3, np.arange(30) // 3))


def test_labels_for_each_step_are_cut_as_the_inputs_are(tmp_path):
    symbols = [RNG.integers(0, 5, size=n) for n in RNG.integers(6, 12, size=30)]
    lengths, joined = [len(row) for row in symbols], np.concatenate(symbols)
    np.savez(tmp_path / "tags.npz", inputs=joined, lengths=lengths, targets=joined % 2)
    same(from_npz(tmp_path / "tags.npz"), from_arrays(symbols, [row % 2 for row in symbols]))
    np.savez(tmp_path / "next.npz", inputs=joined, lengths=lengths)
    same(from_npz(tmp_path / "next.npz"), from_arrays(symbols))


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"x": np.zeros(3)}, "no array `inputs`; it has x"),
        ({"inputs": np.zeros((9, 2)), "lengths": np.array([4, 4])}, "add up to the 9 steps"),
        ({"inputs": np.zeros((9, 2)), "lengths": np.array([4.5, 4.5])}, "whole numbers"),
        ({"inputs": np.zeros((9, 2)), "lengths": np.array([9, 0, 0])}, "Sequence 1 is empty"),
        ({"inputs": np.array([[1], [1, 2]], dtype=object)}, "cannot be read as an NPZ file of plain arrays"),
    ],
)  # fmt: skip
def test_an_npz_that_will_not_do_is_said_in_one_line(tmp_path, arrays, message):
    np.savez(tmp_path / "bad.npz", **arrays)
    with pytest.raises(DataError, match=message):
        from_npz(tmp_path / "bad.npz")
