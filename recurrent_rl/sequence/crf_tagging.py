"""Named entities by a conditional random field: the tags of a sequence are told together."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from recurrent_rl.sequence.batch import IGNORED, Array, Batch, Examples, batches, pad
from recurrent_rl.sequence.crf import Field, best_tags, log_probability
from recurrent_rl.sequence.crf_head import CRFHead, field_of
from recurrent_rl.sequence.data.entities import OUTSIDE, EntityTagging
from recurrent_rl.sequence.problems import Scores, targets_of

AT_ONCE = 64  # sequences whose tags are found together


@dataclass(frozen=True)
class CRFTagging(EntityTagging):
    """`EntityTagging` with a `CRFHead`.

    Scores are the same, of Viterbi's tags; nats are -log p of all tags of a sequence, for each tag. With a `bptt_horizon`
    each piece is a chain of its own in training, and sequences are whole in the scores.

    Args:
        forbid: Whether a tag within an entity must follow one of the same entity: others have probability 0. Not with a
            `bptt_horizon`, whose pieces may begin within an entity.
    """

    forbid: bool = False

    @property
    def output_size(self) -> int:  # type: ignore[override]
        """A score for each tag, and the table."""
        return self.classes * (self.classes + 3)

    def head(self, inputs: int) -> nn.Module:
        """See `Problem.head`."""
        return CRFHead(inputs, self.classes, impossible(self.classes) if self.forbid else None)

    def begin(self, head: nn.Module, train: Examples) -> None:
        """See `Problem.begin`; the head begins as it is.

        Raises:
            ValueError: Training holds what is forbidden.
        """
        if self.forbid:
            _require_possible(targets_of(train), self.classes)

    def losses(self, predicted: Tensor, batch: Batch) -> Tensor:
        """Return for each scored step its sequence's -log p by scored steps, [N], in nats.

        Raises:
            ValueError: A sequence, or a piece of one, begins with a tag that is forbidden there.
        """
        assert batch.targets is not None
        if self.forbid and bool(((batch.targets[0] > OUTSIDE) & (batch.targets[0] % 2 == 0)).any()):
            raise ValueError(
                "A sequence, or a piece of one, begins within an entity, which forbid=True rules out: train without "
                "bptt_horizon, or with forbid=False."
            )
        log_p = log_probability(field_of(predicted, self.classes), batch.targets, batch.lengths)
        scored = (batch.targets != IGNORED).sum(0)  # [B]
        return (-log_p / scored.clamp(min=1)).repeat_interleave(scored)

    def scores(self, predicted: Sequence[Array], examples: Examples) -> Scores:
        """See `Problem.scores`."""
        certain = np.eye(self.classes)
        found = [certain[tags] for tags in self.tags(predicted)]
        return super().scores(found, examples) | {"nats": self.nats(predicted, examples)}

    def tags(self, predicted: Sequence[Array]) -> list[NDArray[np.int64]]:
        """Return for each sequence the tags that are likeliest together, [T] int64, from the head's numbers."""
        found = [np.empty(0, dtype=np.int64)] * len(predicted)
        for indices, field, lengths in self._fields(predicted):
            paths = best_tags(field, lengths).numpy()
            for column, index in enumerate(indices):
                found[index] = paths[: lengths[column], column]
        return found

    def nats(self, predicted: Sequence[Array], examples: Examples) -> float:
        """Return -log p of all scored tags by their number, from the head's numbers."""
        targets, total = targets_of(examples), 0.0
        for indices, field, lengths in self._fields(predicted):
            wanted = pad([np.asarray(targets[index]) for index in indices], IGNORED)
            total -= float(log_probability(field, wanted, lengths).sum())
        return total / sum(int(np.sum(np.asarray(row) != IGNORED)) for row in targets)

    def _fields(self, predicted: Sequence[Array]) -> Iterator[tuple[NDArray[np.int64], Field, Tensor]]:
        """Yield numbers of sequences of similar lengths, their scores in float64, and the lengths."""
        for indices in batches([len(row) for row in predicted], AT_ONCE, None):
            rows = [predicted[index] for index in indices]
            yield indices, field_of(pad(rows).double(), self.classes), torch.tensor([len(row) for row in rows])


def impossible(classes: int) -> Tensor:
    """Return which entries of a `CRFHead`'s table no sequence of entities has, [K + 2, K] bool.

    A tag within an entity follows the one that begins it or one within it: it is neither first nor after another.
    """
    before, after = torch.arange(classes).unsqueeze(1), torch.arange(classes)
    within = (after != OUTSIDE) & (after % 2 == 0)
    goes_on = (before == after) | (before == after - 1)
    return torch.cat([within & ~goes_on, within.unsqueeze(0), torch.zeros(1, classes, dtype=torch.bool)])


def _require_possible(targets: Sequence[Array] | Array, classes: int) -> None:
    never = impossible(classes).tolist()
    for index, row in enumerate(targets):
        before = classes  # the table's row of the start
        for step, tag in enumerate(np.asarray(row).tolist()):
            if IGNORED not in (before, tag) and never[before][tag]:
                raise ValueError(
                    f"Example {index} of training has the tag {tag} at step {step}, within an entity that none begins. "
                    "Mend the tags, or build the problem with forbid=False."
                )
            before = tag
