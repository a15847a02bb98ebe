"""Problems in which a sequence is a set of examples of its own: how good is the answer after k of them?

index i     0          1          2
input       x0 -       x1 y0      x2 y1        the answer to a question comes with the next question
target      y0         y1         y2
k           0          1          2            examples seen before the answer is given
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from recurrent_rl.sequence.batch import Array, Batch, Examples, pad
from recurrent_rl.sequence.problems import Problem, Scores, Tagging, pad_inputs, targets_of

SHOWN = (0, 1, 2, 4, 8, 16, 31)
"""Examples seen for which scores are told, as far as sequences go."""


@dataclass(frozen=True)
class RegressionInContext(Problem):
    """A number at each step. Targets: [T] float32. Scores: mse over all steps, and `after k` the mse at step k."""

    output_size = 1
    per_step = True
    causal = True
    loss_name = "mse"

    def batch(self, examples: Examples, indices: Sequence[int] | Array) -> Batch:
        """See `Problem.batch`; targets are [T, B], NaN after an end."""
        inputs, lengths = pad_inputs(examples, indices)
        wanted = [np.asarray(targets_of(examples)[int(index)], dtype=np.float32) for index in indices]
        return Batch(inputs, lengths, pad(wanted, np.nan))

    def losses(self, predicted: Tensor, batch: Batch) -> Tensor:
        """Return squared errors [N] of the steps within lengths."""
        assert batch.targets is not None
        return (predicted.squeeze(-1) - batch.targets)[batch.mask].square()

    def scores(self, predicted: Sequence[Array], examples: Examples) -> Scores:
        """See `Problem.scores`."""
        errors = [
            np.square(np.asarray(row, dtype=np.float64)[:, 0] - np.asarray(wanted, dtype=np.float64))
            for row, wanted in zip(predicted, targets_of(examples), strict=True)
        ]
        return {"mse": float(np.mean(np.concatenate(errors))), **after(errors)}


@dataclass(frozen=True)
class TaggingInContext(Tagging):
    """A label at each step. Scores: those of `Tagging`, and `after k` the accuracy at step k, in percent."""

    causal: bool = True

    def scores(self, predicted: Sequence[Array], examples: Examples) -> Scores:
        """See `Problem.scores`."""
        right = [
            100.0 * (np.argmax(row, axis=-1) == np.asarray(wanted))
            for row, wanted in zip(predicted, targets_of(examples), strict=True)
        ]
        return super().scores(predicted, examples) | after(right)


def after(rows: Sequence[np.ndarray]) -> Scores:
    """Return the means over sequences of what stands at some steps of rows [T], where all have them."""
    least = min(map(len, rows))
    return {f"after {k}": float(np.mean([row[k] for row in rows])) for k in SHOWN if k < least}
