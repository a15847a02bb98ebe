"""Films are cut into clips by time, so that every change is asked for once; and decoded where av is there."""

import io
import sys

import numpy as np
import pytest

from recurrent_rl.sequence.data.errors import DataError
from recurrent_rl.sequence.data.video import CLIP, PIXELS, SIDE, clips, decode


def numbered(frames, *cuts):
    """A film whose frames tell their number, in hundredths; at a cut it goes on from half as much more."""
    numbers = np.arange(frames) / 100 + 50 * np.isin(np.arange(frames), cuts).cumsum()
    return (numbers[:, None] * np.ones((1, 4))).astype(np.float32)


def number(frame):
    return round(float(frame[0]) * 100) % 5000


@pytest.mark.parametrize("frames", [100, 120, 250, 153])
def test_later_parts_have_each_change_once_and_share_none(frames):
    found = clips(numbered(frames))
    changes = [[(number(row[t]), number(row[t + 1])) for row in part.inputs for t in range(len(row) - 1)] for part in
               (found.train, found.validation, found.test)]  # fmt: skip
    first, second = round(0.7 * frames), round(0.8 * frames)
    assert sorted(set(changes[0])) == [(t, t + 1) for t in range(first - 1)]
    assert changes[1] == [(t, t + 1) for t in range(first, second - 1)]
    assert changes[2] == [(t, t + 1) for t in range(second, frames - 1)]


def test_training_clips_begin_at_each_frame_and_all_are_of_two_frames_or_more():
    found = clips(numbered(200))
    assert [number(row[0]) for row in found.train.inputs] == list(range(140 - CLIP + 1))
    assert {len(row) for row in found.train.inputs} == {CLIP}
    assert min(len(row) for part in (found.validation, found.test) for row in part.inputs) >= 2


def test_no_clip_goes_over_a_cut_and_scenes_of_one_frame_are_left_out():
    found = clips(numbered(100, 30, 35, 69, 85, 86))
    assert [(number(row[0]), len(row)) for row in found.train.inputs if len(row) < CLIP] == [(30, 5)]
    assert len(found.train) == (30 - CLIP + 1) + 1 + (34 - CLIP + 1)
    assert [(number(row[0]), len(row)) for row in found.test.inputs] == [(80, 5), (86, 14)]
    for part in (found.train, found.validation, found.test):
        assert all(np.abs(np.diff(row, axis=0)).max() < 1 for row in part.inputs)


def test_a_missing_package_is_said_with_the_cure(monkeypatch):
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(DataError, match="pip install av"):
        decode(b"")


def test_a_film_is_decoded_small_and_in_grey():
    av = pytest.importorskip("av")
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4") as film:
        stream = film.add_stream("mpeg4", rate=25)
        stream.width, stream.height, stream.pix_fmt = 128, 64, "yuv420p"
        for grey in (0, 100, 200):
            picture = np.full((64, 128, 3), grey, dtype=np.uint8)
            picture[:, 64:] = 255
            film.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        film.mux(stream.encode())
    frames = decode(buffer.getvalue())
    assert frames.shape == (3, PIXELS)
    assert frames.dtype == np.float32
    halves = frames.reshape(3, SIDE, SIDE)
    np.testing.assert_allclose(halves[:, :, : SIDE // 2 - 2].mean((1, 2)), [0, 100 / 255, 200 / 255], atol=0.03)
    np.testing.assert_allclose(halves[:, :, SIDE // 2 + 2 :], 1, atol=0.05)
