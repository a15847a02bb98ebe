"""Fitting without labels: expectation-maximisation (Baum-Welch), with restarts.

No iteration lowers log p(inputs) + log_prior. Without pseudo-counts the prior is 0 and that is the likelihood itself; with
them the likelihood alone may fall a little, for the prior's sake. Floors of variances only bound where it may go.

Source: Baum et al. 1970, A Maximization Technique Occurring in the Statistical Analysis of Probabilistic Functions of
Markov Chains; Rabiner 1989, sections III.C and V.B (several sequences); Dempster et al. 1977 (with priors).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from recurrent_rl.memory.checks import require_between, require_whole
from recurrent_rl.sequence.batch import Array, length_mask
from recurrent_rl.sequence.hmm.chain import smooth, transition_counts
from recurrent_rl.sequence.hmm.emission import Statistics
from recurrent_rl.sequence.hmm.initial import initialise
from recurrent_rl.sequence.hmm.model import HMM, HiddenMarkov
from recurrent_rl.sequence.hmm.sequences import check_sequences, in_batches, log_likelihoods


@dataclass(frozen=True, kw_only=True)
class EM:
    """How to fit.

    Args:
        restarts: Fits from different first parameters, of which the best is kept.
        iterations: Most iterations of each.
        tolerance: Stop when an iteration gains less than this, in nats per step of the data.
        batch_size: Sequences at a time; the result is the same for all.
        seed: Of the first restart; the next has one more.
        device: Where to compute.
    """

    restarts: int = 5
    iterations: int = 50
    tolerance: float = 1e-4
    batch_size: int = 256
    seed: int = 0
    device: str = "cpu"

    def __post_init__(self) -> None:
        require_whole(self, "restarts", "iterations", "batch_size")
        require_between(self, "tolerance", 0.0, float("inf"))


@dataclass(frozen=True)
class Fitted:
    """A fitted model.

    Args:
        model: The best of the restarts.
        objectives: Log-likelihood of the training data plus the model's `log_prior`, in nats, before each iteration of it
            and after the last; it never falls.
        scores: Of each restart, in order: nats per step of the validation data, or the last objective per step of the
            training data where there is no validation data.
    """

    model: HiddenMarkov
    objectives: tuple[float, ...]
    scores: tuple[float, ...]


def fit_em(
    spec: HMM, inputs: Sequence[Array], settings: EM | None = None, validation: Sequence[Array] | None = None
) -> Fitted:
    """Return the best of several models fitted to sequences [T] of symbols or [T, F] of features, of any lengths.

    Best is the likelihood of `validation` where it is given, else the objective.

    Raises:
        ValueError: A sequence is empty, not finite, of another size or with symbols out of range.
    """
    settings, best, scores = settings or EM(), None, []
    for seed in range(settings.seed, settings.seed + settings.restarts):
        model = initialise(spec, inputs, seed).to(settings.device)
        objectives = improve(model, inputs, settings)
        scores.append(_score(model, objectives, inputs, validation))
        if best is None or scores[-1] > max(scores[:-1]):
            best = model, objectives
    assert best is not None
    return Fitted(*best, tuple(scores))


@torch.no_grad()
def improve(model: HiddenMarkov, inputs: Sequence[Array], settings: EM | None = None) -> tuple[float, ...]:
    """Fit a model further, in place, from the parameters that it has; return `Fitted.objectives`."""
    settings = settings or EM()
    check_sequences(model.emission, inputs)
    least = settings.tolerance * sum(len(sequence) for sequence in inputs)
    objectives: list[float] = []
    for _ in range(settings.iterations):
        objectives.append(em_step(model, inputs, settings.batch_size))
        if len(objectives) > 1 and objectives[-1] - objectives[-2] < least:
            break
    likelihood = float(log_likelihoods(model, inputs, settings.batch_size).sum())
    return (*objectives, likelihood + float(model.log_prior()))


@torch.no_grad()
def em_step(model: HiddenMarkov, inputs: Sequence[Array], batch_size: int = 256) -> float:
    """Do one iteration over all sequences, in place; return the objective before it."""
    total: Statistics | None = None
    for _, padded, lengths in in_batches(inputs, batch_size, model.start_logits.device):
        found = expectations(model, padded, lengths)
        total = found if total is None else tuple(one + other for one, other in zip(total, found, strict=True))
    assert total is not None
    likelihood, starts, transitions, *emission = total
    if not bool(likelihood > -torch.inf):
        raise ValueError("A sequence is impossible under the model: give its specs a pseudo_count above 0.")
    objective = float(likelihood + model.log_prior())
    model.maximise_chain(starts, transitions)
    model.emission.maximise(tuple(emission))
    return objective


def expectations(model: HiddenMarkov, inputs: Tensor, lengths: Tensor) -> Statistics:
    """Return sums over a batch: log-likelihood, counts of first states [K] and transitions [K, K], the emissions' own."""
    log_transition, log_emission = model.log_transition(), model.log_emission(inputs, lengths)
    smoothed = smooth(model.log_start(), log_transition, log_emission, lengths)
    transitions = transition_counts(smoothed, log_transition, log_emission, lengths)
    weights, inside = smoothed.log_posterior.exp(), length_mask(lengths, len(inputs)).to(inputs.device)
    emission = model.emission.statistics(inputs[inside], weights[inside])
    return smoothed.filtered.log_scale.sum(), weights[0].sum(0), transitions, *emission


def _score(
    model: HiddenMarkov, objectives: tuple[float, ...], inputs: Sequence[Array], validation: Sequence[Array] | None
) -> float:
    if validation is None:
        return objectives[-1] / sum(len(sequence) for sequence in inputs)
    return float(log_likelihoods(model, validation).sum()) / sum(len(sequence) for sequence in validation)
