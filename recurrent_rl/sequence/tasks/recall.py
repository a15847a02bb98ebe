"""Multi-query associative recall: which value came with this key?"""

from functools import partial

import numpy as np
from numpy.typing import NDArray

from recurrent_rl.sequence.batch import IGNORED, Examples
from recurrent_rl.sequence.problems import Tagging
from recurrent_rl.sequence.task import Anchor, Splits, Task
from recurrent_rl.sequence.tasks.drawing import Sizes, draw_splits, streams

Whole = NDArray[np.int64]

STEPS = 64
SYMBOLS = 64  # 0 is the blank, 1..31 are keys, 32..63 values
FIRST_VALUE = 32
VALUES = SYMBOLS - FIRST_VALUE
PAIRS = tuple(range(4, 17))
TESTED_PAIRS = (4, 8, 16)
NEARNESS = 0.01
SIZES = Sizes(train=50_000, test=2000)


def recall(sizes: Sizes = SIZES) -> Task:
    """Return recall: 4 to 16 pairs of key and value, then each key once more, and its value is wanted.

        x  8 40 3 57 ...  0 0 3 0 0 0  8 0 ...      64 steps
        y  -  - -  - ...  - - 57 - - - 40 - ...     scored at the queries alone

    Keys and values of a sequence are all different. A query stands at slot g = 0, 1, ... of two steps, drawn without
    replacement with weights (g + 1)^(0.01 - 1): mostly soon after the pairs. Further tests have 4, 8 and 16 pairs.

    The vocabulary is 64, small for CPUs (the paper has 8,192), and what stands between queries is blank: with so few symbols
    the paper's random ones would often contradict the pairs.

    Args:
        sizes: Of the splits; each of the further tests is as large as the test.

    Source: Arora et al. 2023, Zoology: Measuring and Improving Recall in Efficient Language Models.
    """
    source = "Zoology's task with 4 pairs and width 64, as reproduced in UOR-Foundation #1052"
    anchors = (
        Anchor("floor", 100 / VALUES, "1/V: one of V = 32 values at random"),
        Anchor("floor, values remembered", 10.0, "one of the sequence's values at random: 13 / (4 + ... + 16)"),
        Anchor("attention", 99.2, source, comparable=False),
    )
    load = partial(_splits, sizes)
    return Task("recall", "recall", Tagging(SYMBOLS), "accuracy", True, load, symbols=SYMBOLS, anchors=anchors)


def draw_recall(rng: np.random.Generator, count: int, pairs: tuple[int, ...] = PAIRS) -> Examples:
    """Return inputs and targets [64] int64; each sequence has one of the numbers of pairs."""
    chosen = rng.choice(pairs, size=count)
    groups = [_of_pairs(rng, int(np.sum(chosen == number)), number) for number in pairs]
    inputs, targets = (np.concatenate(parts) for parts in zip(*groups))
    order = rng.permutation(count)
    return Examples(list(inputs[order]), list(targets[order]))


def _splits(sizes: Sizes, seed: int) -> Splits:
    splits, rngs = draw_splits(draw_recall, sizes, seed), streams(seed, 3 + len(TESTED_PAIRS))[3:]
    longer = {f"{n} pairs": draw_recall(rng, sizes.test, (n,)) for n, rng in zip(TESTED_PAIRS, rngs)}
    return Splits(splits.train, splits.validation, splits.test, longer)


def _of_pairs(rng: np.random.Generator, count: int, pairs: int) -> tuple[Whole, Whole]:
    """Return inputs and targets [B, 64] with so many pairs."""
    keys = 1 + _some(rng, np.zeros((count, FIRST_VALUE - 1)), pairs)
    values = FIRST_VALUE + _some(rng, np.zeros((count, VALUES)), pairs)
    inputs, targets = np.zeros((count, STEPS), dtype=np.int64), np.full((count, STEPS), IGNORED)
    inputs[:, 0 : 2 * pairs : 2], inputs[:, 1 : 2 * pairs : 2] = keys, values
    slots = np.arange(1, STEPS // 2 - pairs + 1)
    weights = np.broadcast_to((NEARNESS - 1) * np.log(slots), (count, len(slots)))
    queries = 2 * pairs + 2 * _some(rng, weights, pairs)
    np.put_along_axis(inputs, queries, keys, axis=1)
    np.put_along_axis(targets, queries, values, axis=1)
    return inputs, targets


def _some(rng: np.random.Generator, log_weights: NDArray[np.float64], count: int) -> Whole:
    """Return indices [B, count] drawn one after another without replacement, by weights [B, N].

    The largest of log-weights with Gumbel noise are such a draw, in its order.
    """
    noisy = log_weights + rng.gumbel(size=log_weights.shape)
    return np.argsort(-noisy, axis=1)[:, :count]
