"""Symbols: each state has its own probabilities of them."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from recurrent_rl.memory.checks import require_between, require_whole
from recurrent_rl.sequence.batch import Array
from recurrent_rl.sequence.hmm.emission import Emission, EmissionSpec, Statistics, log_dirichlet, log_proportions


@dataclass(frozen=True, kw_only=True)
class Categorical(EmissionSpec):
    """p(x = v | z = k) = softmax(logits[k])[v].

    Args:
        symbols: Number of symbols, V.
        pseudo_count: c, added to the expected count of each symbol in each state (a Dirichlet prior of 1 + c). With 0 a
            symbol that was not seen has probability zero.
    """

    symbols: int = 2
    pseudo_count: float = 0.01

    def __post_init__(self) -> None:
        require_whole(self, "symbols")
        require_between(self, "pseudo_count", 0.0, float("inf"))

    def build(self, states: int) -> "CategoricalEmission":
        """Return new emissions of `states` states."""
        return CategoricalEmission(self, states)


class CategoricalEmission(Emission):
    """Inputs: whole-number symbols [...]. Parameters: logits [K, V]."""

    def __init__(self, spec: Categorical, states: int) -> None:
        super().__init__()
        self.spec, self.states = spec, states
        self.logits = nn.Parameter(torch.randn(states, spec.symbols, dtype=torch.float64))

    def log_probabilities(self) -> Tensor:
        """Return log p(x = v | z = k), [K, V]."""
        return self.logits.log_softmax(-1)

    def check(self, sequence: Array, name: str) -> None:
        """See `Emission.check`."""
        if sequence.ndim != 1 or not np.issubdtype(sequence.dtype, np.integer):
            raise ValueError(f"{name} must be whole-number symbols [T], not {sequence.dtype} {list(sequence.shape)}.")
        least, most = int(sequence.min()), int(sequence.max())
        if least < 0 or most >= self.spec.symbols:
            wrong = least if least < 0 else most
            raise ValueError(f"{name} has symbol {wrong}; with symbols={self.spec.symbols} they go from 0 to one less.")

    def log_prob(self, inputs: Tensor) -> Tensor:
        """See `Emission.log_prob`."""
        return self.log_probabilities().T[inputs.long()]

    def statistics(self, inputs: Tensor, weights: Tensor) -> Statistics:
        """Return the weight of each symbol in each state, [K, V]."""
        return (weights.new_zeros(self.spec.symbols, self.states).index_add(0, inputs.long(), weights).T,)

    def maximise(self, statistics: Statistics) -> None:
        """See `Emission.maximise`."""
        self._set(statistics[0], self.spec.pseudo_count)

    def log_prior(self) -> Tensor:
        """See `Emission.log_prior`."""
        return log_dirichlet(self.log_probabilities(), self.spec.pseudo_count)

    def deal(self, inputs: Tensor, generator: torch.Generator) -> Tensor:
        """Return weights that are random for each symbol, and the same wherever it stands."""
        size = (self.spec.symbols, self.states)
        drawn = torch.empty(size, dtype=self.logits.dtype).exponential_(generator=generator)
        return (drawn / drawn.sum(-1, keepdim=True))[inputs.long()]

    def begin(self, inputs: Tensor, weights: Tensor, generator: torch.Generator) -> None:
        """See `Emission.begin`; with at least one more of each symbol, as EM never leaves a probability of zero."""
        self._set(self.statistics(inputs, weights)[0], max(1.0, self.spec.pseudo_count))

    def _set(self, counts: Tensor, pseudo_count: float) -> None:
        with torch.no_grad():
            self.logits.copy_(log_proportions(counts, pseudo_count, self.log_probabilities()))
