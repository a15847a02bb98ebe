"""Networks under a conditional random field in the comparison: the classic of named entities."""

from dataclasses import dataclass, replace

import numpy as np

from recurrent_rl.memory import LSTM
from recurrent_rl.sequence.batch import Array, Examples
from recurrent_rl.sequence.benchmark.entrant import Learned, Setting, Training
from recurrent_rl.sequence.benchmark.networks import AnyNetwork, Network, Sizes, both_ways, recurrent
from recurrent_rl.sequence.crf_tagging import CRFTagging
from recurrent_rl.sequence.data.entities import EntityTagging
from recurrent_rl.sequence.problems import Scores
from recurrent_rl.sequence.task import Splits, Task


@dataclass(frozen=True, kw_only=True)
class CRFNetwork(Network):
    """A network that tells the tags of a sequence together, of named entities alone; no wider with its head than others.

    What it predicts are Viterbi's tags, as certain as can be. Its nats on the test data are those of `CRFTagging`.

    Args:
        forbid: See `CRFTagging`.
    """

    forbid: bool = True

    def suits(self, task: Task) -> bool:
        """See `Entrant.suits`."""
        return isinstance(task.problem, EntityTagging) and super().suits(task)

    def learn(self, task: Task, splits: Splits, setting: Setting, training: Training) -> Learned:
        """See `Entrant.learn`."""
        problem = self.problem(task)
        learned = super().learn(replace(task, problem=problem), splits, setting, training)
        certain = np.eye(problem.classes, dtype=np.float32)

        def predict(examples: Examples) -> list[Array]:
            return [certain[tags] for tags in problem.tags(learned.predict(examples))]

        def more(examples: Examples) -> Scores:
            return {"nats": problem.nats(learned.predict(examples), examples)}

        return replace(learned, predict=predict, more=more)

    def network(self, task: Task, sizes: Sizes) -> AnyNetwork:
        """See `Network.network`."""
        return super().network(replace(task, problem=self.problem(task)), sizes)

    def matched(self, task: Task, longest: int, dropout: float) -> Sizes:
        """See `Network.matched`; the budget is that of the GRU under the plain head, as for all other networks."""
        problem = self.problem(task)
        plain = replace(task, problem=EntityTagging(problem.classes, problem.causal))
        return super().matched(plain, longest, dropout)

    def problem(self, task: Task) -> CRFTagging:
        """Return a task's problem with the head of a conditional random field."""
        assert isinstance(task.problem, EntityTagging)
        return CRFTagging(task.problem.classes, task.problem.causal, self.forbid)


CRF_NETWORKS = (
    CRFNetwork(name="lstm-crf", make=recurrent(lambda width: LSTM(hidden_size=width))),
    CRFNetwork(name="bi-lstm-crf", make=both_ways(lambda width: LSTM(hidden_size=width)), causal=False),
)
