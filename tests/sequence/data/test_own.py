"""A user's sequences: what is wanted is told from what is given, parts share nothing, and bad input is said in one line."""

import numpy as np
import pytest
import torch

from recurrent_rl.sequence.data import Cut, DataError, from_arrays
from recurrent_rl.sequence.problems import Classification, NextStep, Regression, Tagging

RNG = np.random.default_rng(0)
CURVES = [RNG.normal(size=(int(n), 2)) for n in RNG.integers(3, 9, size=40)]
WORDS = [[str(c) for c in RNG.choice(list("abcd"), size=n)] for n in RNG.integers(4, 12, size=40)]
LABELS = ["left", "right"] * 20


def parts(own):
    return own.splits.train, own.splits.validation, own.splits.test


def test_one_label_each_is_classification():
    own = from_arrays(CURVES, LABELS)
    assert (own.kind, own.problem) == ("classification", Classification(2))
    assert (own.features, own.symbols, own.labels) == (2, None, ("left", "right"))
    assert sum(map(len, parts(own))) == 40
    for part in parts(own):
        assert len(part) > 0
        assert {row.dtype for row in part.inputs} == {np.dtype(np.float32)}


def test_targets_stay_with_their_sequences():
    inputs = [np.full((3, 1), float(n)) for n in range(30)]
    own = from_arrays(inputs, [n // 10 for n in range(30)])
    rows = np.concatenate([np.array([row[0, 0] for row in part.inputs]) for part in parts(own)])
    targets = np.concatenate([part.targets for part in parts(own)])
    np.testing.assert_array_equal(targets[np.argsort(rows)], np.arange(30) // 10)


def test_labels_are_numbered_in_order_and_may_be_any_whole_numbers():
    own = from_arrays(CURVES, [7, -2] * 20)
    assert own.labels == (-2, 7)
    assert {int(target) for part in parts(own) for target in part.targets} == {0, 1}


def test_a_label_for_each_step_is_tagging():
    own = from_arrays(WORDS, [["v" if c in "ae" else "c" for c in word] for word in WORDS])
    assert (own.kind, own.problem, own.labels) == ("tagging", Tagging(2), ("c", "v"))
    for part in parts(own):
        for row, tags in zip(part.inputs, part.targets, strict=True):
            assert row.shape == tags.shape
    assert own.problem.batch(own.splits.train, [0, 1]).targets is not None


def test_no_targets_is_the_next_symbol():
    own = from_arrays([np.arange(n) % 5 for n in range(6, 40)])
    assert (own.kind, own.problem, own.symbols, own.features) == ("next-step", NextStep(5), 5, None)
    assert own.splits.train.targets is None


def test_floats_are_regression():
    assert from_arrays(CURVES, RNG.normal(size=40)).problem == Regression(1)
    own = from_arrays(CURVES, RNG.normal(size=(40, 3)))
    assert (own.problem, own.labels) == (Regression(3), ())
    assert own.problem.batch(own.splits.test, [0]).targets.shape == (1, 3)


def test_the_kind_can_be_said_where_it_would_be_guessed_wrong():
    counts = RNG.integers(0, 100, size=40)
    assert from_arrays(CURVES, counts, kind="regression").problem == Regression(1)


def test_whole_numbers_with_features_are_features_and_floats_of_one_dimension_are_one():
    assert from_arrays(RNG.integers(0, 9, size=(40, 5, 3)), LABELS).features == 3
    assert from_arrays(RNG.normal(size=(40, 5)), LABELS).features == 1


def test_strings_are_numbered_by_training_and_new_ones_are_zero():
    inputs, labels = ["ab" * n for n in range(1, 31)], [n % 2 for n in range(30)]
    test = Cut().by_label(labels)[2]
    inputs[test[0]] += "x"  # the test alone has it
    own = from_arrays(inputs, labels)
    assert own.symbols == 3
    assert own.splits.test.inputs[0].tolist() == [1, 2] * (len(own.splits.test.inputs[0]) // 2) + [0]
    assert all((row > 0).all() for row in own.splits.train.inputs)


def test_no_group_is_in_two_parts():
    groups = [f"subject {n % 9}" for n in range(40)]
    own = from_arrays(CURVES, LABELS, groups)
    members = [set(part.groups) for part in parts(own)]
    assert len(set().union(*members)) == sum(map(len, members)) == 9


def test_duplicates_are_removed_before_the_split_and_counted():
    own = from_arrays([*CURVES[:7], *CURVES], [*LABELS[:7], *LABELS])
    assert own.duplicates == 7
    assert "7 duplicates removed" in own.summary()
    rows = [row.tobytes() for part in parts(own) for row in part.inputs]
    assert len(rows) == len(set(rows)) == 40


def test_equal_strings_of_unequal_width_are_duplicates():
    wide = [np.array(word, dtype="<U9") for word in WORDS]
    assert from_arrays([*WORDS, *wide], LABELS * 2).duplicates >= 40


def test_features_are_standardised_by_training():
    own = from_arrays([curve * 50 + 1000 for curve in CURVES], LABELS)
    steps = np.concatenate(own.splits.train.inputs)
    np.testing.assert_allclose(steps.mean(0), 0, atol=1e-4)
    np.testing.assert_allclose(steps.std(0), 1, atol=1e-4)


def test_it_becomes_a_task():
    task = from_arrays(CURVES, LABELS).task("gestures")
    assert (task.name, task.metric, task.higher_is_better, task.features, task.symbols) == (
        "gestures",
        "accuracy",
        True,
        2,
        None,
    )
    splits = task.load(3)
    predicted = torch.zeros(len(splits.test), 2).numpy()
    assert "accuracy" in task.problem.scores(list(predicted), splits.test)
    for own in (from_arrays([np.arange(n) % 3 for n in range(6, 40)]), from_arrays(CURVES, RNG.normal(size=40))):
        task = own.task()
        assert not task.higher_is_better


def test_a_seed_gives_the_same_parts():
    one, other = (from_arrays(CURVES, LABELS, cut=Cut(seed=3)) for _ in range(2))
    for a, b in zip(parts(one), parts(other), strict=True):
        assert all(np.array_equal(x, y) for x, y in zip(a.inputs, b.inputs, strict=True))


NAN = [np.array([[1.0, 2.0], [np.nan, 0.0]]), *CURVES]


@pytest.mark.parametrize(
    ("inputs", "targets", "fields", "message"),
    [
        ([], [], {}, "no sequences"),
        ([np.zeros((0, 2)), *CURVES], [1] * 41, {}, "Sequence 0 is empty"),
        ([[], *WORDS], [1] * 41, {}, "Sequence 0 is empty"),
        (["", "ab", "cd"], None, {}, "Sequence 0 is empty"),
        ([*CURVES, [[1.0], [1.0, 2.0]]], [1] * 41, {}, "Sequence 40 is ragged"),
        ([*CURVES, np.ones((4, 3))], [1] * 41, {}, "differ in features: 2 in 0, 3 in 40"),
        ([*CURVES, np.ones(4)], [1] * 41, {}, "differ in features: 2 in 0, none in 40"),
        ([*CURVES, np.ones((4, 2, 2))], [1] * 41, {}, r"Sequence 40 must be \[T\] or \[T, F\]"),
        ([[None, 1], *WORDS], [1] * 41, {}, "Sequence 0 must be"),
        (NAN, [1] * 41, {}, "Sequence 0 has inputs that are NaN"),
        ([np.arange(5) - 1] * 3, None, {}, "symbol below 0"),
        ([*WORDS, np.arange(5)], [1] * 41, {}, "give one kind"),
        (CURVES, LABELS[:-1], {}, "40 sequences but 39 targets"),
        (CURVES, LABELS, {"groups": [1] * 39}, "40 sequences but 39 groups"),
        (CURVES, LABELS, {"groups": [1] * 40}, "Three groups"),
        (CURVES, [np.nan, *np.ones(39)], {}, "target of sequence 0 is NaN"),
        (CURVES, [None] * 40, {}, "target of sequence 0 must be"),
        (CURVES, [1, "a"] * 20, {}, "strings and some are numbers"),
        (CURVES, [1.5, "a"] * 20, {}, "sequence 1 is a string"),
        (CURVES, [[0.5]] * 39 + [[0.5, 1.0]], {}, "1 for sequence 0 but 2 for 39"),
        (WORDS, [[1] * len(word) for word in WORDS[:-1]] + [[1]], {}, "Sequence 39 has .* steps but 1 labels"),
        (CURVES, [1] * 39 + [[1, 2]], {}, "target of sequence 39 is 2 labels"),
        (CURVES, None, {}, "wants symbols"),
        ([[1], [0, 1], [1, 1], [0, 0]], None, {}, "two symbols at least"),
        (CURVES, None, {"kind": "tagging"}, "tagging wants a target"),
        (CURVES, LABELS, {"kind": "next-step"}, "give no targets"),
        (CURVES, LABELS, {"kind": "clustering"}, "kind must be one of classification"),
        (CURVES, [0.5] * 40, {"kind": "classification"}, "some are floats"),
        (CURVES[:1] * 20, LABELS[:20], {}, "Three different sequences"),
        (CURVES[:4], ["a", "b", "c", "d"], {}, "leaves a part empty"),
    ],
)  # fmt: skip
def test_bad_input_is_one_clear_line(inputs, targets, fields, message):
    with pytest.raises(DataError, match=message) as caught:
        from_arrays(inputs, targets, **fields)
    assert "\n" not in str(caught.value)


def test_a_label_that_training_lacks_is_named_with_its_part():
    groups = np.arange(40) // 4
    test = Cut().by_group(groups)[2]
    labels = ["rare" if index == test[0] else "common" for index in range(40)]
    with pytest.raises(DataError, match=f"Sequence {test[0]}, in test, has the label 'rare', which training lacks"):
        from_arrays(CURVES, labels, groups)
