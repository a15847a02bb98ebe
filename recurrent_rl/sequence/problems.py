"""The shapes of problem: what is wanted at each step or of a whole sequence, its loss, and its scores."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from recurrent_rl.sequence.batch import IGNORED, Array, Batch, Examples, pad
from recurrent_rl.sequence.sampling import Sampling

Scores = dict[str, float]


class Problem(ABC):
    """What a model is asked.

    Attributes:
        output_size: Numbers that the head gives, K.
        per_step: Whether it gives them at each step, [T, B, K], or for a whole sequence, [B, K].
        causal: Whether a model that looks ahead would see the answer.
        loss_name: Of the scores the one that tells what the losses tell, the lower the better: it parts models whose other
            scores are equal.
    """

    output_size: int
    per_step: bool
    causal: bool = False
    loss_name: str = "nats"

    def head(self, inputs: int) -> nn.Module:
        """Return a new layer from what a model gives, [..., inputs], to the K numbers, [..., K]."""
        return nn.Linear(inputs, self.output_size)

    def begin(self, head: nn.Module, train: Examples) -> None:  # noqa: B027 - most have nothing to do
        """Let a new head begin from what training holds; most begin as they are."""

    @abstractmethod
    def batch(self, examples: Examples, indices: Sequence[int] | Array) -> Batch:
        """Return chosen examples padded, on the host."""

    @abstractmethod
    def losses(self, predicted: Tensor, batch: Batch) -> Tensor:
        """Return the loss of each scored item, [N], in nats or squared units: padding is not among them."""

    @abstractmethod
    def scores(self, predicted: Sequence[Array], examples: Examples) -> Scores:
        """Return scores by name, from the head's numbers for each example: [T, K] or [K], padding cut off."""


class StepProblem(Problem):
    """The next input at each step: from what is said of it one can be drawn, and so a sequence goes on by itself."""

    per_step = True
    causal = True

    def require_inputs(self, inputs: Tensor) -> None:
        """Raise ValueError if inputs [T, B, ...] are not what the problem is about."""

    @abstractmethod
    def draw(self, said: Tensor, last: Tensor, sampling: Sampling) -> Tensor:
        """Return next inputs, [B] or [B, F].

        Args:
            said: What the head gives after the last inputs, [B, K].
            last: The inputs after which these come, [B] or [B, F].
            sampling: How it is drawn.
        """


@dataclass(frozen=True)
class Classification(Problem):
    """One label for a sequence. Targets: one int below `classes` each. Scores: accuracy and macro_f1 in percent; nats."""

    classes: int
    per_step = False

    @property
    def output_size(self) -> int:  # type: ignore[override]
        """One logit for each class."""
        return self.classes

    def batch(self, examples: Examples, indices: Sequence[int] | Array) -> Batch:
        """See `Problem.batch`."""
        inputs, lengths = pad_inputs(examples, indices)
        labels = torch.tensor([int(targets_of(examples)[int(index)]) for index in indices])
        return Batch(inputs, lengths, labels)

    def losses(self, predicted: Tensor, batch: Batch) -> Tensor:
        """Return cross-entropies [B], in nats."""
        assert batch.targets is not None
        return cross_entropy(predicted, batch.targets, reduction="none")

    def scores(self, predicted: Sequence[Array], examples: Examples) -> Scores:
        """See `Problem.scores`."""
        found = np.array([np.argmax(row) for row in predicted])
        wanted = np.array([int(label) for label in targets_of(examples)])
        return {
            "accuracy": 100.0 * float(np.mean(found == wanted)),
            "macro_f1": 100.0 * macro_f1(found, wanted),
            "nats": mean_nats(np.stack(predicted), wanted),
        }


@dataclass(frozen=True)
class Tagging(Problem):
    """A label at each step. Targets: [T] int64 below `classes`, or IGNORED.

    Scores, over the scored steps: accuracy in percent; nats.
    """

    classes: int
    causal: bool = False
    per_step = True

    @property
    def output_size(self) -> int:  # type: ignore[override]
        """One logit for each class."""
        return self.classes

    def batch(self, examples: Examples, indices: Sequence[int] | Array) -> Batch:
        """See `Problem.batch`."""
        inputs, lengths = pad_inputs(examples, indices)
        return Batch(inputs, lengths, pad([targets_of(examples)[int(index)] for index in indices], IGNORED))

    def losses(self, predicted: Tensor, batch: Batch) -> Tensor:
        """Return cross-entropies [N] of scored steps, in nats."""
        assert batch.targets is not None
        scored = batch.targets != IGNORED
        return cross_entropy(predicted[scored], batch.targets[scored], reduction="none")

    def scores(self, predicted: Sequence[Array], examples: Examples) -> Scores:
        """See `Problem.scores`."""
        wanted = np.concatenate([np.asarray(target) for target in targets_of(examples)])
        scored = wanted != IGNORED
        logits, wanted = np.concatenate(list(predicted))[scored], wanted[scored]
        return {
            "accuracy": 100.0 * float(np.mean(logits.argmax(-1) == wanted)),
            "nats": mean_nats(logits, wanted),
        }


