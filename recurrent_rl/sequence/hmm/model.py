"""The hidden Markov model: a chain of hidden states, each of which says what its input looks like."""

from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from recurrent_rl.memory.checks import require_between, require_whole
from recurrent_rl.sequence.batch import length_mask
from recurrent_rl.sequence.hmm import chain
from recurrent_rl.sequence.hmm.categorical import Categorical
from recurrent_rl.sequence.hmm.emission import EmissionSpec, log_dirichlet, log_proportions
from recurrent_rl.sequence.hmm.topology import Ergodic, Topology
from recurrent_rl.sequence.hmm.viterbi import viterbi


@dataclass(frozen=True, kw_only=True)
class HMM:
    """p(x, z) = p(z[0]) p(x[0] | z[0]) prod_t p(z[t] | z[t-1]) p(x[t] | z[t]).

    Args:
        states: Number of hidden states, K.
        emission: What the inputs are, and their density in each state.
        topology: Which states may follow which.
        pseudo_count: c, added to the expected counts of first states and of allowed transitions (Dirichlet priors of 1 + c).
    """

    states: int = 8
    emission: EmissionSpec = field(default_factory=Categorical)
    topology: Topology = field(default_factory=Ergodic)
    pseudo_count: float = 0.0

    def __post_init__(self) -> None:
        require_whole(self, "states")
        require_between(self, "pseudo_count", 0.0, float("inf"))
        if not isinstance(self.emission, EmissionSpec):
            raise ValueError(f"HMM: emission must be a spec such as Gaussian(features=3), not {self.emission!r}.")
        if not isinstance(self.topology, Topology):
            raise ValueError(f"HMM: topology must be Ergodic() or LeftRight(), not {self.topology!r}.")

    def build(self) -> "HiddenMarkov":
        """Return a new model with random parameters, float64."""
        return HiddenMarkov(self)


class HiddenMarkov(nn.Module):
    """Parameters: start_logits [K], transition_logits [K, K] and those of `emission`.

    All of them are free of constraints, so any optimiser can train them; what the topology forbids has probability zero
    whatever its logit. Inputs are [T, B] symbols or [T, B, F] features, lengths [B] int64 on the host; what stands after an
    end, NaN even, changes nothing.
    """

    may_start: Tensor
    may_follow: Tensor

    def __init__(self, spec: HMM) -> None:
        super().__init__()
        self.spec, self.states = spec, spec.states
        self.start_logits = nn.Parameter(0.1 * torch.randn(spec.states, dtype=torch.float64))
        self.transition_logits = nn.Parameter(torch.randn(spec.states, spec.states, dtype=torch.float64))
        self.emission = spec.emission.build(spec.states)
        may_start, may_follow = spec.topology.allowed(spec.states)
        self.register_buffer("may_start", may_start, persistent=False)
        self.register_buffer("may_follow", may_follow, persistent=False)

    def log_start(self) -> Tensor:
        """Return log p(z[0]), [K]."""
        return self.start_logits.masked_fill(~self.may_start, -torch.inf).log_softmax(-1)

    def log_transition(self) -> Tensor:
        """Return log p(z[t+1] = j | z[t] = i), [K, K], rows i."""
        return self.transition_logits.masked_fill(~self.may_follow, -torch.inf).log_softmax(-1)

    def log_emission(self, inputs: Tensor, lengths: Tensor) -> Tensor:
        """Return log p(x[t] | z[t]), [T, B, K]."""
        outside = ~length_mask(lengths, len(inputs)).to(inputs.device)
        return self.emission.log_prob(inputs.masked_fill(outside.reshape(outside.shape + (1,) * (inputs.dim() - 2)), 0))

    def forward(self, inputs: Tensor, lengths: Tensor) -> Tensor:
        """Return log p(x), [B], in nats; -inf for a sequence that the model cannot give."""
        return self.filter(inputs, lengths).log_scale.sum(0)

    def filter(self, inputs: Tensor, lengths: Tensor, log_start: Tensor | None = None) -> chain.Filtered:
        """Return what the inputs up to each step say of the state; `log_start` [B, K] goes on from earlier inputs."""
        begin = self.log_start() if log_start is None else log_start
        return chain.forward_filter(begin, self.log_transition(), self.log_emission(inputs, lengths), lengths)

    def smooth(self, inputs: Tensor, lengths: Tensor) -> chain.Smoothed:
        """Return what all the inputs say of the state at each step."""
        return chain.smooth(self.log_start(), self.log_transition(), self.log_emission(inputs, lengths), lengths)

    def decode(self, inputs: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Return the most likely paths [T, B], IGNORED after an end, and their log p(z, x) [B]."""
        return viterbi(self.log_start(), self.log_transition(), self.log_emission(inputs, lengths), lengths)

    def log_prior(self) -> Tensor:
        """Return what smoothing adds to the log-likelihood, a number."""
        start = log_dirichlet(self.log_start(), self.spec.pseudo_count, self.may_start)
        transition = log_dirichlet(self.log_transition(), self.spec.pseudo_count, self.may_follow)
        return start + transition + self.emission.log_prior()

    def maximise_chain(self, starts: Tensor, transitions: Tensor) -> None:
        """Set the chain's parameters from counts of first states [K] and of transitions [K, K]."""
        count, start, transition = self.spec.pseudo_count, self.log_start(), self.log_transition()
        with torch.no_grad():
            self.start_logits.copy_(log_proportions(starts, count, start, self.may_start))
            self.transition_logits.copy_(log_proportions(transitions, count, transition, self.may_follow))
