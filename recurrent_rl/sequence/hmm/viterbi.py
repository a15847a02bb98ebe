"""The most likely path of hidden states."""

import torch
from torch import Tensor

from recurrent_rl.sequence.batch import IGNORED, length_mask


def viterbi(log_start: Tensor, log_transition: Tensor, log_emission: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
    """Return the paths z that make p(z, x) largest, and log p(z, x).

        v[0] = log start + log b(x[0]),   v[t+1, j] = max_i (v[t, i] + log A[i, j]) + log b_j(x[t+1])

    Shapes as in `chain`. Of equally likely states the lowest is taken.

    Returns:
        Paths [T, B] int64, IGNORED after an end; and [B].

    Source: Viterbi 1967, Error Bounds for Convolutional Codes; Rabiner 1989, section III.B.
    """
    inside = length_mask(lengths, len(log_emission)).to(log_emission.device)
    stay = torch.arange(log_emission.shape[-1], device=log_emission.device).expand(log_emission.shape[1:])
    score, origins = log_start + log_emission[0], []
    for emission, now in zip(log_emission[1:], inside[1:], strict=True):
        best, origin = (score.unsqueeze(-1) + log_transition).max(1)  # [B, K], from which state
        score = torch.where(now.unsqueeze(-1), best + emission, score)
        origins.append(torch.where(now.unsqueeze(-1), origin, stay))
    log_joint, last = score.max(-1)
    return _trace(last, origins).masked_fill(~inside, IGNORED), log_joint


def _trace(last: Tensor, origins: list[Tensor]) -> Tensor:
    """Return the path [T, B] that ends in `last` [B], where origins[t] [B, K] leads from step t + 1 back to t."""
    path = [last]
    for origin in reversed(origins):
        path.append(origin.gather(1, path[-1].unsqueeze(1)).squeeze(1))
    return torch.stack(path[::-1])
