"""MNIST-1D: ten small shapes, padded, stretched, shifted, sheared and noisy, on a line of 40 points."""

from functools import partial

import numpy as np
from numpy.typing import NDArray

from recurrent_rl.sequence.batch import Examples
from recurrent_rl.sequence.problems import Classification
from recurrent_rl.sequence.task import Anchor, Splits, Task

Floats = NDArray[np.float64]

CLASSES, POINTS = 10, 40
TRAIN, VALIDATION, TEST = 3600, 400, 1000  # the paper has 4,000 to train with; validation is cut from them
PADDING = (36, 60)
WIDE = 72  # a template's 12 points with the largest padding
SHIFTS = 48
SCALE, SHEAR, SMOOTH_NOISE, NOISE = 0.4, 0.75, 0.25, 0.02
SIGMA, REACH = 2.0, 8  # of the Gaussian that smooths noise: cut at four standard deviations
SHAPES = (
    (5, 6, 6.5, 6.75, 7, 7, 7, 7, 6.75, 6.5, 6, 5),
    (5, 3, 3, 3.4, 3.8, 4.2, 4.6, 5, 5.4, 5.8, 5, 5),
    (5, 6, 6.5, 6.5, 6, 5.25, 4.75, 4, 3.5, 3.5, 4, 5),
    (5, 6, 6.5, 6.5, 6, 5, 5, 6, 6.5, 6.5, 6, 5),
    (5, 4.4, 3.8, 3.2, 2.6, 2.6, 5, 5, 5, 5, 5, 5),
    (5, 3, 3, 3, 3, 5, 6, 6.5, 6.5, 6, 4.5, 5),
    (5, 4, 3.5, 3.25, 3, 3, 3, 3, 3.25, 3.5, 4, 5),
    (5, 7, 7, 6.6, 6.2, 5.8, 5.4, 5, 4.6, 4.2, 5, 5),
    (5, 4, 3.5, 3.5, 4, 5, 5, 4, 3.5, 3.5, 4, 5),
    (5, 4, 3.5, 3.5, 4, 5, 5, 5, 5, 4.7, 4.3, 5),
)  # of 0 to 9


def mnist1d(shuffled: bool = False) -> Task:
    """Return MNIST-1D: which of ten shapes is it?

    A shape of 12 points gets 36 to 60 zeros behind it, is stretched to 72 points, scaled by 0.8 to 1.2 and turned round the
    line by 0 to 47 points. Where it is zero there is smooth noise, everywhere a little white noise, and a slope. Then 40
    points are read off. Inputs [40, 1] are normalised by mean and deviation over the training sequences.

    Each seed draws other data, 500 sequences of each class; the published figures are of one draw, with 4,000 to train on.

    Args:
        shuffled: Whether the 40 points stand in another order, the same for all sequences and seeds.

    Source: Greydanus and Kobak 2020, Scaling Down Deep Learning with MNIST-1D. Shapes and constants are those of the package
    mnist1d 0.0.2.post1 (Apache-2.0); the code is our own.
    """
    plain = {"logistic": 32.0, "MLP": 68.0, "GRU": 91.0, "CNN": 94.0, "human": 96.0}
    mixed = {"logistic": 32.0, "MLP": 68.0, "GRU": 57.0, "CNN": 56.0, "human": 30.0}
    source = "Greydanus and Kobak 2020" + (", points shuffled" if shuffled else "")
    published = tuple(Anchor(name, value, source) for name, value in (mixed if shuffled else plain).items())
    anchors = (Anchor("floor", 100 / CLASSES, "any of 10 classes"), *published)
    name, load = "mnist1d-shuffled" if shuffled else "mnist1d", partial(_splits, shuffled)
    return Task(
        name, "perception", Classification(CLASSES), "accuracy", True, load, features=1, anchors=anchors, full=True
    )  # fmt: skip


def draw_signals(rng: np.random.Generator, labels: NDArray[np.int64]) -> Floats:
    """Return signals [B, 40] of classes [B], before they are normalised."""
    count = len(labels)
    padding = rng.integers(PADDING[0], PADDING[1] + 1, size=count)
    signals = stretch(templates()[labels], padding) * (1 + SCALE * (rng.random((count, 1)) - 0.5))
    shifts = rng.integers(SHIFTS, size=(count, 1))
    signals = np.take_along_axis(signals, (np.arange(WIDE) - shifts) % WIDE, axis=1)
    noise = smooth(SMOOTH_NOISE * rng.standard_normal((count, WIDE)))
    signals = np.where(signals == 0, noise, signals) + NOISE * rng.standard_normal((count, WIDE))
    slopes = SHEAR * (rng.random((count, 1)) - 0.5)
    return resample(signals - slopes * np.linspace(-0.5, 0.5, WIDE), POINTS)


def templates() -> Floats:
    """Return the shapes [10, 12]: deviation 1/6 each, from 1e-8 at the first point, so that no point of a shape is zero."""
    shapes = np.array(SHAPES)
    shapes = (shapes - shapes.mean(1, keepdims=True)) / shapes.std(1, keepdims=True)
    return (shapes - shapes[:, :1]) / 6 + 1e-8


def stretch(shapes: Floats, padding: NDArray[np.int64]) -> Floats:
    """Return shapes [B, 12] with zeros behind them, as many as `padding` [B] says, each read at 72 even places."""
    padded = np.pad(shapes, ((0, 0), (0, PADDING[1])))  # [B, 72]
    places = np.linspace(0, 1, WIDE) * (shapes.shape[1] + padding[:, None] - 1)  # [B, 72]
    left = np.minimum(places.astype(np.int64), WIDE - 2)
    part = places - left
    values = [np.take_along_axis(padded, index, axis=1) for index in (left, left + 1)]
    return (1 - part) * values[0] + part * values[1]


def smooth(signals: Floats) -> Floats:
    """Return signals [B, T] convolved with a Gaussian of deviation 2, mirrored at their ends."""
    weights = np.exp(-0.5 * (np.arange(-REACH, REACH + 1) / SIGMA) ** 2)
    padded = np.pad(signals, ((0, 0), (REACH, REACH)), mode="symmetric")
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * REACH + 1, axis=1)  # [B, T, 17]
    return windows @ (weights / weights.sum())


def resample(signals: Floats, points: int) -> Floats:
    """Return signals [B, T] read at so many even places, straight lines between."""
    places = np.linspace(0, signals.shape[1] - 1, points)
    left = np.minimum(places.astype(np.int64), signals.shape[1] - 2)
    part = places - left
    return (1 - part) * signals[:, left] + part * signals[:, left + 1]


def _splits(shuffled: bool, seed: int) -> Splits:
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(TRAIN + VALIDATION + TEST) % CLASSES)
    signals = draw_signals(rng, labels)
    signals = (signals - signals[:TRAIN].mean()) / signals[:TRAIN].std()
    order = np.random.default_rng(0).permutation(POINTS) if shuffled else np.arange(POINTS)
    inputs = signals[:, order, None].astype(np.float32)
    train, validation, test = np.split(np.arange(len(labels)), (TRAIN, TRAIN + VALIDATION))
    examples = Examples(list(inputs), labels)
    return Splits(examples.select(train), examples.select(validation), examples.select(test))
