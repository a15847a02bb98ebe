"""A hidden Markov model that predicts next chords as networks do."""

import torch
from torch import Tensor, nn

from recurrent_rl.memory.base import State
from recurrent_rl.sequence.hmm.bernoulli import BernoulliEmission
from recurrent_rl.sequence.hmm.chain import next_state
from recurrent_rl.sequence.hmm.model import HiddenMarkov


class HMMChordModel(nn.Module):
    """Gives p(x[t+1] | x[0..t]) at each step as the numbers of `NextChord`: a mixture of the states' chords.

        w[t] = f[t] A,    p(x[t+1] | x[0..t]) = sum_k w[t, k] b_k(x[t+1])

    so the losses of a sequence sum to -log p(x[1..] | x[0]). State: log p(z | all before) [B, K].

    Args:
        hmm: With Bernoulli emissions. Its parameters are shared.
    """

    causal = True

    def __init__(self, hmm: HiddenMarkov) -> None:
        super().__init__()
        if not isinstance(hmm.emission, BernoulliEmission):
            raise ValueError(f"HMMChordModel needs Bernoulli emissions, not {hmm.spec.emission}.")
        self.hmm, self.emission = hmm, hmm.emission
        self.input_size = self.emission.spec.features
        self.output_size = hmm.states * (1 + self.input_size)

    def forward(self, inputs: Tensor, lengths: Tensor, state: State | None = None) -> tuple[Tensor, State | None]:
        """Read a batch.

        Args:
            inputs: [T, B, F] of zeros and ones.
            lengths: [B] int64 on the host, 1 to T.
            state: What a call before returned, to go on with the same streams; None begins.

        Returns:
            [T, B, K + K F]: log weights, and the states' logits; and the state after each sequence's last input.
        """
        log_state = self.hmm.filter(inputs, lengths, None if state is None else state[0]).log_state
        expected = next_state(log_state, self.hmm.log_transition())  # [T, B, K]
        logits = self.emission.logits.flatten().expand(*expected.shape[:2], -1)
        return torch.cat([expected, logits], dim=-1), (expected[-1],)
