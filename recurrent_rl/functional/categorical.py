"""Log-probabilities and entropies of categorical distributions."""

from typing import Any

import torch
from torch import Tensor

from recurrent_rl.compiled.choice import why_not


def categorical(logits: Tensor, actions: Tensor) -> tuple[Tensor, Tensor]:
    """Return log p(action) and the entropy of each row.

        log p = logits - log sum exp logits,   entropy = -sum p log p

    Args:
        logits: [R, A].
        actions: Whole numbers [R], of any type; one that is no action gives NaN or an error.
    """
    actions = actions.long()
    if why_not(logits) is None and logits.numel() > 0:
        log_probs, entropies, _ = _OnePass.apply(logits, actions)  # type: ignore[misc]
        return log_probs, entropies
    everything = logits.log_softmax(dim=1)
    log_probs = everything.gather(1, actions.unsqueeze(1)).squeeze(1)  # [R]
    return log_probs, -(everything.exp() * everything).sum(1)


class _OnePass(torch.autograd.Function):
    """The same in one compiled pass."""

    @staticmethod
    def forward(ctx: Any, logits, actions):
        """Return log-probabilities and entropies [R], and log-probabilities of all actions [R, A]."""
        from recurrent_rl.compiled.threads import run_task
        from recurrent_rl.functional import kernels

        logits, actions = logits.contiguous(), actions.contiguous()
        log_probs, entropies = logits.new_empty((2, len(logits))).unbind()
        everything = torch.empty_like(logits)
        run_task(kernels.categorical_forward, *logits.shape, logits, actions, log_probs, entropies, everything)
        ctx.save_for_backward(everything, actions, entropies)
        ctx.mark_non_differentiable(everything)
        return log_probs, entropies, everything

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, grad_log_probs, grad_entropies, _everything):
        """Return the gradient of the logits."""
        from recurrent_rl.compiled.threads import run_task
        from recurrent_rl.functional import kernels

        everything, actions, entropies = ctx.saved_tensors
        gradient = torch.empty_like(everything)
        incoming = grad_log_probs.contiguous(), grad_entropies.contiguous()
        run_task(kernels.categorical_backward, *everything.shape, everything, actions, entropies, *incoming, gradient)
        return gradient, None
