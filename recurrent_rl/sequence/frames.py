"""The next frame of a film."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from recurrent_rl.sequence.batch import Array, Batch, Examples, pad
from recurrent_rl.sequence.problems import Scores, StepProblem
from recurrent_rl.sequence.sampling import Sampling

Floats = NDArray[np.floating[Any]]


@dataclass(frozen=True, kw_only=True)
class NextFrame(StepProblem):
    """The next frame at each step. Targets: None; the inputs are frames [T, P] float32. Scores: mse and relative.

        u[t]    = [x[t]; (x[t] - x[t-1]) / scale]               what a model reads, 2 P numbers; x[-1] = x[0]
        x'[t+1] = x[t] + scale * y[t]                           y: the head's numbers
        loss    = mean_p ((x[t+1] - x'[t+1]) / scale)^2         about 1 where the last frame is repeated
        mse     = mean (x[t+1] - x'[t+1])^2                     over steps and pixels
        relative = mse / mean (x[t+1] - x[t])^2

    The head says what changes: a model that says nothing repeats the last frame, and none has to learn to copy. Models read
    beside a frame how it changed, for changes are small against the frame. The first frame of a sequence is given and not
    scored, so sequences have at least two.

    Args:
        pixels: Of a frame, P.
        scale: Of the changes: their root mean square in training.

    Raises:
        ValueError: A field is not above 0.
    """

    pixels: int
    scale: float = 1.0
    loss_name = "mse"

    def __post_init__(self) -> None:
        if self.pixels < 1 or not self.scale > 0:
            raise ValueError(f"{self}: pixels and scale must be above 0.")

    @property
    def input_size(self) -> int:
        """A frame and how it changed."""
        return 2 * self.pixels

    @property
    def output_size(self) -> int:  # type: ignore[override]
        """The change of each pixel."""
        return self.pixels

    def require_inputs(self, inputs: Tensor) -> None:
        """See `StepProblem.require_inputs`."""
        if inputs.dim() != 3 or inputs.shape[-1] != self.input_size or not inputs.is_floating_point():
            raise ValueError(
                f"Models read frames and how they changed, float32 [T, B, {self.input_size}], as NextFrame.read makes them "
                f"of frames [T, B, {self.pixels}]; these are {inputs.dtype} {list(inputs.shape)}."
            )

    def read(self, frames: Tensor) -> Tensor:
        """Return frames [T, B, P] as models read them, u [T, B, 2 P]."""
        changes = frames.diff(dim=0, prepend=frames[:1]) / self.scale
        return torch.cat([frames, changes], dim=-1)

    def batch(self, examples: Examples, indices: Sequence[int] | Array) -> Batch:
        """See `Problem.batch`: inputs [T, B, 2 P] up to the last frame but one; targets are the changes after each.

        After an end targets are NaN.
        """
        chosen = [np.asarray(examples.inputs[int(index)], dtype=np.float32) for index in indices]
        changes = [self._changes(row) for row in chosen]
        before = [np.concatenate([np.zeros_like(row[:1]), row[:-1]]) for row in changes]
        inputs = [np.concatenate([row[:-1], change], axis=1) for row, change in zip(chosen, before, strict=True)]
        return Batch(pad(inputs), torch.tensor([len(row) for row in inputs]), pad(changes, np.nan))

    def draw(self, said: Tensor, last: Tensor, sampling: Sampling) -> Tensor:
        """See `StepProblem.draw`: the frame that is foretold, and how it changed; nothing is drawn."""
        return torch.cat([last[:, : self.pixels] + self.scale * said, said], dim=-1)

    def losses(self, predicted: Tensor, batch: Batch) -> Tensor:
        """Return squared errors [N] of the steps within lengths, means over the pixels."""
        assert batch.targets is not None
        return (predicted - batch.targets)[batch.mask].square().mean(-1)

    def scores(self, predicted: Sequence[Array], examples: Examples) -> Scores:
        """See `Problem.scores`; relative to a film that stands still it is 1."""
        changes = np.concatenate([self._changes(np.asarray(row, dtype=np.float64)) for row in examples.inputs])
        error = float(
            np.mean(np.square(np.concatenate([np.asarray(row, dtype=np.float64) for row in predicted]) - changes))
        )
        copied = float(np.mean(np.square(changes)))
        return {"mse": error * self.scale**2, "relative": error / copied if copied > 0 else 1.0}

    def _changes(self, frames: Floats) -> Floats:
        """Return the changes from each frame [T, P] to the next, [T - 1, P], in units of the scale."""
        return np.diff(frames, axis=0) / frames.dtype.type(self.scale)


def copying_error(examples: Examples) -> float:
    """Return the mean squared error of repeating the last frame, the floor of `NextFrame`."""
    rows = [np.asarray(row, dtype=np.float64) for row in examples.inputs]  # bytes would wrap around
    return float(np.mean(np.square(np.concatenate([np.diff(row, axis=0) for row in rows]))))