@dataclass(frozen=True)
class NextStep(StepProblem):
    """The next symbol at each step. Targets: None; the inputs are symbols below `symbols`. Scores: nats, bits, accuracy.

    The first symbol of a sequence is given and not scored, so sequences have at least two.
    """

    symbols: int

    @property
    def output_size(self) -> int:  # type: ignore[override]
        """One logit for each symbol."""
        return self.symbols

    def require_inputs(self, inputs: Tensor) -> None:
        """See `StepProblem.require_inputs`."""
        if inputs.is_floating_point():
            raise ValueError(f"Symbols must be whole numbers, int64; they are {inputs.dtype}.")
        if not 0 <= int(inputs.min()) <= int(inputs.max()) < self.symbols:
            least, most = int(inputs.min()), int(inputs.max())
            raise ValueError(f"Symbols must be from 0 to {self.symbols - 1}; they are from {least} to {most}.")

    def draw(self, said: Tensor, last: Tensor, sampling: Sampling) -> Tensor:
        """See `StepProblem.draw`."""
        return sampling.one_of(said)

    def batch(self, examples: Examples, indices: Sequence[int] | Array) -> Batch:
        """See `Problem.batch`: inputs without the last symbol, targets without the first."""
        chosen = [examples.inputs[int(index)] for index in indices]
        lengths = torch.tensor([len(row) - 1 for row in chosen])
        return Batch(pad([row[:-1] for row in chosen]), lengths, pad([row[1:] for row in chosen], IGNORED))

    def losses(self, predicted: Tensor, batch: Batch) -> Tensor:
        """Return cross-entropies [N], in nats."""
        return Tagging(self.symbols).losses(predicted, batch)

    def scores(self, predicted: Sequence[Array], examples: Examples) -> Scores:
        """See `Problem.scores`; bits are those per symbol."""
        logits = np.concatenate(list(predicted))
        wanted = np.concatenate([np.asarray(row[1:]) for row in examples.inputs])
        nats, correct = mean_nats(logits, wanted), float(np.mean(logits.argmax(-1) == wanted))
        return {"nats": nats, "bits": nats / float(np.log(2)), "accuracy": 100.0 * correct}


@dataclass(frozen=True)
class Regression(Problem):
    """`size` numbers of a whole sequence. Targets: [size] float32. Scores: mse and mae."""

    size: int = 1
    per_step = False
    loss_name = "mse"

    @property
    def output_size(self) -> int:  # type: ignore[override]
        """The numbers themselves."""
        return self.size

    def batch(self, examples: Examples, indices: Sequence[int] | Array) -> Batch:
        """See `Problem.batch`."""
        inputs, lengths = pad_inputs(examples, indices)
        wanted = np.stack([np.asarray(targets_of(examples)[int(index)], dtype=np.float32) for index in indices])
        return Batch(inputs, lengths, torch.from_numpy(wanted.reshape(len(indices), self.size)))

    def losses(self, predicted: Tensor, batch: Batch) -> Tensor:
        """Return squared errors [B], means over the numbers."""
        assert batch.targets is not None
        return (predicted - batch.targets).square().mean(-1)

    def scores(self, predicted: Sequence[Array], examples: Examples) -> Scores:
        """See `Problem.scores`."""
        wanted = np.stack([np.asarray(target, dtype=np.float64).reshape(self.size) for target in targets_of(examples)])
        error = np.stack([np.asarray(row, dtype=np.float64) for row in predicted]) - wanted
        return {"mse": float(np.mean(error**2)), "mae": float(np.mean(np.abs(error)))}


def pad_inputs(examples: Examples, indices: Sequence[int] | Array) -> tuple[Tensor, Tensor]:
    """Return inputs [T, B] or [T, B, F] and lengths [B]."""
    chosen = [examples.inputs[int(index)] for index in indices]
    return pad(chosen), torch.tensor([len(row) for row in chosen])


def mean_nats(logits: Array, wanted: Array) -> float:
    """Return the mean cross-entropy of logits [N, K] on labels [N], in float64 and 65,536 rows at a time."""
    total = 0.0
    for start in range(0, len(wanted), 65_536):
        rows = torch.from_numpy(logits[start : start + 65_536]).double()
        total += float(cross_entropy(rows, torch.from_numpy(wanted[start : start + 65_536]), reduction="sum"))
    return total / len(wanted)


def macro_f1(found: Array, wanted: Array) -> float:
    """Return the mean over the classes that occur of F1, each from 0 to 1."""
    values = []
    for label in np.union1d(found, wanted):
        hits = float(np.sum((found == label) & (wanted == label)))
        values.append(2 * hits / float(np.sum(found == label) + np.sum(wanted == label)))
    return float(np.mean(values))


def targets_of(examples: Examples) -> Sequence[Array] | Array:
    """Return the examples' targets.

    Raises:
        ValueError: They have none.
    """
    if examples.targets is None:
        raise ValueError("This problem needs targets; the examples have none.")
    return examples.targets
