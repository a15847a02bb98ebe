"""A hidden Markov model that predicts next symbols as networks do."""

from torch import Tensor, nn

from recurrent_rl.memory.base import State
from recurrent_rl.sequence.hmm.categorical import Categorical, CategoricalEmission
from recurrent_rl.sequence.hmm.chain import next_state
from recurrent_rl.sequence.hmm.logspace import log_matmul, log_matrix
from recurrent_rl.sequence.hmm.model import HMM, HiddenMarkov


class HMMLanguageModel(nn.Module):
    """Gives log p(x[t+1] = v | x[0..t]) at each step: normalised, so their cross-entropy is the model's own likelihood.

    Symbols [T, B] go in where a network reads its embeddings [T, B, I]; the outputs stand where its head's logits do. State:
    log p(z | all before) [B, K].

    Args:
        hmm: With categorical emissions: from `HMM.build`, to train by gradient, or from `fit_em`. Its parameters are shared.
    """

    causal = True

    def __init__(self, hmm: HiddenMarkov) -> None:
        super().__init__()
        self.hmm, self.emission = hmm, _categorical(hmm)
        self.input_size = self.output_size = self.emission.spec.symbols

    def forward(self, inputs: Tensor, lengths: Tensor, state: State | None = None) -> tuple[Tensor, State | None]:
        """Read a batch.

        Args:
            inputs: [T, B] int64.
            lengths: [B] int64 on the host, 1 to T.
            state: What a call before returned, to go on with the same streams; None begins.

        Returns:
            Log-probabilities [T, B, V] of the symbols one step later, and the state after each sequence's last input.
        """
        log_state = self.hmm.filter(inputs, lengths, None if state is None else state[0]).log_state
        expected = next_state(log_state, self.hmm.log_transition())  # [T, B, K]
        outputs = log_matmul(expected, log_matrix(self.emission.log_probabilities()))
        return outputs, (expected[-1],)


def _categorical(hmm: HiddenMarkov) -> CategoricalEmission:
    if not isinstance(hmm.emission, CategoricalEmission):
        raise ValueError(f"HMMLanguageModel needs Categorical emissions, not {hmm.spec.emission}.")
    return hmm.emission


def language_spec(states: int, symbols: int, pseudo_count: float = 0.01) -> HMM:
    """Return the spec of a language model, with the same smoothing of transitions and emissions."""
    emission = Categorical(symbols=symbols, pseudo_count=pseudo_count)
    return HMM(states=states, emission=emission, pseudo_count=pseudo_count)
