"""Every record is in one part; groups stay whole, labels keep their shares, equals count once."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recurrent_rl.sequence.batch import Examples
from recurrent_rl.sequence.data.cut import Cut, first_of_equals, hold_out, standardised
from recurrent_rl.sequence.data.errors import DataError
from recurrent_rl.sequence.task import Splits


@given(st.lists(st.integers(0, 3), min_size=4, max_size=60), st.floats(0.05, 0.9), st.integers(0, 99))
def test_held_out_records_keep_each_labels_share_and_leave_one(labels, share, seed):
    kept, held = hold_out(labels, share, seed)
    assert sorted([*kept, *held]) == list(range(len(labels)))
    assert len(held) > 0 or len(set(labels)) == len(labels)
    for label in set(labels):
        n, taken = labels.count(label), int(np.sum(np.array(labels)[held] == label))
        assert taken <= n - 1
        assert np.floor(n * share) - 1 <= taken <= np.ceil(n * share) + 1


def test_shares_that_are_whole_numbers_are_exact():
    for seed in range(20):
        assert len(hold_out([0] * 30 + [1] * 300, 1 / 6, seed)[1]) == 55


def test_shares_are_right_on_average():
    held = [len(hold_out([0] * 19, 0.2, seed)[1]) for seed in range(500)]
    assert np.mean(held) == pytest.approx(3.8, abs=0.06)
    assert set(held) == {3, 4}


@given(st.lists(st.integers(0, 9), min_size=30, max_size=90), st.integers(0, 99))
def test_no_group_is_in_two_parts_and_none_is_lost(groups, seed):
    if len(set(groups)) < 8:
        return
    parts = Cut(seed=seed).by_group(groups)
    assert sorted(np.concatenate(parts)) == list(range(len(groups)))
    members = [set(np.array(groups)[part]) for part in parts]
    assert all(members)
    assert len(set().union(*members)) == sum(map(len, members))


def test_parts_of_even_groups_have_their_shares():
    parts = Cut(validation=0.1, test=0.2).by_group(np.repeat(np.arange(10), 7))
    assert [len(part) for part in parts] == [49, 7, 14]


@pytest.mark.parametrize("cut", [Cut.by_label, Cut.by_group])
def test_the_seed_decides(cut):
    one, same, other = (cut(Cut(seed=seed), np.arange(60) % 12) for seed in (4, 4, 5))
    assert all(np.array_equal(a, b) for a, b in zip(one, same, strict=True))
    assert not np.array_equal(one[2], other[2])


def test_two_groups_are_too_few():
    with pytest.raises(DataError, match=r"Three groups at least.*there are 2"):
        Cut().by_group([1, 1, 2, 2])


def test_shares_that_leave_no_training_are_refused():
    with pytest.raises(DataError, match="smaller shares"):
        Cut(validation=0.5, test=0.49).by_group([1, 2, 2, 2, 3, 3, 3])
    for shares in ({"test": 0.0}, {"validation": -0.1}, {"validation": 0.5, "test": 0.5}):
        with pytest.raises(DataError, match="sum below 1"):
            Cut(**shares)


def test_equals_are_those_of_the_same_shape_and_numbers():
    a, b = np.zeros((2, 3)), np.ones((2, 3))
    assert first_of_equals([a, b, a.copy(), np.zeros((3, 2)), b, a]).tolist() == [0, 1, 3]


def test_features_are_standardised_by_training_alone():
    rng = np.random.default_rng(0)
    rows = [np.column_stack([rng.normal(3, 2, n), np.full(n, 7.0)]).astype(np.float32) for n in (5, 9, 4, 6)]
    train = Examples(rows[:2], [0, 1], [5, 6])
    found = standardised(Splits(train, Examples(rows[2:3]), Examples(rows[3:])))
    steps, wanted = np.concatenate(found.train.inputs), np.concatenate(rows[:2])[:, 0].astype(np.float64)
    np.testing.assert_allclose(steps[:, 0].mean(), 0, atol=1e-6)
    np.testing.assert_allclose(steps[:, 0].std(), 1, atol=1e-6)
    np.testing.assert_array_equal(steps[:, 1], 0)  # constant
    np.testing.assert_allclose(found.test.inputs[0][:, 0], (rows[3][:, 0] - wanted.mean()) / wanted.std(), rtol=1e-5)
    assert (found.train.targets, found.train.groups) == ([0, 1], [5, 6])
    assert steps.dtype == np.float32
