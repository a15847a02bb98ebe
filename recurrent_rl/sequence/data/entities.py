"""Named entities: tags that begin one, go on with it, or stand outside, and the scores of whole entities.

    tag number    0         1          2           3          4       ...
    meaning       outside   begins 0   within 0    begins 1   within 1

so an entity of type k begins by 1 + 2 k and goes on by 2 + 2 k.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from recurrent_rl.sequence.batch import IGNORED, Array, Examples
from recurrent_rl.sequence.data.words import WordTagging
from recurrent_rl.sequence.problems import Scores, targets_of

OUTSIDE = 0
PREFIXES = ("B-", "I-")

Entity = tuple[int, int, int]
"""Type, first and last step."""


def tag_names(types: Sequence[str]) -> tuple[str, ...]:
    """Return the name of each tag number: O, then B- and I- of each type."""
    return ("O", *(prefix + name for name in types for prefix in PREFIXES))


@dataclass(frozen=True)
class EntityTagging(WordTagging):
    """Tagging of `WordExamples` whose tags are numbered as above.

    Scores in percent: precision, recall and f1 of entities; accuracy, accuracy_known and accuracy_unknown of words; nats.
    """

    def scores(self, predicted: Sequence[Array], examples: Examples) -> Scores:
        """See `Problem.scores`; steps that are not scored stand outside."""
        wanted = [np.asarray(tags) for tags in targets_of(examples)]
        scored = [np.where(tags == IGNORED, OUTSIDE, tags) for tags in wanted]
        chosen = [np.argmax(rows, axis=-1) for rows in predicted]
        found = [np.where(tags == IGNORED, OUTSIDE, row) for row, tags in zip(chosen, wanted, strict=True)]
        return entity_scores(found, scored) | super().scores(predicted, examples)


def entity_scores(found: Sequence[Array], wanted: Sequence[Array]) -> Scores:
    """Return precision, recall and f1 in percent, of all sequences and types together.

        precision = hits / found        recall = hits / wanted        f1 = 2 hits / (found + wanted)

    A hit has the same type, first and last step. What is divided by nothing is 0.

    Source: Tjong Kim Sang and De Meulder 2003, Introduction to the CoNLL-2003 Shared Task.
    """
    pairs = [(entities(one), entities(other)) for one, other in zip(found, wanted, strict=True)]
    hits = sum(len(one & other) for one, other in pairs)
    guesses, answers = (sum(len(pair[side]) for pair in pairs) for side in (0, 1))
    return {
        "precision": 100.0 * hits / max(1, guesses),
        "recall": 100.0 * hits / max(1, answers),
        "f1": 200.0 * hits / max(1, guesses + answers),
    }


def entities(tags: Array) -> set[Entity]:
    """Return the entities of a sequence of tags [T].

    A tag within an entity that goes on with none of its type begins one itself.
    """
    found: set[Entity] = set()
    current, first = -1, 0  # the type of the entity that is open, -1 for none
    for step, tag in enumerate([*np.asarray(tags).tolist(), OUTSIDE]):
        kind, within = divmod(tag - 1, 2) if tag != OUTSIDE else (-1, 0)
        if within and kind == current:
            continue
        if current >= 0:
            found.add((current, first, step - 1))
        current, first = kind, step
    return found
