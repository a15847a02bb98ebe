"""Features with a normal density in each state, independent of each other within it."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from recurrent_rl.memory.checks import require_between, require_whole
from recurrent_rl.sequence.batch import Array
from recurrent_rl.sequence.clusters import cluster, one_hot
from recurrent_rl.sequence.hmm.emission import DensityEmission, EmissionSpec, Statistics, check_features


@dataclass(frozen=True, kw_only=True)
class Gaussian(EmissionSpec):
    """p(x | z = k) = prod_f Normal(x[f]; mean[k, f], variance[k, f]).

    Args:
        features: Size of an input, F.
        variance_floor: Smallest variance, as a share of the feature's variance in the data (which `begin` measures; of one
            before, and for a feature that never changes). Without a floor a state could shrink onto one input, with a
            likelihood beyond all bounds. A variance at the floor is the best that is allowed, so EM still climbs.

    Source: Liporace 1982, Maximum Likelihood Estimation for Multivariate Observations of Markov Sources.
    """

    features: int = 1
    variance_floor: float = 1e-3

    def __post_init__(self) -> None:
        require_whole(self, "features")
        require_between(self, "variance_floor", 1e-12, 1.0)

    def build(self, states: int) -> "GaussianEmission":
        """Return new emissions of `states` states."""
        return GaussianEmission(self, states)


class GaussianEmission(DensityEmission):
    """Inputs: features [..., F]. Parameters: mean and log_variance [K, F]; buffer: log_floor [F]."""

    log_floor: Tensor

    def __init__(self, spec: Gaussian, states: int) -> None:
        super().__init__()
        self.spec, self.states = spec, states
        self.mean = nn.Parameter(torch.randn(states, spec.features, dtype=torch.float64))
        self.log_variance = nn.Parameter(torch.zeros(states, spec.features, dtype=torch.float64))
        floor = torch.full((spec.features,), math.log(spec.variance_floor), dtype=torch.float64)
        self.register_buffer("log_floor", floor)

    @property
    def variance(self) -> Tensor:
        """The variances [K, F], none below the floor."""
        return torch.maximum(self.log_variance, self.log_floor).exp()

    def components(self) -> tuple[Tensor, Tensor, Tensor]:
        """See `DensityEmission.components`: one for each state."""
        return self.mean.new_zeros(self.states, 1), self.mean.unsqueeze(1), self.variance.unsqueeze(1)

    def check(self, sequence: Array, name: str) -> None:
        """See `Emission.check`."""
        check_features(sequence, self.spec.features, name)

    def log_prob(self, inputs: Tensor) -> Tensor:
        """See `Emission.log_prob`."""
        variance = self.variance
        squares = self._centred(inputs).square() / variance  # [..., K, F]
        return -0.5 * (squares + variance.log() + math.log(2 * math.pi)).sum(-1)

    def statistics(self, inputs: Tensor, weights: Tensor) -> Statistics:
        """Return weights [K], and means of x - m and (x - m)^2 by these weights [K, F], m being the means of now."""
        centred = self._centred(inputs)  # [N, K, F]
        first = torch.einsum("nk,nkf->kf", weights, centred)
        return weights.sum(0), first, torch.einsum("nk,nkf->kf", weights, centred.square())

    def maximise(self, statistics: Statistics) -> None:
        """See `Emission.maximise`."""
        weight, first, second = statistics
        weight = weight.unsqueeze(-1)
        used, divisor = weight > 0, torch.where(weight > 0, weight, 1.0)
        shift = first / divisor
        variance = (second / divisor - shift.square()).clamp(min=0)
        with torch.no_grad():
            log_variance = torch.maximum(variance.log(), self.log_floor)
            self.log_variance.copy_(torch.where(used, log_variance, self.log_variance))
            self.mean.add_(shift)

    def log_prior(self) -> Tensor:
        """Return 0: a floor, not a prior, holds the variances."""
        return self.mean.new_zeros(())

    def deal(self, inputs: Tensor, generator: torch.Generator) -> Tensor:
        """Return weights of one for the nearest cluster."""
        points = inputs.to(self.mean.dtype)
        return one_hot(cluster(points, self.states, generator), self.states, points)

    def begin(self, inputs: Tensor, weights: Tensor, generator: torch.Generator) -> None:
        """See `Emission.begin`; the floor is measured first."""
        points = inputs.to(self.mean.dtype)
        varies = points.amax(0) > points.amin(0)  # the variance of what never changes is not always exactly 0
        variance = torch.where(varies, points.var(0, correction=0), 1.0)
        with torch.no_grad():
            self.log_floor.copy_((self.spec.variance_floor * variance).log())
        super().begin(inputs, weights, generator)

    def _centred(self, inputs: Tensor) -> Tensor:
        return inputs.to(self.mean.dtype).unsqueeze(-2) - self.mean
