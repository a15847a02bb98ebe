"""The forward filter of a hidden Markov model as a memory."""

from dataclasses import dataclass
from math import log
from typing import Any, Literal, get_args

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from recurrent_rl.functional.precision import without_autocast
from recurrent_rl.memory.base import Memory, MemorySpec, State
from recurrent_rl.memory.checks import require_between, require_one_of, require_whole

FLOOR = 1e-20  # far below a rounding error; a gradient divided by it still fits into float32
Output = Literal["belief", "log"]


@dataclass(frozen=True, kw_only=True)
class BeliefFilter(MemorySpec):
    """The forward filter of a hidden Markov model: the memory is a belief over S hidden states.

        prior[t] = initial                         if the episode starts at t      [B, S]
                   belief[t - 1] A                 otherwise                       A[i, j] = softmax(transition[i])[j]
        belief[t] ~ prior[t] * exp(W x[t] + b)     normalised over the S states
        output[t] = belief[t], or its logarithm

    The order is that of `pomdp_envs.HMMWorld.belief()`: at an episode's first input the initial distribution is corrected
    by that input without a step of the chain before it; from then on each input is preceded by one step of the chain. The
    state is therefore the prediction for the next input, prior [B, S], and the one before an episode is `initial`. What
    is learned: transition, initial, W and b.

    W x + b are scores, a log-likelihood of the input up to what all states share. For a one-hot input
    W[j, m] = log P(symbol m | state j), b = 0 gives the exact filter; for a Gaussian input of covariance C in every state
    W[j] = C^-1 mean[j], b[j] = - mean[j] . W[j] / 2 does. Learned by gradient they need not be normalised over inputs,
    and they are told by the loss what the states are about, not by the likelihood. An input that no state in question can
    have emitted leaves the prior as it is, where exact arithmetic divides zero by zero: each likelihood has a floor of
    1e-20 of their sum.

    Args:
        hidden_size: Number of hidden states, S, and size of the output.
        stay: Probability of remaining in a state that the transition begins with, 0.01 to 0.99; the others are equally
            likely.
        output: "belief", or "log" for its logarithm (not below log 1e-20), which spreads small probabilities.

    Raises:
        ValueError: A field out of range.

    Source: Rabiner 1989, A Tutorial on Hidden Markov Models and Selected Applications in Speech Recognition (the scaled
    forward recursion). There the parameters are fitted to the likelihood of the inputs.
    """

    hidden_size: int = 64
    stay: float = 0.9
    output: Output = "belief"

    def __post_init__(self) -> None:
        require_whole(self, "hidden_size")
        require_between(self, "stay", 0.01, 0.99)
        require_one_of(self, "output", get_args(Output))

    def build(self, input_size: int) -> Memory:
        """Return a new memory that reads inputs [T, B, input_size]."""
        return BeliefMemory(self, input_size)


class BeliefMemory(Memory):
    """The memory of `BeliefFilter`."""

    def __init__(self, spec: BeliefFilter, input_size: int) -> None:
        super().__init__()
        self.spec, self.input_size, self.output_size = spec, input_size, spec.hidden_size
        self.scores = nn.Linear(input_size, spec.hidden_size)
        nn.init.xavier_uniform_(self.scores.weight)
        nn.init.zeros_(self.scores.bias)
        others = max(spec.hidden_size - 1, 1)
        odds = log(spec.stay / (1.0 - spec.stay) * others)  # of staying against one of the other states
        self.transition = nn.Parameter(odds * torch.eye(spec.hidden_size))
        self.initial = nn.Parameter(torch.zeros(spec.hidden_size))

    def initial_state(self, batch_size: int) -> State:
        """Return the learned distribution of an episode's first hidden state, [B, S]."""
        return (self.initial.softmax(dim=0).expand(batch_size, -1),)

    def forward(self, inputs: Tensor, state: State, starts: Tensor) -> tuple[Tensor, State]:
        """See `Memory.forward`."""
        scores = self.scores(inputs).to(state[0].dtype)  # [T, B, S]
        with without_autocast(scores):
            likelihoods = scores.softmax(dim=-1) + FLOOR
            transition, initial = self.transition.softmax(dim=1), self.initial.softmax(dim=0)
            beliefs, leaving = forward_filter(likelihoods, state[0], initial, transition, starts)
            return beliefs if self.spec.output == "belief" else beliefs.clamp(min=FLOOR).log(), (leaving,)


