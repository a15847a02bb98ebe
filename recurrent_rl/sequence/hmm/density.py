"""The density of the inputs themselves, step by step: what hidden Markov models of any emissions are fitted to."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from torch import Tensor, nn

from recurrent_rl.memory.base import State
from recurrent_rl.sequence.batch import Array, Batch, Examples
from recurrent_rl.sequence.hmm.chain import next_state
from recurrent_rl.sequence.hmm.model import HiddenMarkov
from recurrent_rl.sequence.problems import Problem, Scores, pad_inputs


@dataclass(frozen=True)
class Density(Problem):
    """How likely each input is, given those before it. Targets: none. Scores: nats per step.

    Predictions are log p(x[t] | x[0..t-1]), [T, B, 1], so that the losses of a sequence sum to -log p(x).
    """

    output_size = 1
    per_step = True
    causal = True

    def batch(self, examples: Examples, indices: Sequence[int] | Array) -> Batch:
        """See `Problem.batch`; the targets are the inputs, so that a batch can be read in pieces."""
        inputs, lengths = pad_inputs(examples, indices)
        return Batch(inputs, lengths, inputs)

    def losses(self, predicted: Tensor, batch: Batch) -> Tensor:
        """Return -log p(x[t] | x[0..t-1]) of all steps, [N], in nats."""
        return -predicted[batch.mask].squeeze(-1)

    def scores(self, predicted: Sequence[Array], examples: Examples) -> Scores:
        """See `Problem.scores`."""
        rows = np.concatenate([np.asarray(row, dtype=np.float64) for row in predicted])
        return {"nats": -float(rows.mean())}


class HMMDensityModel(nn.Module):
    """Gives log p(x[t] | x[0..t-1]) at each step. State: log p(z | all before) [B, K].

    Args:
        hmm: Of any emissions; its parameters are shared.
    """

    causal = True
    output_size = 1

    def __init__(self, hmm: HiddenMarkov) -> None:
        super().__init__()
        self.hmm = hmm

    def forward(self, inputs: Tensor, lengths: Tensor, state: State | None = None) -> tuple[Tensor, State | None]:
        """Read a batch.

        Args:
            inputs: [T, B] symbols or [T, B, F] features.
            lengths: [B] int64 on the host, 1 to T.
            state: What a call before returned, to go on with the same streams; None begins.

        Returns:
            Log-densities [T, B, 1], 0 after an end, and the state after each sequence's last input.
        """
        log_state, log_scale = self.hmm.filter(inputs, lengths, None if state is None else state[0])
        return log_scale.unsqueeze(-1), (next_state(log_state[-1], self.hmm.log_transition()),)
