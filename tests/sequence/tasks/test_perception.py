"""MNIST-1D is drawn step by step as the paper's authors do, and who knows how tells the classes apart."""

import numpy as np
import pytest
from scipy import ndimage, special

from recurrent_rl.sequence.batch import Examples
from recurrent_rl.sequence.tasks.perception import (
    CLASSES,
    NOISE,
    PADDING,
    POINTS,
    SCALE,
    SHEAR,
    SHIFTS,
    SMOOTH_NOISE,
    WIDE,
    draw_signals,
    mnist1d,
    resample,
    smooth,
    stretch,
    templates,
)


def likelihoods(signals):
    """Return the log-likelihood [B, 10] of each class, with uniform scales and slopes taken for normal ones."""
    ramp, read = np.linspace(-0.5, 0.5, WIDE), resample(np.eye(WIDE), POINTS)  # [72], [72, 40]
    smoothed = smooth(np.eye(WIDE)) * SMOOTH_NOISE
    found = []
    for padding in range(PADDING[0], PADDING[1] + 1, 3):  # a grid is near enough
        shapes = stretch(templates(), np.full(CLASSES, padding))
        for shift in range(SHIFTS):
            turned = np.roll(shapes, shift, axis=1)
            noise = np.where(turned[0] == 0, smoothed, 0.0)  # each place's share of each white number
            covariance = noise.T @ noise + NOISE**2 * np.eye(WIDE) + SHEAR**2 / 12 * np.outer(ramp, ramp)
            found.append(_normal(signals, turned @ read, read.T @ covariance @ read))
    return special.logsumexp(found, axis=0)


def _normal(signals, means, covariance):
    """Log-densities [B, 10] of normal signals, of a mean that has itself been scaled."""
    lower = np.linalg.cholesky(covariance)
    white, shapes = np.linalg.solve(lower, signals.T).T, np.linalg.solve(lower, means.T).T
    power, match = (shapes**2).sum(1), white @ shapes.T
    distance = (white**2).sum(1)[:, None] - 2 * match + power
    along, variance = match - power, SCALE**2 / 12
    distance -= along**2 * variance / (1 + variance * power)
    return -0.5 * (distance + np.log1p(variance * power)) - np.log(np.diag(lower)).sum()


def test_who_knows_the_generator_tells_the_classes_apart():
    labels = np.arange(200) % CLASSES
    found = likelihoods(draw_signals(np.random.default_rng(0), labels))
    assert mnist1d().problem.scores(list(found), Examples([], labels))["accuracy"] >= 99


class Scripted:
    """A generator that gives what it is told, and keeps the bounds that it is asked for."""

    def __init__(self, integers, uniform, normal):
        self.left, self.bounds = [iter(draws) for draws in (integers, uniform, normal)], []

    def integers(self, *bounds, size):
        self.bounds.append(bounds)
        return next(self.left[0])

    def random(self, size):
        return next(self.left[1])

    def standard_normal(self, size):
        return next(self.left[2])


def by_hand(shape, padding, shift, uniform, normal):
    scale, slope = uniform
    line = np.concatenate([shape, np.zeros(padding)])
    line = np.interp(np.linspace(0, 1, 72), np.linspace(0, 1, len(line)), line) * (1 + 0.4 * (scale - 0.5))
    line = np.concatenate([line[72 - shift :], line[: 72 - shift]])
    inside, noise = line != 0, ndimage.gaussian_filter1d(0.25 * normal[0], 2)
    line = inside * line + (1 - inside) * noise + 0.02 * normal[1]
    line -= 0.75 * (slope - 0.5) * np.linspace(-0.5, 0.5, 72)
    return np.interp(np.linspace(0, 1, 40), np.linspace(0, 1, 72), line)


def test_signals_are_drawn_step_by_step_as_by_hand():
    rng, labels = np.random.default_rng(0), np.array([3, 8, 0, 5])
    paddings, shifts = np.array([36, 60, 41, 53]), np.array([[0], [47], [1], [30]])
    uniform, normal = rng.random((2, 4, 1)), rng.normal(size=(2, 4, 72))
    scripted = Scripted((paddings, shifts), uniform, normal)
    found = draw_signals(scripted, labels)
    for i, label in enumerate(labels):
        line = by_hand(templates()[label], paddings[i], shifts[i, 0], uniform[:, i, 0], normal[:, i])
        np.testing.assert_allclose(found[i], line, atol=1e-12)
    assert scripted.bounds == [(36, 61), (48,)]  # the upper ones are left out


def test_who_guesses_one_class_is_right_in_a_tenth():
    task, splits = mnist1d(), mnist1d().load(0)
    everything = np.concatenate([splits.train.targets, splits.validation.targets, splits.test.targets])
    guesses = [np.eye(CLASSES)[3]] * len(everything)
    assert task.problem.scores(guesses, Examples([], everything))["accuracy"] == task.anchors[0].value == 10


def test_shapes_are_the_papers():
    shapes = templates()
    np.testing.assert_allclose(shapes.std(1), 1 / 6)
    np.testing.assert_allclose(shapes[:, 0], 1e-8)
    np.testing.assert_allclose(shapes[:, -1], 1e-8, atol=1e-12)  # they end as high as they begin
    seven = np.array([5, 7, 7, 6.6, 6.2, 5.8, 5.4, 5, 4.6, 4.2, 5, 5])
    np.testing.assert_allclose(shapes[7], (seven - 5) / seven.std() / 6 + 1e-8)


@pytest.mark.parametrize("padding", [36, 47, 60])
def test_a_shape_is_padded_and_stretched_as_linear_interpolation_does(padding):
    padded = np.concatenate([templates()[4], np.zeros(padding)])
    expected = np.interp(np.linspace(0, 1, WIDE), np.linspace(0, 1, len(padded)), padded)
    np.testing.assert_allclose(stretch(templates()[4:5], np.array([padding]))[0], expected, atol=1e-14)


def test_noise_is_smoothed_as_scipy_smooths_it():
    noise = np.random.default_rng(0).normal(size=(3, WIDE))
    np.testing.assert_allclose(smooth(noise), ndimage.gaussian_filter1d(noise, 2.0), atol=1e-14)


def test_points_are_read_off_straight_lines():
    signals = np.random.default_rng(0).normal(size=(2, WIDE))
    expected = [np.interp(np.linspace(0, 1, POINTS), np.linspace(0, 1, WIDE), signal) for signal in signals]
    np.testing.assert_allclose(resample(signals, POINTS), expected, atol=1e-14)


def test_splits_have_the_papers_sizes_and_training_data_are_normalised():
    splits = mnist1d().load(0)
    assert [len(split) for split in (splits.train, splits.validation, splits.test)] == [3600, 400, 1000]
    train, test = np.stack(splits.train.inputs), np.stack(splits.test.inputs)
    assert train.shape == (3600, 40, 1)
    assert train.dtype == np.float32
    assert (train.mean(), train.std()) == pytest.approx((0, 1), abs=1e-5)
    assert (test.mean(), test.std()) == pytest.approx((0, 1), abs=0.05)


def test_shuffled_points_are_the_plain_ones_in_one_order_for_all_seeds():
    orders = []
    for seed in (0, 1):
        plain, shuffled = (np.stack(mnist1d(mixed).load(seed).test.inputs)[:, :, 0] for mixed in (False, True))
        orders.append([int(np.flatnonzero((plain == column[:, None]).all(0))[0]) for column in shuffled.T])
    assert sorted(orders[0]) == list(range(POINTS))
    assert orders[0] == orders[1] != list(range(POINTS))
