"""Hidden Markov models as networks, for the same trainer."""

from torch import Tensor, nn

from recurrent_rl.memory.base import State
from recurrent_rl.sequence.batch import Batch
from recurrent_rl.sequence.chords import NextChord
from recurrent_rl.sequence.hmm.chords import HMMChordModel
from recurrent_rl.sequence.hmm.classifier import HMMClassifierModel
from recurrent_rl.sequence.hmm.density import Density, HMMDensityModel
from recurrent_rl.sequence.hmm.language import HMMLanguageModel
from recurrent_rl.sequence.models.base import require_lengths
from recurrent_rl.sequence.problems import Classification, NextStep, Problem


class HMMNetwork(nn.Module):
    """A hidden Markov model behind the call of `SequenceNetwork`, so that `Trainer` fits it by gradient.

    What each is trained for, and what its loss is:

    * `HMMDensityModel`, `Density`: -log p(x), of any emissions.
    * `HMMLanguageModel`, `NextStep`: -log p(x[1..] | x[0]), of symbols.
    * `HMMChordModel`, `NextChord`: the same of sets of notes.
    * `HMMClassifierModel`, `Classification`: -log p(c | x), where EM would make p(x | c) largest.

    Pseudo-counts count in no loss. It pays to begin from data, by `initialise` or a fit: `HMM.build` draws parameters for
    features of mean 0 and variance 1, and floors of variances are shares of 1 then. A variance that falls to its floor by
    gradient stays there.

        network = HMMNetwork(HMMDensityModel(initialise(spec, train.inputs, seed=0)))
        Trainer(network, Density(), "nats", False, TrainConfig(learning_rate=0.03)).fit(train, validation)

    Args:
        model: Its parameters are shared.

    Source: Bahl et al. 1986, Maximum Mutual Information Estimation of Hidden Markov Model Parameters for Speech
    Recognition (the classifier's loss).
    """

    def __init__(self, model: HMMDensityModel | HMMLanguageModel | HMMChordModel | HMMClassifierModel) -> None:
        super().__init__()
        self.model, self.problem = model, _problem(model)

    def forward(self, batch: Batch, state: State | None = None) -> tuple[Tensor, State | None]:
        """Read a batch; see `SequenceNetwork.forward`.

        Returns:
            [T, B, K] for each step, or [B, K] of a classifier; and the state to go on with, None of a classifier.

        Raises:
            ValueError: A sequence is empty.
        """
        require_lengths(batch.lengths, len(batch.inputs))
        return self.model(batch.inputs, batch.lengths, state)


def _problem(model: nn.Module) -> Problem:
    """Return what a model is asked."""
    if isinstance(model, HMMLanguageModel):
        return NextStep(model.output_size)
    if isinstance(model, HMMChordModel):
        return NextChord(model.input_size, components=model.hmm.states)
    if isinstance(model, HMMClassifierModel):
        return Classification(model.output_size)
    return Density()
