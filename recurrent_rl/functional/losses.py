"""Terms of the actor-critic losses, per row; the mean over valid rows is taken by the caller."""

import torch
from torch import Tensor

from recurrent_rl.functional.masked import masked_mean


def clipped_surrogate(log_ratio: Tensor, advantages: Tensor, clip_range: float) -> Tensor:
    """Return PPO's objective to maximise, min(r A, clip(r, 1 - c, 1 + c) A), per row.

    Args:
        log_ratio: [T, B], log pi(a|h) - log pi_old(a|h).
        advantages: [T, B].
        clip_range: c.

    Source: Schulman et al. 2017, Proximal Policy Optimization Algorithms, equation 7.
    """
    ratio = log_ratio.exp()
    return torch.minimum(ratio * advantages, ratio.clamp(1.0 - clip_range, 1.0 + clip_range) * advantages)


def clip_value_change(values: Tensor, old_values: Tensor, clip_range: float | None) -> Tensor:
    """Return value predictions kept within `clip_range` of the old ones (units of the return); None clips nothing.

    Args:
        values: [T, B].
        old_values: [T, B].
        clip_range: Largest change of a prediction in one update, or None.
    """
    if clip_range is None:
        return values
    return old_values + (values - old_values).clamp(-clip_range, clip_range)


def masked_value_loss(values: Tensor, targets: Tensor, valid: Tensor) -> Tensor:
    """Return the mean squared error of the critic over valid rows.

    Args:
        values: [T, B].
        targets: [T, B].
        valid: [T, B] bool.
    """
    return masked_mean((values - targets) ** 2, valid)


def kl_k3(log_ratio: Tensor) -> Tensor:
    """Return (r - 1) - log r per row, an unbiased estimate of KL(old || new) that is never negative.

    Args:
        log_ratio: [T, B], log pi(a|h) - log pi_old(a|h), actions drawn from the old policy.

    Source: Schulman 2020, Approximating KL Divergence (estimator k3).
    """
    return torch.expm1(log_ratio) - log_ratio
