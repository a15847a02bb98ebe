"""Tasks that ask for nothing but memory: adding, copying, and copying with a choice of what to copy."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from recurrent_rl.sequence.batch import IGNORED, Array, Examples
from recurrent_rl.sequence.problems import Regression, Scores, Tagging
from recurrent_rl.sequence.task import Anchor, Task
from recurrent_rl.sequence.tasks.drawing import Sizes, draw_splits, require_least

BLANK = 0
COPIED = 10  # symbols to copy, each one of 1..8
COPY_GO = 9
CHOSEN = 16  # symbols to copy of selective copy, each one of 1..14
CHOSEN_GO = 15

ADDING_SIZES = Sizes(train=50_000)
COPY_SIZES = Sizes(train=10_000)
SELECTIVE_SIZES = Sizes(train=20_000)


@dataclass(frozen=True)
class Copying(Tagging):
    """A symbol at each step, most of them blanks (0) that say nothing.

    Scores: nats, the cross-entropy over all steps; accuracy over all steps; and recall, the accuracy where the target is no
    blank; both in percent.
    """

    def scores(self, predicted: Sequence[Array], examples: Examples) -> Scores:
        """See `Problem.scores`."""
        assert examples.targets is not None
        wanted = np.concatenate(list(examples.targets))
        found = np.concatenate([np.argmax(rows, axis=-1) for rows in predicted])
        recall = 100.0 * float(np.mean((found == wanted)[wanted != BLANK]))
        return {"recall": recall, **super().scores(predicted, examples)}


def adding(length: int = 200, sizes: Sizes = ADDING_SIZES) -> Task:
    """Return the adding problem: the sum of the two numbers that are marked.

        x[t] = (u[t], m[t])      u uniform in [0, 1), m 1 at two steps and 0 elsewhere
        y    = sum_t m[t] u[t]

    Predicting 1 whatever comes gives the variance of the sum, 1/6. The sizes are those of Bai et al., whose marks may stand
    anywhere; their LSTM and RNN never left the floor.

    Args:
        length: T, 2 or more.
        sizes: Of the splits.

    Source: Hochreiter and Schmidhuber 1997, Long Short-Term Memory; as in Bai et al. 2018, An Empirical Evaluation of
    Generic Convolutional and Recurrent Networks for Sequence Modeling.
    """
    require_least("length", length, 2)
    anchors = (Anchor("floor", 1 / 6, "predict 1.0: the variance of the sum of two uniform numbers"),)
    if length == 600:
        figures = {"GRU": 5.3e-5, "TCN": 5.8e-5, "LSTM": 0.164, "RNN": 0.177}
        anchors += tuple(Anchor(name, value, "Bai et al. 2018, table 1") for name, value in figures.items())
    load = partial(draw_splits, partial(draw_adding, length=length), sizes)
    return Task(
        f"adding-{length}", "memory", Regression(), "mse", False, load, features=2, anchors=anchors, full=True
    )  # fmt: skip


def draw_adding(rng: np.random.Generator, count: int, length: int) -> Examples:
    """Return inputs [T, 2] float32 and targets [1]."""
    inputs = np.zeros((count, length, 2), dtype=np.float32)
    inputs[:, :, 0] = rng.random((count, length), dtype=np.float32)
    first, second = rng.integers(length, size=count), rng.integers(length - 1, size=count)
    second += second >= first  # any step but the first mark's
    rows = np.arange(count)
    inputs[rows, first, 1] = inputs[rows, second, 1] = 1
    return Examples(list(inputs), inputs[rows, first, :1] + inputs[rows, second, :1])


def copy_memory(delay: int = 100, sizes: Sizes = COPY_SIZES) -> Task:
    """Return the copy memory task: ten symbols of eight, a delay, and the same ten again.

        x = s[1..10]  0 (delay - 1 times)  9 (11 times)         s uniform in 1..8
        y = 0 (delay + 10 times)           s[1..10]

    All delay + 20 steps are scored. Who counts steps but remembers none of the symbols has 10 ln 8 / (delay + 20) nats.

    Args:
        delay: T, 1 or more.
        sizes: Of the splits; those of Bai et al. at first. They read the symbols as numbers, we as symbols.

    Source: Hochreiter and Schmidhuber 1997, Long Short-Term Memory; Arjovsky et al. 2016, Unitary Evolution Recurrent
    Neural Networks; in the form of Bai et al. 2018.
    """
    require_least("delay", delay, 1)
    floor = COPIED * math.log(8) / (delay + 2 * COPIED)
    anchors = (
        Anchor("floor", floor, "10 ln 8 / (T + 20): steps counted, no symbol remembered"),
        Anchor("TCN, T=1000", 3.5e-5, "Bai et al. 2018, table 1", comparable=False),
        Anchor("LSTM, T=1000", 0.0204, "Bai et al. 2018, table 1 (its floor)", comparable=False),
    )
    load = partial(draw_splits, partial(draw_copy, delay=delay), sizes)
    return Task(f"copy-{delay}", "memory", Copying(10), "nats", False, load, symbols=10, anchors=anchors)


def draw_copy(rng: np.random.Generator, count: int, delay: int) -> Examples:
    """Return inputs and targets [delay + 20] int64."""
    inputs = np.full((count, delay + 2 * COPIED), BLANK, dtype=np.int64)
    targets = inputs.copy()
    inputs[:, :COPIED] = targets[:, -COPIED:] = rng.integers(1, COPY_GO, size=(count, COPIED))
    inputs[:, -COPIED - 1 :] = COPY_GO
    return Examples(list(inputs), list(targets))


def selective_copy(length: int = 100, sizes: Sizes = SELECTIVE_SIZES) -> Task:
    """Return selective copying: sixteen symbols of fourteen, anywhere among blanks, wanted in their order.

        x = length steps, 16 of them symbols of 1..14, the others 0;  then 15 (16 times)
        y = ignored for length steps;                                 then the symbols

    Only the sixteen answers are scored. The figures of the anchors are of length 4096 and 400,000 steps of training.

    Args:
        length: T, 16 or more.
        sizes: Of the splits.

    Source: Gu and Dao 2023, Mamba: Linear-Time Sequence Modeling with Selective State Spaces; Feng et al. 2024, Were RNNs
    All We Needed?
    """
    require_least("length", length, CHOSEN)
    source = "Feng et al. 2024, length 4096 (second-hand)"
    figures = {"minLSTM": 96.0, "minGRU": 99.5, "Mamba": 99.8, "S4": 18.3}
    floor = Anchor("floor", 100 / (CHOSEN_GO - 1), "one of 14 symbols at random")
    anchors = (floor, *(Anchor(name, value, source, comparable=False) for name, value in figures.items()))
    load = partial(draw_splits, partial(draw_selective, length=length), sizes)
    return Task(
        f"selective-copy-{length}", "memory", Tagging(16), "accuracy", True, load, symbols=16, anchors=anchors
    )  # fmt: skip


def draw_selective(rng: np.random.Generator, count: int, length: int) -> Examples:
    """Return inputs and targets [length + 16] int64, targets IGNORED but at the end."""
    inputs = np.full((count, length + CHOSEN), BLANK, dtype=np.int64)
    targets = np.full_like(inputs, IGNORED)
    order = np.argpartition(rng.random((count, length), dtype=np.float32), CHOSEN - 1, axis=1)
    places = np.sort(order[:, :CHOSEN], axis=1)
    symbols = rng.integers(1, CHOSEN_GO, size=(count, CHOSEN))
    np.put_along_axis(inputs, places, symbols, axis=1)
    inputs[:, length:], targets[:, length:] = CHOSEN_GO, symbols
    return Examples(list(inputs), list(targets))