def forward_filter(
    likelihoods: Tensor, entry: Tensor, initial: Tensor, transition: Tensor, starts: Tensor
) -> tuple[Tensor, Tensor]:
    """Return the beliefs [T, B, S] after each input, and the prior [B, S] of the one after the last.

        prior[0] = entry, prior[t] = belief[t - 1] transition, or `initial` at a start
        belief[t] = prior[t] * likelihoods[t] / their sum

    The gradient is carried back as prior * d/dprior. The logarithms of the parameters change that by a bounded amount,
    whereas d/dprior itself, once for each input that comes as a surprise, grows beyond float32. It can be taken once.

    Args:
        likelihoods: [T, B, S], positive, of the inputs given the hidden states, in any scale.
        entry: [B, S], the prior before the first input.
        initial: [S], the prior at an episode's start.
        transition: [S, S], from row to column.
        starts: [T, B] bool on the host; on the device if T = 1.
    """
    return _Filter.apply(likelihoods, entry, initial, transition, starts)  # type: ignore[return-value]


class _Filter(torch.autograd.Function):
    """`forward_filter` and its way back."""

    @staticmethod
    def forward(ctx: Any, likelihoods, entry, initial, transition, starts):
        """Return the beliefs [T, B, S] and the last prior [B, S]."""
        fresh, any_fresh = starts.to(entry.device, non_blocking=True).unsqueeze(-1), _any_fresh(starts)  # [T, B, 1]
        prior, priors, beliefs = entry, [], []
        for t, likelihood in enumerate(likelihoods.unbind()):
            if any_fresh[t]:
                prior = torch.where(fresh[t], initial, prior)
            joint = prior * likelihood
            belief = joint / joint.sum(dim=-1, keepdim=True)
            priors.append(prior)
            beliefs.append(belief)
            prior = belief @ transition
        beliefs = torch.stack(beliefs)
        ctx.save_for_backward(likelihoods, transition, torch.stack(priors), beliefs, fresh)
        ctx.any_fresh = any_fresh
        return beliefs, prior

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, of_beliefs, of_leaving):
        """Return the gradients of likelihoods, entry, initial and transition."""
        likelihoods, transition, priors, beliefs, fresh = ctx.saved_tensors
        divisors = priors.clamp(min=FLOOR)  # where a prior is zero, so is its part
        back, after, scaled = transition.t(), of_leaving, []
        afters = [after]  # gradients [B, S] of the priors that follow each row, none across a start
        for t in range(len(beliefs) - 1, -1, -1):
            part = beliefs[t] * torch.addmm(of_beliefs[t], after, back)
            part = torch.addcmul(part, beliefs[t], part.sum(dim=-1, keepdim=True), value=-1)  # prior * d/dprior
            scaled.append(part)
            after = part / divisors[t]
            if ctx.any_fresh[t]:
                after = torch.where(fresh[t], 0.0, after)
            afters.append(after)
        parts, of_entry = torch.stack(scaled[::-1]), afters.pop()
        of_initial = torch.where(fresh, parts / divisors, 0.0).sum((0, 1))
        of_transition = beliefs.flatten(0, 1).t() @ torch.stack(afters[::-1]).flatten(0, 1)
        return parts / likelihoods, of_entry, of_initial, of_transition, None


def _any_fresh(starts: Tensor) -> list[bool]:
    """Return for each row whether any column starts there; for a single one, nothing is read on the host."""
    return [True] if len(starts) == 1 else starts.any(dim=1).tolist()
