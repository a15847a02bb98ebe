"""Hidden Markov models: in logarithms, for batches of sequences of unequal length, float64 unless cast.

How one does each job:

* Next step: the forward filter f[t] = p(z[t] | x[0..t]) gives p(x[t+1] | x[0..t]) = f[t] A b(x[t+1]); the logarithms of
  these sum to log p(x). `HMMLanguageModel` gives them as a network gives its logits: `fit_em` or any optimiser trains it.
* Classification: one model for each class, the label that makes log p(class) + log p(x | class) largest: `fit_classifier`.
* Tagging: the tags are the states, counted where they are labelled (`fit_counts`), and Viterbi finds the most likely path
  of them (`paths`). For words, `fit_tagger` counts trigrams of tags, and guesses new words by their endings.
* Segmentation: fitted without labels, the most likely state at each step (`posteriors`) or path (`paths`) cuts a sequence;
  states get the label that is most frequent among their steps.
* Forecasting: h steps ahead the states are f[T-1] A^h, and the input is a mixture of the states' densities: `forecast`.
* By gradient, in the trainer of the networks: `HMMNetwork`, of a density, a language model or a classifier.

    spec = HMM(states=5, emission=Gaussian(features=12), topology=LeftRight())
    fitted = fit_em(spec, sequences, EM(restarts=5))
"""

from recurrent_rl.sequence.hmm.bernoulli import Bernoulli
from recurrent_rl.sequence.hmm.categorical import Categorical
from recurrent_rl.sequence.hmm.chords import HMMChordModel
from recurrent_rl.sequence.hmm.classifier import HMMClassifier, choose_states, classify, fit_classifier
from recurrent_rl.sequence.hmm.counting import fit_counts
from recurrent_rl.sequence.hmm.density import Density, HMMDensityModel
from recurrent_rl.sequence.hmm.em import EM, Fitted, fit_em, improve
from recurrent_rl.sequence.hmm.forecast import MixtureForecast, forecast
from recurrent_rl.sequence.hmm.gaussian import Gaussian
from recurrent_rl.sequence.hmm.initial import initialise
from recurrent_rl.sequence.hmm.language import HMMLanguageModel, language_spec
from recurrent_rl.sequence.hmm.mixture import GaussianMixture
from recurrent_rl.sequence.hmm.model import HMM, HiddenMarkov
from recurrent_rl.sequence.hmm.network import HMMNetwork
from recurrent_rl.sequence.hmm.sequences import log_likelihoods, paths, posteriors
from recurrent_rl.sequence.hmm.tagging import HMMTagger, fit_tagger
from recurrent_rl.sequence.hmm.topology import Ergodic, LeftRight

__all__ = [
    "EM",
    "HMM",
    "Bernoulli",
    "Categorical",
    "Density",
    "Ergodic",
    "Fitted",
    "Gaussian",
    "GaussianMixture",
    "HMMChordModel",
    "HMMClassifier",
    "HMMDensityModel",
    "HMMLanguageModel",
    "HMMNetwork",
    "HMMTagger",
    "HiddenMarkov",
    "LeftRight",
    "MixtureForecast",
    "choose_states",
    "classify",
    "fit_classifier",
    "fit_counts",
    "fit_em",
    "fit_tagger",
    "forecast",
    "improve",
    "initialise",
    "language_spec",
    "log_likelihoods",
    "paths",
    "posteriors",
]
