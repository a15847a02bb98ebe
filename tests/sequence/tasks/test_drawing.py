"""Splits come from streams of their own, and what is unseen is."""

import numpy as np
import pytest

from recurrent_rl.sequence.batch import Examples
from recurrent_rl.sequence.tasks.drawing import Sizes, draw_splits, require_least, streams, unseen


def draw(rng, count):
    return Examples(list(rng.random((count, 3))), np.arange(count))


def test_splits_have_their_sizes_and_nothing_in_common():
    splits = draw_splits(draw, Sizes(train=7, validation=5, test=6), 0)
    rows = [np.stack(split.inputs) for split in (splits.train, splits.validation, splits.test)]
    assert [len(part) for part in rows] == [7, 5, 6]
    assert len(np.unique(np.concatenate(rows))) == 18 * 3


def test_one_seed_gives_one_draw():
    sizes = Sizes(train=4, validation=1, test=1)
    once, again, other = (draw_splits(draw, sizes, seed).train.inputs for seed in (3, 3, 4))
    np.testing.assert_array_equal(once, again)
    assert not np.isin(once, other).any()


def test_more_streams_do_not_change_the_first_ones():
    assert streams(5, 2)[1].random() == streams(5, 9)[1].random()


def test_what_stands_in_train_is_left_out_with_its_target():
    train = Examples([np.array([1, 2]), np.array([1])], [10, 20])
    found = unseen(Examples([np.array([1]), np.array([2]), np.array([1, 2]), np.array([2, 1])], [1, 2, 3, 4]), train)
    assert [row.tolist() for row in found.inputs] == [[2], [2, 1]]
    assert found.targets == [2, 4]


def test_too_small_sizes_and_lengths_are_refused():
    with pytest.raises(ValueError, match="one sequence or more"):
        Sizes(train=0)
    with pytest.raises(ValueError, match="delay must be 1 or more, not 0"):
        require_least("delay", 0, 1)
