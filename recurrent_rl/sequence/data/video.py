"""Short films, 32 x 32 pixels in grey: what is the next frame?

    bikes       250 frames, 25 a second: cyclists and traffic, with five cuts from scene to scene
    carphone    120 frames, 30 a second: a man who talks in a moving car

A film's first 70% are for training, the next 10% for validation, the last 20% for the test. No clip goes over a cut, which
nothing foretells: the five of bikes are 40% of the whole film's error of copying. Training clips begin at each frame; those
of the other two parts follow each other, each with the last frame of the one before as its first, so that every change
within a scene is asked for once.
"""

import io

import numpy as np
from numpy.typing import NDArray

from recurrent_rl.sequence.batch import Examples
from recurrent_rl.sequence.data.archive import read_member
from recurrent_rl.sequence.data.arts_entries import BIKES, CARPHONE
from recurrent_rl.sequence.data.entry import Entry
from recurrent_rl.sequence.data.optional import optional
from recurrent_rl.sequence.frames import NextFrame
from recurrent_rl.sequence.task import Splits

Floats = NDArray[np.float32]

SIDE, CLIP = 32, 16
PIXELS = SIDE * SIDE
TEST_SHARE, VALIDATION_SHARE = 0.2, 0.1
CUT = 0.03
"""Mean squared change above which a frame is the first of another scene."""
BIKES_CHANGE, CARPHONE_CHANGE = 0.0515, 0.0129
"""Root mean squares of the changes from frame to frame in training."""


def load_bikes(seed: int = 0) -> Splits:
    """Return 115 / 2 / 4 clips of at most 16 frames [T, 1024] float32 from 0 to 1, the same for each seed."""
    return _load(BIKES)


def load_carphone(seed: int = 0) -> Splits:
    """Return 69 / 1 / 2 clips of at most 16 frames [T, 1024] float32 from 0 to 1, the same for each seed."""
    return _load(CARPHONE)


def bikes_problem() -> NextFrame:
    """Return what is asked of bikes."""
    return NextFrame(pixels=PIXELS, scale=BIKES_CHANGE)


def carphone_problem() -> NextFrame:
    """Return what is asked of carphone."""
    return NextFrame(pixels=PIXELS, scale=CARPHONE_CHANGE)


def _load(entry: Entry) -> Splits:
    return clips(decode(read_member(entry, entry.members[0])))


def decode(content: bytes) -> Floats:
    """Return the frames of a film in grey, [N, 1024] float32 from 0 to 1, made small with straight lines between pixels.

    Raises:
        DataError: The package av is not installed.
    """
    av = optional("av", "av", "A film")
    with av.open(io.BytesIO(content)) as film:
        small = [
            frame.reformat(width=SIDE, height=SIDE, format="gray", interpolation="BILINEAR").to_ndarray()
            for frame in film.decode(video=0)
        ]
    return (np.stack(small).reshape(len(small), PIXELS) / 255).astype(np.float32)


def clips(frames: Floats) -> Splits:
    """Return the clips of each part of a film [N, P]."""
    first, second = (round(len(frames) * share) for share in (1 - TEST_SHARE - VALIDATION_SHARE, 1 - TEST_SHARE))
    train, validation, test = (scenes(part) for part in np.split(frames, (first, second)))
    starting = [scene[start : start + CLIP] for scene in train for start in range(max(1, len(scene) - CLIP + 1))]
    return Splits(Examples(starting), Examples(_one_after_the_other(validation)), Examples(_one_after_the_other(test)))


def scenes(frames: Floats) -> list[Floats]:
    """Return the scenes of a film [N, P], but those of a single frame."""
    change = np.square(np.diff(frames.astype(np.float64), axis=0)).mean(1)
    parts = np.split(frames, np.flatnonzero(change > CUT) + 1)
    return [part for part in parts if len(part) > 1]


def _one_after_the_other(films: list[Floats]) -> list[Floats]:
    """Return clips that share one frame with the next of the same scene."""
    return [film[start : start + CLIP] for film in films for start in range(0, len(film) - 1, CLIP - 1)]
