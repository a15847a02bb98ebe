"""Log-probabilities and entropies of categorical distributions."""

from collections.abc import Sequence
from functools import cache
from typing import Any

import torch
from torch import Tensor

from recurrent_rl.compiled.choice import refuse_second_derivatives, why_not


def categorical(logits: Tensor, actions: Tensor, counts: Sequence[int] | None = None) -> tuple[Tensor, Tensor]:
    """Return log p(action) and the entropy of each row, summed over D independent distributions.

        log p = logits - log sum exp logits,   entropy = -sum p log p     (0 where p = 0)

    Args:
        logits: [R, A], those of the D distributions side by side.
        actions: Whole numbers [R, D], or [R] of one distribution, of any type; one that is no action gives NaN or an error.
        counts: The number of actions of each distribution, A in all; None for a single one.
    """
    counts = [logits.shape[1]] if counts is None else list(counts)
    actions = actions.long().view(len(logits), len(counts))
    if why_not(logits) is None and logits.numel() > 0 and sum(counts) == logits.shape[1]:
        return _OnePass.apply(logits, actions, _on_host(tuple(counts)))  # type: ignore[return-value]
    parts = [_by_operations(*part) for part in zip(logits.split(counts, dim=1), actions.unbind(1), strict=True)]
    if len(parts) == 1:
        return parts[0]
    log_probs, entropies = zip(*parts, strict=True)
    return torch.stack(log_probs).sum(0), torch.stack(entropies).sum(0)


@cache
def _on_host(counts: tuple[int, ...]) -> Tensor:
    return torch.tensor(counts)


def _by_operations(logits: Tensor, actions: Tensor) -> tuple[Tensor, Tensor]:
    everything = logits.log_softmax(dim=1)
    log_probs = everything.gather(1, actions.unsqueeze(1)).squeeze(1)  # [R]
    finite = everything.clamp(min=torch.finfo(everything.dtype).min)  # 0 * -inf is NaN
    return log_probs, -(finite.exp() * finite).sum(1)


class _OnePass(torch.autograd.Function):
    """(logits [R, A], actions [R, D], counts [D]) -> log-probabilities [R], entropies [R], in one compiled pass."""

    @staticmethod
    def forward(ctx: Any, logits, actions, counts):
        """Return log-probabilities and entropies."""
        from recurrent_rl.compiled.threads import run_task
        from recurrent_rl.functional import kernels

        logits, actions = logits.contiguous(), actions.contiguous()
        log_probs, entropies = logits.new_empty(len(logits)), logits.new_empty(len(logits))
        probabilities, normalisers = torch.empty_like(logits), logits.new_empty(actions.shape)
        sizes, results = (*logits.shape, len(counts)), (log_probs, entropies, probabilities, normalisers)
        run_task(kernels.categorical_forward, *sizes, logits, actions, counts, *results)
        ctx.save_for_backward(logits, actions, counts, probabilities, normalisers)
        return log_probs, entropies

    @staticmethod
    def backward(ctx: Any, grad_log_probs, grad_entropies):
        """Return the gradient of the logits."""
        refuse_second_derivatives()
        from recurrent_rl.compiled.threads import run_task
        from recurrent_rl.functional import kernels

        rows = ctx.saved_tensors
        gradient = torch.empty_like(rows[0])
        sizes, incoming = (*gradient.shape, len(rows[2])), (grad_log_probs.contiguous(), grad_entropies.contiguous())
        run_task(kernels.categorical_backward, *sizes, *rows, *incoming, gradient)
        return gradient, None, None
