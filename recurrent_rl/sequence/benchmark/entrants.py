"""All models of the comparison, by their names."""

from collections.abc import Sequence

from recurrent_rl.sequence.benchmark.crfs import CRF_NETWORKS
from recurrent_rl.sequence.benchmark.entrant import Entrant
from recurrent_rl.sequence.benchmark.films import CONV_GRU
from recurrent_rl.sequence.benchmark.hmms import HIDDEN_MARKOV
from recurrent_rl.sequence.benchmark.networks import NETWORKS
from recurrent_rl.sequence.benchmark.translators import TRANSLATORS
from recurrent_rl.sequence.task import Task

ENTRANTS: tuple[Entrant, ...] = (*NETWORKS, *CRF_NETWORKS, CONV_GRU, *TRANSLATORS, HIDDEN_MARKOV)


def entrant_of(name: str) -> Entrant:
    """Return the model of a name.

    Raises:
        ValueError: There is none; the message lists them.
    """
    for entrant in ENTRANTS:
        if entrant.name == name:
            return entrant
    raise ValueError(f"There is no model {name!r}; there are {', '.join(entrant.name for entrant in ENTRANTS)}.")


def entrants_for(task: Task, names: Sequence[str]) -> list[Entrant]:
    """Return the models of the names ("all" among them for every one) that can be asked what the task asks."""
    chosen = ENTRANTS if "all" in names else tuple(entrant_of(name) for name in names)
    return [entrant for entrant in chosen if entrant.suits(task)]
