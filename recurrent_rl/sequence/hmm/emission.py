"""The contract of emissions: what a hidden state says of the input at its step."""

from abc import ABC, abstractmethod

import numpy as np
import torch
from torch import Tensor, nn

from recurrent_rl.sequence.batch import Array

Statistics = tuple[Tensor, ...]
"""Sums over steps; those of several batches are added leaf by leaf."""


class Emission(nn.Module, ABC):
    """p(x | z = k) for K states, with parameters that any gradient step may move.

    Inputs are symbols [...] or features [..., F]; N below is any number of steps in a row.
    """

    states: int

    @abstractmethod
    def check(self, sequence: Array, name: str) -> None:
        """Raise ValueError, with the sequence's name in it, unless the sequence can be read."""

    @abstractmethod
    def log_prob(self, inputs: Tensor) -> Tensor:
        """Return log p(x | z = k), [..., K]."""

    @abstractmethod
    def statistics(self, inputs: Tensor, weights: Tensor) -> Statistics:
        """Return what `maximise` needs of N inputs that belong to the states by weights [N, K]."""

    @abstractmethod
    def maximise(self, statistics: Statistics) -> None:
        """Set the parameters to those that make expected log-likelihood plus `log_prior` largest.

        For a mixture, whose components are hidden too, to some that make it larger. A state without weight stays as it is.
        """

    @abstractmethod
    def log_prior(self) -> Tensor:
        """Return what smoothing adds to the log-likelihood, a number; 0 without smoothing."""

    @abstractmethod
    def deal(self, inputs: Tensor, generator: torch.Generator) -> Tensor:
        """Return first weights [N, K] for N inputs of which nothing else is known, drawn at random."""

    def begin(self, inputs: Tensor, weights: Tensor, generator: torch.Generator) -> None:
        """Set first parameters from N inputs and weights [N, K]."""
        self.maximise(self.statistics(inputs, weights))


class DensityEmission(Emission):
    """Emissions that are normal densities or mixtures of them, so that forecasts have means, variances and scores."""

    @abstractmethod
    def components(self) -> tuple[Tensor, Tensor, Tensor]:
        """Return log weights [K, M] of the states' components, and their means and variances [K, M, F]."""


class EmissionSpec(ABC):
    """What emissions are made from; subclasses are frozen keyword-only dataclasses of plain values."""

    @abstractmethod
    def build(self, states: int) -> Emission:
        """Return new emissions of `states` states, float64."""


def check_features(sequence: Array, features: int, name: str) -> None:
    """Raise ValueError unless a sequence is of finite features [T, F]."""
    if sequence.ndim != 2 or sequence.shape[1] != features:
        raise ValueError(f"{name} must be of shape [T, {features}] (features={features}), not {list(sequence.shape)}.")
    if not np.isfinite(sequence).all():
        step = int(np.argmin(np.isfinite(sequence).all(axis=1)))
        raise ValueError(f"{name} is not finite at step {step}: fill in or cut out what is missing.")


def log_proportions(counts: Tensor, pseudo_count: float, before: Tensor, allowed: Tensor | None = None) -> Tensor:
    """Return log((n + c) / sum(n + c)) along the last dimension, -inf where not allowed; rows without counts as before.

    It makes sum (n + c) log p largest: the posterior mode under a Dirichlet prior of parameter 1 + c.
    """
    smoothed = counts + pseudo_count if allowed is None else torch.where(allowed, counts + pseudo_count, 0.0)
    total = smoothed.sum(-1, keepdim=True)
    return torch.where(total > 0, smoothed.log() - total.log(), before)


def log_dirichlet(log_probabilities: Tensor, pseudo_count: float, allowed: Tensor | None = None) -> Tensor:
    """Return c sum log p over what is allowed: what the pseudo-count c adds to the log-likelihood."""
    if pseudo_count == 0:
        return log_probabilities.new_zeros(())
    counted = log_probabilities if allowed is None else log_probabilities[allowed]
    return pseudo_count * counted.sum()
