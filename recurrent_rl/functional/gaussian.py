"""Log-probabilities and entropies of diagonal Gaussian distributions."""

import math
from typing import Any

import torch
from torch import Tensor

from recurrent_rl.compiled.choice import alike, refuse_second_derivatives, why_not

HALF_LOG_TAU = 0.5 * math.log(2.0 * math.pi)


def diagonal_gaussian(means: Tensor, log_std: Tensor, actions: Tensor) -> tuple[Tensor, Tensor]:
    """Return log p(action) and the entropy of each row, both [R].

        log p = -sum (z^2 / 2 + log std + log(2 pi) / 2),   z = (action - mean) / std
        entropy = sum (1 / 2 + log std + log(2 pi) / 2)

    Args:
        means: [R, A].
        log_std: Log standard deviations [A], the same for all rows.
        actions: [R, A].

    Raises:
        ValueError: log_std is not [A].
    """
    if log_std.shape != means.shape[1:]:
        raise ValueError(f"log_std {tuple(log_std.shape)} does not fit with means {tuple(means.shape)}: give [A].")
    if why_not(means) is None and log_std.dtype == torch.float32 and alike(means, actions):
        return _OnePass.apply(means, log_std, actions)  # type: ignore[return-value]
    z = (actions - means) * (-log_std).exp()
    constant = log_std + HALF_LOG_TAU
    return -(0.5 * z * z + constant).sum(1), (constant + 0.5).sum().expand(len(means))


class _OnePass(torch.autograd.Function):
    """(means [R, A], log std [A], actions [R, A]) -> log-probabilities [R], entropies [R], in one compiled pass."""

    @staticmethod
    def forward(ctx: Any, means, log_std, actions):
        """Return log-probabilities and entropies."""
        from recurrent_rl.compiled.threads import run_task
        from recurrent_rl.functional import kernels

        rows = [tensor.contiguous() for tensor in (means, log_std, actions)]
        log_probs, entropies = means.new_empty(len(means)), means.new_empty(len(means))
        run_task(kernels.gaussian_forward, *means.shape, *rows, log_probs, entropies)
        ctx.save_for_backward(*rows)
        return log_probs, entropies

    @staticmethod
    def backward(ctx: Any, grad_log_probs, grad_entropies):
        """Return the gradients of means and log standard deviations."""
        refuse_second_derivatives()
        from recurrent_rl.compiled.threads import run_task
        from recurrent_rl.functional import kernels

        rows = ctx.saved_tensors
        gradients = torch.empty_like(rows[0]), torch.empty_like(rows[1])
        incoming = grad_log_probs.contiguous(), grad_entropies.contiguous()
        run_task(kernels.gaussian_backward, *rows[0].shape, *rows, *incoming, *gradients)
        return *gradients, None
