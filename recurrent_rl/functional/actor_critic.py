"""The actor-critic losses and their figures, from what the policy says now and what was stored with the actions."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from recurrent_rl.compiled.choice import alike, refuse_second_derivatives, why_not
from recurrent_rl.functional.losses import clip_value_change, clipped_surrogate, kl_k3, masked_value_loss
from recurrent_rl.functional.masked import masked_mean, standardise

FIGURES = (
    "loss",
    "policy_gradient_loss",
    "value_loss",
    "entropy_loss",
    "approx_kl",
    "clip_fraction",
    "ratio_error",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Objective:
    """Weights of the terms, and limits of the change.

    Args:
        clip_range: Of the probability ratio in PPO; None for A2C's plain policy gradient.
        clip_range_vf: Of the change of a value prediction, or None.
        entropy_weight: Of the entropy bonus.
        value_weight: Of the value loss.
        normalise: Standardise the advantages.
    """

    clip_range: float | None
    clip_range_vf: float | None
    entropy_weight: float
    value_weight: float
    normalise: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """What was stored with the actions, all [T, B]: log-probabilities, advantages, returns, values, and which rows count."""

    log_probs: Tensor
    advantages: Tensor
    returns: Tensor
    values: Tensor
    valid: Tensor

    @property
    def numbers(self) -> tuple[Tensor, ...]:
        """All but `valid`."""
        return self.log_probs, self.advantages, self.returns, self.values


def actor_critic_loss(
    values: Tensor, log_probs: Tensor, entropy: Tensor, stored: Stored, objective: Objective
) -> tuple[Tensor, dict[str, Tensor]]:
    """Return the loss and its figures (`FIGURES`), all scalars on the device; NaN in rows that do not count does no harm.

    Args:
        values: [T, B], with gradient.
        log_probs: [T, B], of the stored actions, with gradient.
        entropy: [T, B], with gradient.
        stored: Of the same rows.
        objective: Weights and limits.

    Source: Schulman et al. 2017, Proximal Policy Optimization Algorithms, equations 7 and 9; Mnih et al. 2016, Asynchronous
    Methods for Deep Reinforcement Learning (no clip range).
    """
    if why_not(values) is not None or not _one_layout(values, log_probs, entropy, stored):
        return _by_operations(values, log_probs, entropy, stored, objective)
    loss, figures = _OnePass.apply(values, log_probs, entropy, stored, objective)  # type: ignore[misc]
    return loss, dict(zip(FIGURES, figures.unbind(), strict=True))


def _by_operations(
    values: Tensor, log_probs: Tensor, entropy: Tensor, stored: Stored, objective: Objective
) -> tuple[Tensor, dict[str, Tensor]]:
    valid = stored.valid
    log_ratio = (log_probs - stored.log_probs).where(valid, 0.0)
    advantages = standardise(stored.advantages, valid) if objective.normalise else stored.advantages
    if objective.clip_range is None:
        gain = log_probs * advantages
    else:
        gain = clipped_surrogate(log_ratio, advantages, objective.clip_range)
    policy_loss = -masked_mean(gain, valid)
    kept_values = clip_value_change(values, stored.values, objective.clip_range_vf)
    value_loss = masked_value_loss(kept_values, stored.returns, valid)
    entropy_loss = -masked_mean(entropy, valid)
    loss = policy_loss + objective.entropy_weight * entropy_loss + objective.value_weight * value_loss
    with torch.no_grad():
        ratio_error = torch.expm1(log_ratio).abs()  # |ratio - 1|
        clipped = masked_mean((ratio_error > _limit(objective.clip_range)).float(), valid)
        kl = masked_mean(kl_k3(log_ratio), valid)
        figures = (loss, policy_loss, value_loss, entropy_loss, kl, clipped, ratio_error.max())
    return loss, {name: figure.detach() for name, figure in zip(FIGURES, figures, strict=True)}


def _one_layout(values: Tensor, log_probs: Tensor, entropy: Tensor, stored: Stored) -> bool:
    """Whether the compiled pass, which reads memory by addresses alone, finds what it expects there."""
    valid = stored.valid
    return (
        alike(values, log_probs, entropy, *stored.numbers) and valid.dtype == torch.bool and valid.shape == values.shape
    )


def _limit(clip_range: float | None) -> float:
    return -1.0 if clip_range is None else clip_range


class _OnePass(torch.autograd.Function):
    """The same in one compiled pass that also gives the gradients; sums are in double precision."""

    @staticmethod
    def forward(ctx: Any, values, log_probs, entropy, stored, objective):
        """Return the loss and the figures [7]."""
        from recurrent_rl.compiled.threads import run_task
        from recurrent_rl.functional import kernels

        rows = [tensor.contiguous() for tensor in (values, log_probs, entropy, *stored.numbers, stored.valid)]
        limits = _limit(objective.clip_range), _limit(objective.clip_range_vf)
        terms = np.array([*limits, objective.entropy_weight, objective.value_weight, objective.normalise])
        figures, gradients = values.new_empty(len(FIGURES)), values.new_empty((3, *values.shape))
        run_task(kernels.actor_critic, values.numel(), *rows, terms.ctypes.data, figures, gradients)
        ctx.save_for_backward(gradients)
        ctx.mark_non_differentiable(figures)
        return figures[0].clone(), figures

    @staticmethod
    def backward(ctx: Any, grad_loss, _figures):
        """Return the gradients for values, log-probabilities and entropies."""
        refuse_second_derivatives()
        (gradients,) = ctx.saved_tensors
        return *(gradients * grad_loss).unbind(), None, None
