"""What is known of the hidden states of a Markov chain: forward filter, next state, smoothing, pairs of states.

Everywhere K is the number of states, `log_start` [K] or [B, K] the log-probabilities of the first state, `log_transition`
[K, K] has rows i and columns j for log p(z[t+1] = j | z[t] = i), and `log_emission` [T, B, K] is log p(x[t] | z[t]).
Logarithms may be -inf. What stands after a sequence's end, any value, changes nothing.

A step whose input is impossible (log_scale is -inf) is passed over, as if nothing had been seen there.

Source: Rabiner 1989, A Tutorial on Hidden Markov Models and Selected Applications in Speech Recognition (with the scaling
of its section V.A, in logarithms).
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor

from recurrent_rl.sequence.batch import length_mask
from recurrent_rl.sequence.hmm.logspace import log_matmul, log_matrix, log_sum


class Filtered(NamedTuple):
    """What the inputs up to each step say.

    Args:
        log_state: [T, B, K], log p(z[t] | x[0..t]); after an end that of the last step within the sequence.
        log_scale: [T, B], log p(x[t] | x[0..t-1]), 0 after an end: its sum over t is the log-likelihood.
    """

    log_state: Tensor
    log_scale: Tensor


class Smoothed(NamedTuple):
    """What all the inputs say.

    Args:
        log_posterior: [T, B, K], log p(z[t] | x[0..T-1]).
        filtered: What the inputs up to each step say.
        log_backward: [T, B, K], log p(x[t+1..] | z[t]) - log p(x[t+1..] | x[0..t]).
    """

    log_posterior: Tensor
    filtered: Filtered
    log_backward: Tensor


def forward_filter(log_start: Tensor, log_transition: Tensor, log_emission: Tensor, lengths: Tensor) -> Filtered:
    """Return the filtered states.

    p[0] = start,  p[t+1] = f[t] A                  [K], what is expected before a step
    c[t] = sum_k p[t, k] b_k(x[t])                  the scale
    f[t] = p[t] * b(x[t]) / c[t]                    [K]
    """
    inside = length_mask(lengths, len(log_emission)).to(log_emission.device)
    log_emission, matrix = _within(log_emission, inside), log_matrix(log_transition)
    state = predicted = log_start.expand(log_emission.shape[1:])
    states, scales = [], []
    for emission, now in zip(log_emission, inside.unsqueeze(-1), strict=True):
        updated, scale = _update(predicted, emission)
        state = torch.where(now, updated, state)
        predicted = log_matmul(state, matrix)
        states.append(state)
        scales.append(scale)
    return Filtered(torch.stack(states), torch.where(inside, torch.stack(scales), 0.0))


def next_state(log_state: Tensor, log_transition: Tensor) -> Tensor:
    """Return log p(z[t+1] | x[0..t]), [..., K], from log p(z[t] | x[0..t])."""
    return log_matmul(log_state, log_matrix(log_transition))


def smooth(log_start: Tensor, log_transition: Tensor, log_emission: Tensor, lengths: Tensor) -> Smoothed:
    """Return the smoothed states: p(z[t] | all) = f[t] g[t], with g[T-1] = 1 and g[t] = A (b(x[t+1]) g[t+1]) / c[t+1]."""
    filtered = forward_filter(log_start, log_transition, log_emission, lengths)
    gains, inside = _gains(filtered, log_emission, lengths)
    matrix, backward = log_matrix(log_transition.T), [torch.zeros_like(gains[0])]
    for gain, now in zip(gains[1:].flip(0), inside[1:].flip(0).unsqueeze(-1), strict=True):
        backward.append(torch.where(now, log_matmul(backward[-1] + gain, matrix), 0.0))
    log_backward = torch.stack(backward[::-1])
    posterior = filtered.log_state + log_backward
    return Smoothed(posterior - log_sum(posterior).unsqueeze(-1), filtered, log_backward)


def pairwise(smoothed: Smoothed, log_transition: Tensor, log_emission: Tensor, lengths: Tensor) -> Tensor:
    """Return log p(z[t] = i, z[t+1] = j | all inputs), [T - 1, B, K, K]; of no meaning where t + 1 is after an end."""
    gains, _ = _gains(smoothed.filtered, log_emission, lengths)
    before, after = smoothed.filtered.log_state[:-1], (gains + smoothed.log_backward)[1:]
    return before.unsqueeze(-1) + log_transition + after.unsqueeze(-2)


def transition_counts(smoothed: Smoothed, log_transition: Tensor, log_emission: Tensor, lengths: Tensor) -> Tensor:
    """Return the expected number of steps from state i to j, [K, K]: `pairwise` summed over steps and sequences."""
    gains, inside = _gains(smoothed.filtered, log_emission, lengths)
    before = smoothed.filtered.log_state[:-1][inside[1:]]  # [N, K]
    after = (gains + smoothed.log_backward)[1:][inside[1:]]  # [N, K]
    tame = after.amax(-1) < -0.85 * math.log(torch.finfo(after.dtype).tiny)  # lifts nothing that underflowed to near 1
    counts = (before[tame].exp().T @ after[tame].exp()) * log_transition.exp()
    for one, other in zip(before[~tame], after[~tame], strict=True):
        counts = counts + (one.unsqueeze(-1) + log_transition + other).exp()
    return counts


def _update(predicted: Tensor, emission: Tensor) -> tuple[Tensor, Tensor]:
    """Return the filtered state [B, K] and the scale [B]; the state stays as predicted where the input is impossible."""
    joint = predicted + emission
    scale = log_sum(joint)
    possible = scale > -torch.inf
    if bool(possible.all()):
        return joint - scale.unsqueeze(-1), scale
    updated = joint - torch.where(possible, scale, 0.0).unsqueeze(-1)
    return torch.where(possible.unsqueeze(-1), updated, predicted), scale


def _gains(filtered: Filtered, log_emission: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
    """Return log b(x[t]) / c[t], [T, B, K], 0 at impossible steps, and the mask [T, B] of steps within sequences."""
    inside = length_mask(lengths, len(log_emission)).to(log_emission.device)
    seen = inside & (filtered.log_scale > -torch.inf)
    scale = torch.where(seen, filtered.log_scale, 0.0)
    return _within(log_emission, seen) - scale.unsqueeze(-1), inside


def _within(log_emission: Tensor, inside: Tensor) -> Tensor:
    return torch.where(inside.unsqueeze(-1), log_emission, 0.0)
