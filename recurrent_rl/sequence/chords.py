"""The next chord of a piece of music, as the set of its notes."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import softplus

from recurrent_rl.sequence.batch import Array, Batch, Examples, pad
from recurrent_rl.sequence.chord_head import ChordTable
from recurrent_rl.sequence.problems import Scores, StepProblem
from recurrent_rl.sequence.sampling import Sampling

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class NextChord(StepProblem):
    """The notes of the next step. Targets: None; inputs are bits [T, notes] float32. Scores: nats per step; f1 in percent.

        log p(x) = log sum_m w_m prod_n p_mn^x_n (1 - p_mn)^(1 - x_n)            w = softmax(head), p = sigmoid(head)

    With one component the notes are independent given what was before, as in most published figures; figures with several,
    or of another joint distribution, are lower for that alone. With several the head is a `ChordTable`. A hidden Markov
    model with Bernoulli emissions is such a mixture too, of as many components as it has states (`HMMChordModel`): `scores`
    takes rows of any number of components.

    The first chord of a sequence is given and not scored, so sequences have at least two. f1 is that of the notes with a
    probability above 1/2, over all notes of all steps.

    Args:
        notes: Bits of a step.
        components: Of the mixture, M. The head gives `notes` numbers, or M weights and then M times `notes`.

    Source: Boulanger-Lewandowski et al. 2012, Modeling Temporal Dependencies in High-Dimensional Sequences.
    """

    notes: int
    components: int = 1

    @property
    def output_size(self) -> int:  # type: ignore[override]
        """One logit for each note; of several components also their weights."""
        return self.notes if self.components == 1 else self.components * (1 + self.notes)

    def require_inputs(self, inputs: Tensor) -> None:
        """See `StepProblem.require_inputs`."""
        fits = inputs.dim() == 3 and inputs.shape[-1] == self.notes and inputs.is_floating_point()
        if not fits or not bool(((inputs == 0) | (inputs == 1)).all()):
            raise ValueError(
                f"Chords must be 0 and 1, float32 [T, B, {self.notes}]; they are {inputs.dtype} {list(inputs.shape)}"
                f"{', with other numbers' if fits else ''}."
            )

    def head(self, inputs: int) -> nn.Module:
        """See `Problem.head`."""
        return super().head(inputs) if self.components == 1 else ChordTable(inputs, self.notes, self.components)

    def begin(self, head: nn.Module, train: Examples) -> None:
        """See `Problem.begin`."""
        if isinstance(head, ChordTable):
            head.begin(train)

    def batch(self, examples: Examples, indices: Sequence[int] | Array) -> Batch:
        """See `Problem.batch`: inputs without the last chord; targets without the first, NaN after an end."""
        chosen = [np.asarray(examples.inputs[int(index)], dtype=np.float32) for index in indices]
        lengths = torch.tensor([len(row) - 1 for row in chosen])
        return Batch(pad([row[:-1] for row in chosen]), lengths, pad([row[1:] for row in chosen], np.nan))

    def losses(self, predicted: Tensor, batch: Batch) -> Tensor:
        """Return -log p of the chords within lengths, [N], in nats."""
        assert batch.targets is not None
        return -self.log_probability(predicted[batch.mask], batch.targets[batch.mask])

    def scores(self, predicted: Sequence[Array], examples: Examples) -> Scores:
        """See `Problem.scores`."""
        nats, hits, said, there = 0.0, 0, 0, 0
        for row, chords in zip(predicted, examples.inputs, strict=True):
            numbers, wanted = torch.from_numpy(row).double(), torch.from_numpy(np.asarray(chords[1:])).double()
            nats -= float(self.log_probability(numbers, wanted).sum())
            found = self.probabilities(numbers) > 0.5
            hits, said, there = hits + int(wanted[found].sum()), said + int(found.sum()), there + int(wanted.sum())
        steps = sum(len(chords) - 1 for chords in examples.inputs)
        return {"nats": nats / steps, "f1": 100.0 * 2 * hits / max(1, said + there)}

    def log_probability(self, predicted: Tensor, chords: Tensor) -> Tensor:
        """Return log p [...] of chords [..., notes], given the head's numbers."""
        log_weights, logits = self._mixture(predicted)
        wanted = chords.unsqueeze(-2)  # [..., 1, notes] beside logits [..., M, notes]
        each = (logits * wanted - softplus(logits)).sum(-1)
        return (log_weights + each).logsumexp(-1)

    def probabilities(self, predicted: Tensor) -> Tensor:
        """Return the probability of each note, [..., notes], given the head's numbers."""
        log_weights, logits = self._mixture(predicted)
        return (log_weights.exp().unsqueeze(-1) * logits.sigmoid()).sum(-2)

    def draw(self, said: Tensor, last: Tensor, sampling: Sampling) -> Tensor:
        """See `StepProblem.draw`: a component is drawn, then each of its notes; top_k is of components."""
        log_weights, logits = self._mixture(said)
        rows = torch.arange(len(said), device=said.device)
        return sampling.each(logits[rows, sampling.one_of(log_weights)]).to(last.dtype)

    def _mixture(self, predicted: Tensor) -> tuple[Tensor, Tensor]:
        """Return log weights [..., M] and logits [..., M, notes], with as many components as there are numbers for."""
        if predicted.shape[-1] == self.notes:
            return predicted.new_zeros((*predicted.shape[:-1], 1)), predicted.unsqueeze(-2)
        components = predicted.shape[-1] // (1 + self.notes)
        weights, logits = predicted.split([components, components * self.notes], dim=-1)
        return weights.log_softmax(-1), logits.unflatten(-1, (components, self.notes))


def note_frequencies(train: Examples, test: Examples) -> float:
    """Return nats per step of notes that are as frequent as in training, whatever was before; a floor of `NextChord`."""
    return _nats(_pairs(test)[1], _smoothed(_pairs(train)[1]))


def last_chord(train: Examples, test: Examples) -> float:
    """Return nats per step where each note knows whether it was there one step before: the better floor of `NextChord`."""
    before, after = _pairs(train)
    silent, sounding = _smoothed(after, before == 0), _smoothed(after, before == 1)
    before, after = _pairs(test)
    return _nats(after, np.where(before == 1, sounding, silent))


def _pairs(examples: Examples) -> tuple[Floats, Floats]:
    """Return all chords but the last of each sequence, and those that follow them, [N, notes] each."""
    rows = [np.asarray(row, dtype=np.float64) for row in examples.inputs]
    return np.concatenate([row[:-1] for row in rows]), np.concatenate([row[1:] for row in rows])


def _smoothed(bits: Floats, chosen: NDArray[np.bool_] | None = None) -> Floats:
    """Return the share of ones of each note [notes], over chosen bits [N, notes], with half a one and half a zero more."""
    chosen = np.ones_like(bits, dtype=bool) if chosen is None else chosen
    return ((bits * chosen).sum(0) + 0.5) / (chosen.sum(0) + 1.0)


def _nats(bits: Floats, share: Floats) -> float:
    return float(-np.mean(np.sum(np.log(np.where(bits == 1, share, 1 - share)), axis=1)))
