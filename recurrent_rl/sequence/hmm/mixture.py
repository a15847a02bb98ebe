"""Features with a mixture of normal densities in each state."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from recurrent_rl.memory.checks import require_between, require_whole
from recurrent_rl.sequence.batch import Array
from recurrent_rl.sequence.hmm.emission import DensityEmission, EmissionSpec, Statistics, log_dirichlet, log_proportions
from recurrent_rl.sequence.hmm.gaussian import Gaussian
from recurrent_rl.sequence.hmm.logspace import log_sum


@dataclass(frozen=True, kw_only=True)
class GaussianMixture(EmissionSpec):
    """p(x | z = k) = sum_m weight[k, m] prod_f Normal(x[f]; mean[k, m, f], variance[k, m, f]).

    Args:
        features: Size of an input, F.
        components: Of each state, M.
        pseudo_count: c, added to the expected count of each component (a Dirichlet prior of 1 + c on the weights).
        variance_floor: As in `Gaussian`.

    Source: Juang 1985, Maximum-Likelihood Estimation for Mixture Multivariate Stochastic Observations of Markov Chains.
    """

    features: int = 1
    components: int = 2
    pseudo_count: float = 0.01
    variance_floor: float = 1e-3

    def __post_init__(self) -> None:
        require_whole(self, "features", "components")
        require_between(self, "pseudo_count", 0.0, float("inf"))
        require_between(self, "variance_floor", 1e-12, 1.0)

    def build(self, states: int) -> "MixtureEmission":
        """Return new emissions of `states` states."""
        return MixtureEmission(self, states)


class MixtureEmission(DensityEmission):
    """Inputs: features [..., F]. Parameters: weight_logits [K, M], and those of K M normal densities, state by state."""

    def __init__(self, spec: GaussianMixture, states: int) -> None:
        super().__init__()
        self.spec, self.states = spec, states
        self.weight_logits = nn.Parameter(torch.zeros(states, spec.components, dtype=torch.float64))
        parts = Gaussian(features=spec.features, variance_floor=spec.variance_floor)
        self.parts = parts.build(states * spec.components)

    def components(self) -> tuple[Tensor, Tensor, Tensor]:
        """See `DensityEmission.components`."""
        shape = (self.states, self.spec.components)
        return self._log_weights(), self.parts.mean.unflatten(0, shape), self.parts.variance.unflatten(0, shape)

    def check(self, sequence: Array, name: str) -> None:
        """See `Emission.check`."""
        self.parts.check(sequence, name)

    def log_prob(self, inputs: Tensor) -> Tensor:
        """See `Emission.log_prob`."""
        return log_sum(self._log_joint(inputs))

    def statistics(self, inputs: Tensor, weights: Tensor) -> Statistics:
        """Return those of the K M densities, each input divided among a state's components by their posterior."""
        shares = weights.unsqueeze(-1) * self._log_joint(inputs).softmax(-1)  # [N, K, M]
        return self.parts.statistics(inputs, shares.flatten(1))

    def maximise(self, statistics: Statistics) -> None:
        """See `Emission.maximise`."""
        self.parts.maximise(statistics)
        counts = statistics[0].unflatten(0, (self.states, self.spec.components))
        with torch.no_grad():
            self.weight_logits.copy_(log_proportions(counts, self.spec.pseudo_count, self._log_weights()))

    def log_prior(self) -> Tensor:
        """See `Emission.log_prior`."""
        return log_dirichlet(self._log_weights(), self.spec.pseudo_count)

    def deal(self, inputs: Tensor, generator: torch.Generator) -> Tensor:
        """Return weights of one for the nearest cluster, one cluster for each state."""
        states = Gaussian(features=self.spec.features).build(self.states).to(self.weight_logits)
        return states.deal(inputs, generator)

    def begin(self, inputs: Tensor, weights: Tensor, generator: torch.Generator) -> None:
        """Set a state's components around its mean, half a standard deviation off, in random directions."""
        self.parts.begin(inputs, weights.repeat_interleave(self.spec.components, -1), generator)
        noise = torch.randn(self.parts.mean.shape, dtype=torch.float64, generator=generator).to(self.parts.mean)
        with torch.no_grad():
            self.parts.mean.add_(0.5 * self.parts.variance.sqrt() * noise)
            self.weight_logits.zero_()

    def _log_weights(self) -> Tensor:
        return self.weight_logits.log_softmax(-1)

    def _log_joint(self, inputs: Tensor) -> Tensor:
        """Return log p(component m, x | z = k), [..., K, M]."""
        parts = self.parts.log_prob(inputs)  # [..., K M]
        return parts.unflatten(-1, (self.states, self.spec.components)) + self._log_weights()
