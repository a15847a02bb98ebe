"""Few-shot learning: each sequence is a task of its own, of a family, and has to be learned while it is read.

What a network learns by gradient is the family; what it learns of a sequence's own task it keeps in its state.

Source: Hochreiter, Younger and Conwell 2001, Learning to Learn Using Gradient Descent (a recurrent net that is told the last
answer with the next question); Garg et al. 2022, What Can Transformers Learn In-Context? (linear functions).
"""

from functools import partial

import numpy as np
from numpy.typing import NDArray

from recurrent_rl.sequence.batch import Examples
from recurrent_rl.sequence.in_context import RegressionInContext, TaggingInContext
from recurrent_rl.sequence.task import Anchor, Task
from recurrent_rl.sequence.tasks.drawing import Sizes, draw_splits

Floats = NDArray[np.float64]

STEPS, SIZE, NOISE = 32, 5, 0.1
CLASSES, SPREAD = 4, 2.0  # of a sequence, and of the classes' centres in units of what is within a class
SIZES = Sizes(train=50_000, test=2000)
REGRESSION_BEST, CLASSIFICATION_BEST = 0.1171, 87.19


def regression_in_context(sizes: Sizes = SIZES) -> Task:
    """Return linear functions, another one in each sequence: y = w x + noise, 32 examples.

        x[i] ~ N(0, 1), 5 numbers       w ~ N(0, 1/5)       noise ~ N(0, 0.1^2), so y has variance 1.01
        input[i] = [x[i]; y[i-1]], 6 numbers, y[-1] = 0     target[i] = y[i]

    Args:
        sizes: Of the splits.
    """
    anchors = (
        Anchor("floor", 1 + NOISE**2, "0: the variance of y"),
        Anchor("best possible", REGRESSION_BEST, "the mean of w given the examples, over 100,000 sequences"),
    )
    load = partial(draw_splits, draw_regression, sizes)
    problem = RegressionInContext()
    return Task("in-context-regression", "few-shot", problem, "mse", False, load, features=SIZE + 1, anchors=anchors)


def classification_in_context(sizes: Sizes = SIZES) -> Task:
    """Return classes around centres, others in each sequence: 4 classes, 32 examples.

        centre[c] ~ N(0, 2^2), 5 numbers       x[i] ~ N(centre[y[i]], 1), any class as likely
        input[i] = [x[i]; one-hot y[i-1]], 9 numbers, zeros at first       target[i] = y[i]

    Args:
        sizes: Of the splits.
    """
    anchors = (
        Anchor("floor", 100 / CLASSES, "any of four"),
        Anchor("best possible", CLASSIFICATION_BEST, "Bayes' rule given the examples, over 100,000 sequences"),
    )
    load = partial(draw_splits, draw_classification, sizes)
    return Task(
        "in-context-classification", "few-shot", TaggingInContext(CLASSES), "accuracy", True, load,
        features=SIZE + CLASSES, anchors=anchors,
    )  # fmt: skip


def draw_regression(rng: np.random.Generator, count: int) -> Examples:
    """Return so many sequences: inputs [32, 6] float32, targets [32] float32."""
    weights = rng.normal(size=(count, SIZE, 1)) / SIZE**0.5
    questions = rng.normal(size=(count, STEPS, SIZE))
    answers = (questions @ weights)[..., 0] + NOISE * rng.normal(size=(count, STEPS))
    before = np.concatenate([np.zeros((count, 1)), answers[:, :-1]], axis=1)[..., None]
    inputs = np.concatenate([questions, before], axis=-1).astype(np.float32)
    return Examples(list(inputs), list(answers.astype(np.float32)))


def draw_classification(rng: np.random.Generator, count: int) -> Examples:
    """Return so many sequences: inputs [32, 9] float32, targets [32] int64."""
    centres = SPREAD * rng.normal(size=(count, CLASSES, SIZE))
    labels = rng.integers(CLASSES, size=(count, STEPS))
    questions = np.take_along_axis(centres, labels[..., None], axis=1) + rng.normal(size=(count, STEPS, SIZE))
    told = np.eye(CLASSES)[labels[:, :-1]]
    before = np.concatenate([np.zeros((count, 1, CLASSES)), told], axis=1)
    inputs = np.concatenate([questions, before], axis=-1).astype(np.float32)
    return Examples(list(inputs), list(labels))


def best_regression(examples: Examples) -> list[NDArray[np.float64]]:
    """Return the best possible answers [32, 1]: x times the mean of w given the examples before (ridge regression)."""
    found = []
    for row, wanted in _rows(examples):
        questions, precision, moment = row[:, :SIZE], SIZE * np.eye(SIZE), np.zeros(SIZE)
        answers = np.zeros((len(row), 1))
        for step, (question, answer) in enumerate(zip(questions, wanted, strict=True)):
            answers[step] = question @ np.linalg.solve(precision, moment)
            precision += np.outer(question, question) / NOISE**2
            moment += question * answer / NOISE**2
        found.append(answers)
    return found


def best_classification(examples: Examples) -> list[NDArray[np.float64]]:
    """Return the logits [32, 4] of Bayes' rule: of each class the density of x given its examples before.

    centre given n examples with sum s:  N(s / (n + 1/4), 1 / (n + 1/4)), so x ~ N(that mean, 1 + that variance)
    """
    found = []
    for row, labels in _rows(examples):
        counts, sums = np.zeros((CLASSES, 1)), np.zeros((CLASSES, SIZE))
        logits = np.zeros((len(row), CLASSES))
        for step, (question, label) in enumerate(zip(row[:, :SIZE], labels.astype(int), strict=True)):
            variance = 1 / (counts + SPREAD**-2)
            distance = np.square(question - variance * sums) / (1 + variance) + np.log(1 + variance)
            logits[step] = -0.5 * distance.sum(1)
            counts[label] += 1
            sums[label] += question
        found.append(logits)
    return found


def _rows(examples: Examples) -> list[tuple[Floats, Floats]]:
    assert examples.targets is not None
    pairs = zip(examples.inputs, examples.targets, strict=True)
    return [(np.asarray(row, dtype=np.float64), np.asarray(wanted, dtype=np.float64)) for row, wanted in pairs]
