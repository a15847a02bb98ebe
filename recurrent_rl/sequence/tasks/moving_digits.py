"""Moving digits: two of them fly about in a frame and off its walls; what is the next frame?"""

from functools import partial

import numpy as np
from numpy.typing import NDArray

from recurrent_rl.sequence.batch import Examples
from recurrent_rl.sequence.data.optional import optional
from recurrent_rl.sequence.frames import NextFrame
from recurrent_rl.sequence.task import Anchor, Splits, Task
from recurrent_rl.sequence.tasks.drawing import Sizes, streams

SIDE, STEPS, DIGITS = 32, 16, 2
ENLARGED = 2  # pixels of a frame to one of a digit, in either direction
SPEED = 2.5  # pixels from frame to frame
CHANGE = 0.269  # root mean square of a pixel's change
FLOOR = 0.0722

Images = NDArray[np.float32]


def moving_digits(sizes: Sizes | None = None) -> Task:
    """Return moving digits: clips of 16 frames of 32 x 32 pixels with two digits of 16 x 16.

    A digit begins anywhere, flies 2.5 pixels a step in any direction and off the walls; where two meet the brighter pixel
    is seen. So the next frame asks for the speeds, which one frame does not tell, and for which pixels are whose. Training,
    validation and test have digits of their own: 60%, 20% and 20% of scikit-learn's 1,797, the same for all seeds.

    Source: Srivastava, Mansimov, Salakhutdinov 2015, Unsupervised Learning of Video Representations using LSTMs (there in
    64 x 64 pixels, of MNIST's digits).
    """
    sizes = sizes or Sizes(train=1000, validation=200, test=200)
    anchors = (Anchor("copy", FLOOR, "the last frame, of 1,000 clips"),)
    problem, load = NextFrame(pixels=SIDE * SIDE, scale=CHANGE), partial(_splits, sizes)
    return Task("moving-digits", "video", problem, "mse", False, load, features=problem.input_size, anchors=anchors)


def read_digits() -> Images:
    """Return the 1,797 images of scikit-learn, enlarged and from 0 to 1, [N, 16, 16].

    Raises:
        DataError: The package scikit-learn is not installed.
    """
    datasets = optional("sklearn.datasets", "scikit-learn", "moving-digits")
    images = datasets.load_digits().images.astype(np.float32) / 16
    return images.repeat(ENLARGED, axis=1).repeat(ENLARGED, axis=2)


def draw_clips(images: Images, rng: np.random.Generator, count: int) -> Examples:
    """Return clips [16, 1024] float32 of digits drawn from images [N, D, D]."""
    room = SIDE - images.shape[1]
    chosen = images[rng.integers(len(images), size=(count, DIGITS))]
    places = np.rint(fly(rng, count, room)).astype(np.int64)  # [count, digits, T, 2]
    return Examples([_draw(*pair).reshape(STEPS, -1) for pair in zip(chosen, places, strict=True)])


def fly(rng: np.random.Generator, count: int, room: float) -> NDArray[np.float64]:
    """Return places [count, digits, T, 2] from 0 to `room`: straight on at one speed, and back from either wall."""
    angle = 2 * np.pi * rng.random((count, DIGITS, 1))
    way = SPEED * np.stack([np.sin(angle), np.cos(angle)], axis=-1)  # [count, digits, 1, 2]
    begin = room * rng.random((count, DIGITS, 1, 2))
    straight = (begin + way * np.arange(STEPS)[:, None]) % (2 * room)  # as if the room had a mirror image behind it
    return np.minimum(straight, 2 * room - straight)


def _draw(images: Images, places: NDArray[np.int64]) -> Images:
    """Return the frames [T, 32, 32] of digits [digits, D, D] at places [digits, T, 2], row and column of a corner."""
    frames, size = np.zeros((STEPS, SIDE, SIDE), dtype=np.float32), images.shape[1]
    for image, way in zip(images, places, strict=True):
        for frame, (row, column) in zip(frames, way, strict=True):
            window = frame[row : row + size, column : column + size]
            np.maximum(window, image, out=window)
    return frames


def _splits(sizes: Sizes, seed: int) -> Splits:
    images = read_digits()
    mixed = images[np.random.default_rng(0).permutation(len(images))]
    own = np.split(mixed, (len(images) * 3 // 5, len(images) * 4 // 5))
    counts = (sizes.train, sizes.validation, sizes.test)
    train, validation, test = (draw_clips(*given) for given in zip(own, streams(seed, 3), counts, strict=True))
    return Splits(train, validation, test)
