"""Forecasts: the density of the input h steps ahead."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from recurrent_rl.sequence.hmm.chain import next_state
from recurrent_rl.sequence.hmm.emission import DensityEmission
from recurrent_rl.sequence.hmm.model import HiddenMarkov

_HALVINGS = 60


@dataclass(frozen=True)
class MixtureForecast:
    """Mixtures of N normal densities, the same ones with other weights for each horizon and sequence.

    Args:
        log_weights: [H, B, N], row h - 1 for h steps ahead.
        means: [N, F].
        variances: [N, F].
    """

    log_weights: Tensor
    means: Tensor
    variances: Tensor

    def mean(self) -> Tensor:
        """Return the expected inputs, [H, B, F]."""
        return self.log_weights.exp() @ self.means

    def variance(self) -> Tensor:
        """Return the variances, [H, B, F]: within and between the densities."""
        weights, mean = self.log_weights.exp(), self.mean()
        between = (self.means - mean.unsqueeze(-2)).square()  # [H, B, N, F]
        return weights @ self.variances + (weights.unsqueeze(-1) * between).sum(-2)

    def cdf(self, values: Tensor) -> Tensor:
        """Return the probability that each feature is at most `values` [H, B, F]."""
        ratio = (values.unsqueeze(-2) - self.means) / self.variances.sqrt()  # [H, B, N, F]
        return (self.log_weights.exp().unsqueeze(-1) * torch.special.ndtr(ratio)).sum(-2)

    def quantiles(self, levels: Sequence[float]) -> Tensor:
        """Return the quantiles of each feature by itself, [H, B, F, Q], of levels within (0, 1), by halving intervals.

        Raises:
            ValueError: A level is not within (0, 1).
        """
        if not all(0 < level < 1 for level in levels):
            raise ValueError(f"levels must be within (0, 1), such as 0.5 for the median, not {tuple(levels)}.")
        reach = 40 * self.variances.sqrt()
        low, high = (self.means - reach).amin(0), (self.means + reach).amax(0)  # [F]
        found = []
        for level in levels:
            below, above = (bound.expand_as(self.mean()) for bound in (low, high))
            for _ in range(_HALVINGS):
                middle = 0.5 * (below + above)
                less = self.cdf(middle) < level
                below, above = torch.where(less, middle, below), torch.where(less, above, middle)
            found.append(0.5 * (below + above))
        return torch.stack(found, dim=-1)

    def crps(self, targets: Tensor) -> Tensor:
        """Return the continuous ranked probability score of targets [H, B, F], each feature by itself, in its unit.

            sum_n w[n] a(y - m[n], v[n]) - 1/2 sum_nk w[n] w[k] a(m[n] - m[k], v[n] + v[k]),  a(d, v) = E |Normal(d, v)|

        Source: Grimit et al. 2006, The Continuous Ranked Probability Score for Circular Variables and its Application to
        Mesoscale Forecast Ensemble Verification (equation 5).
        """
        weights = self.log_weights.exp()
        error = _absolute(targets.unsqueeze(-2) - self.means, self.variances)  # [H, B, N, F]
        apart = self.means.unsqueeze(1) - self.means
        spread = _absolute(apart, self.variances.unsqueeze(1) + self.variances)  # [N, N, F]
        own = torch.einsum("hbn,hbk,nkf->hbf", weights, weights, spread)
        return (weights.unsqueeze(-1) * error).sum(-2) - 0.5 * own


def forecast(model: HiddenMarkov, inputs: Tensor, lengths: Tensor, horizon: int) -> MixtureForecast:
    """Return forecasts for 1 to `horizon` steps after each sequence: state weights f[T-1] A^h.

    Args:
        model: With Gaussian or GaussianMixture emissions.
        inputs: [T, B, F].
        lengths: [B] int64 on the host.
        horizon: H, 1 or more.
    """
    if not isinstance(model.emission, DensityEmission):
        raise ValueError(f"A forecast needs Gaussian or GaussianMixture emissions, not {model.spec.emission}.")
    if horizon < 1:
        raise ValueError(f"horizon must be 1 or more, not {horizon}.")
    state, rows = model.filter(inputs, lengths).log_state[-1], []
    for _ in range(horizon):
        state = next_state(state, model.log_transition())
        rows.append(state)
    shares, means, variances = model.emission.components()  # [K, M], [K, M, F]
    log_weights = torch.stack(rows).unsqueeze(-1) + shares  # [H, B, K, M]
    return MixtureForecast(log_weights.flatten(2), means.flatten(0, 1), variances.flatten(0, 1))


def _absolute(distance: Tensor, variance: Tensor) -> Tensor:
    """Return E |x| for x of Normal(distance, variance)."""
    scale = variance.sqrt()
    ratio = distance / scale
    density = torch.exp(-0.5 * ratio.square()) / math.sqrt(2 * math.pi)
    return 2 * scale * density + distance * torch.erf(ratio / math.sqrt(2))
