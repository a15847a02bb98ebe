"""Several yes-or-no features, such as the notes of a chord, independent of each other within a state."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import logsigmoid

from recurrent_rl.memory.checks import require_between, require_whole
from recurrent_rl.sequence.batch import Array
from recurrent_rl.sequence.clusters import cluster, one_hot
from recurrent_rl.sequence.hmm.emission import Emission, EmissionSpec, Statistics, check_features

_LEAST = 1e-10


@dataclass(frozen=True, kw_only=True)
class Bernoulli(EmissionSpec):
    """p(x | z = k) = prod_f p[k, f]^x[f] (1 - p[k, f])^(1 - x[f]), with p = sigmoid(logits).

    Args:
        features: Number of bits in an input, F.
        pseudo_count: c, added to the expected counts of ones and of zeros in each state (a Beta prior of 1 + c). Without
            it p stays from 1e-10 to 1 - 1e-10.
    """

    features: int = 1
    pseudo_count: float = 0.01

    def __post_init__(self) -> None:
        require_whole(self, "features")
        require_between(self, "pseudo_count", 0.0, float("inf"))

    def build(self, states: int) -> "BernoulliEmission":
        """Return new emissions of `states` states."""
        return BernoulliEmission(self, states)


class BernoulliEmission(Emission):
    """Inputs: zeros and ones [..., F] of any kind. Parameters: logits [K, F]."""

    def __init__(self, spec: Bernoulli, states: int) -> None:
        super().__init__()
        self.spec, self.states = spec, states
        self.logits = nn.Parameter(torch.randn(states, spec.features, dtype=torch.float64))

    def check(self, sequence: Array, name: str) -> None:
        """See `Emission.check`."""
        check_features(sequence, self.spec.features, name)
        if not ((sequence == 0) | (sequence == 1)).all():
            raise ValueError(f"{name} has values other than 0 and 1; Bernoulli emissions read bits.")

    def log_prob(self, inputs: Tensor) -> Tensor:
        """See `Emission.log_prob`."""
        return inputs.to(self.logits.dtype) @ self.logits.T + logsigmoid(-self.logits).sum(-1)

    def statistics(self, inputs: Tensor, weights: Tensor) -> Statistics:
        """Return the states' weights [K] and the weights of ones [K, F]."""
        return weights.sum(0), weights.T @ inputs.to(weights.dtype)

    def maximise(self, statistics: Statistics) -> None:
        """See `Emission.maximise`."""
        weight, ones = statistics
        total = weight.unsqueeze(-1) + 2 * self.spec.pseudo_count
        share = ((ones + self.spec.pseudo_count) / total).clamp(_LEAST, 1 - _LEAST)
        with torch.no_grad():
            self.logits.copy_(torch.where(total > 0, share.logit(), self.logits))

    def log_prior(self) -> Tensor:
        """See `Emission.log_prior`."""
        return self.spec.pseudo_count * (logsigmoid(self.logits) + logsigmoid(-self.logits)).sum()

    def deal(self, inputs: Tensor, generator: torch.Generator) -> Tensor:
        """Return weights of one for the nearest cluster."""
        points = inputs.to(self.logits.dtype)
        return one_hot(cluster(points, self.states, generator), self.states, points)
