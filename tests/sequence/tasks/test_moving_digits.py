"""Digits fly straight on and off the walls, and no image is in two parts."""

import sys
from importlib import import_module

import numpy as np
import pytest

from recurrent_rl.sequence.batch import Examples
from recurrent_rl.sequence.data.errors import DataError
from recurrent_rl.sequence.frames import copying_error
from recurrent_rl.sequence.tasks.drawing import Sizes
from recurrent_rl.sequence.tasks.moving_digits import (
    CHANGE,
    FLOOR,
    SIDE,
    SPEED,
    STEPS,
    draw_clips,
    fly,
    moving_digits,
    read_digits,
)


def test_digits_fly_straight_on_at_one_speed_and_stay_within():
    places = fly(np.random.default_rng(0), 200, 16.0)
    assert places.shape == (200, 2, STEPS, 2)
    assert places.min() >= 0
    assert places.max() <= 16
    way = np.diff(places, axis=2)
    inside = (np.abs(np.diff(way, axis=2)) < 1e-9).all(-1)  # no wall between three frames
    assert 0.3 < inside.mean() < 0.9
    speeds = np.linalg.norm(way, axis=-1)[:, :, 1:][inside]
    np.testing.assert_allclose(speeds, SPEED)


def test_a_wall_turns_one_direction_round_and_leaves_the_other():
    way = np.diff(fly(np.random.default_rng(1), 200, 16.0), axis=2)
    sizes = np.abs(way)
    whole = sizes.max(2, keepdims=True)  # a step off a wall is shorter by what goes there and back
    assert (np.isclose(sizes, whole).mean(2) > 0.6).all()


def test_a_frame_has_the_brighter_of_its_digits_at_each_pixel():
    images = np.stack([np.full((16, 16), 0.25), np.full((16, 16), 0.75)]).astype(np.float32)
    found = draw_clips(images, np.random.default_rng(0), 50)
    assert {(clip.shape, clip.dtype) for clip in found.inputs} == {((STEPS, SIDE * SIDE), np.dtype(np.float32))}
    for clip in found.inputs:
        values, counts = np.unique(clip[0], return_counts=True)
        assert set(values) <= {0.0, 0.25, 0.75}
        assert values[-1] == 0.25 or counts[-1] >= 256
        assert counts[0] <= SIDE * SIDE - 256


def test_parts_have_digits_of_their_own_and_the_seed_decides(monkeypatch):
    shades = np.arange(1, 101, dtype=np.float32) / 100  # each image tells its number
    images = np.ones((16, 16), dtype=np.float32) * shades[:, None, None]
    monkeypatch.setattr(import_module(moving_digits.__module__), "read_digits", lambda: images)
    small = moving_digits(Sizes(train=60, validation=20, test=20))
    splits, again, other = (small.load(seed) for seed in (0, 0, 1))
    seen = [set(np.unique(part.inputs)) - {0.0} for part in (splits.train, splits.validation, splits.test)]
    assert [len(splits.train), len(splits.validation), len(splits.test)] == [60, 20, 20]
    assert sum(map(len, seen)) == len(set.union(*seen))
    assert all(len(own) <= share for own, share in zip(seen, (60, 20, 20), strict=True))
    assert np.array_equal(splits.test.inputs, again.test.inputs)
    assert not np.array_equal(splits.test.inputs, other.test.inputs)


def test_the_digits_are_scikit_learns():
    pytest.importorskip("sklearn")
    images = read_digits()
    assert images.shape == (1797, 16, 16)
    assert (images.min(), images.max()) == (0, 1)


def test_a_missing_package_is_said_with_the_cure(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    with pytest.raises(DataError, match="pip install scikit-learn"):
        read_digits()


def test_the_floor_is_that_of_copying():
    pytest.importorskip("sklearn")
    found = Examples(moving_digits(Sizes(train=1, validation=1, test=400)).load(3).test.inputs)
    assert copying_error(found) == pytest.approx(FLOOR, rel=0.03)
    assert pytest.approx(FLOOR, rel=0.01) == CHANGE**2
