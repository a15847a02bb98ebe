"""A linear-chain conditional random field: which tags go together is learned, and a sequence's tags are told as one.

    log p(y | x) = score(x, y) - log sum over all y' of exp score(x, y')
    score(x, y)  = start[y[0]] + sum_t emission[t, y[t]] + sum_t transition[y[t], y[t+1]] + end[y[T-1]]

These sums and maxima over paths are those of a hidden Markov model whose probabilities need not sum to one, so `hmm.chain`
and `hmm.viterbi` do them. K is the number of tags; scores may be -inf, where a tag or two in a row are impossible.

Source: Lafferty, McCallum and Pereira 2001, Conditional Random Fields: Probabilistic Models for Segmenting and Labeling
Sequence Data; Huang, Xu and Yu 2015, Bidirectional LSTM-CRF Models for Sequence Tagging (emissions from a network).
"""

from typing import NamedTuple

import torch
from torch import Tensor

from recurrent_rl.sequence.batch import IGNORED
from recurrent_rl.sequence.hmm.chain import forward_filter
from recurrent_rl.sequence.hmm.viterbi import viterbi


class Field(NamedTuple):
    """Scores of tags, and of tags in a row.

    Args:
        emission: [T, B, K], of any value after an end.
        transition: [K, K], rows i and columns j for j after i.
        start: [K], of the first tag.
        end: [K], of the last tag.
    """

    emission: Tensor
    transition: Tensor
    start: Tensor
    end: Tensor


def log_partition(field: Field, lengths: Tensor) -> Tensor:
    """Return log sum over all paths of exp score(x, y), [B], for sequences of `lengths` [B] on the host."""
    # The filter takes exp(transition): what is above 0 is taken off each of the T - 1 steps, and added again.
    shift = field.transition.detach().amax().clamp(min=0.0)
    filtered = forward_filter(field.start, field.transition - shift, _ended(field, lengths), lengths)
    return filtered.log_scale.sum(0) + shift * (lengths - 1).to(shift.device)


def log_probability(field: Field, tags: Tensor, lengths: Tensor) -> Tensor:
    """Return log p(y | x), [B], of tags [T, B], IGNORED after an end.

    A tag that is IGNORED within a sequence may be any: its paths are summed. Impossible tags have -inf.
    """
    kinds = torch.arange(field.emission.shape[-1], device=tags.device)
    agrees = (tags.unsqueeze(-1) == kinds) | (tags == IGNORED).unsqueeze(-1)  # [T, B, K]
    agreeing = field.emission.masked_fill(~agrees, -torch.inf)
    both = field._replace(emission=torch.cat([agreeing, field.emission], dim=1))  # [T, 2 B, K]
    wanted, everything = log_partition(both, lengths.repeat(2)).chunk(2)
    return wanted - everything


def best_tags(field: Field, lengths: Tensor) -> Tensor:
    """Return the tags that are likeliest together, [T, B] int64, IGNORED after an end."""
    return viterbi(field.start, field.transition, _ended(field, lengths), lengths)[0]


def _ended(field: Field, lengths: Tensor) -> Tensor:
    """Return emissions [T, B, K] with the score of the end in each sequence's last step."""
    last = torch.arange(len(field.emission)).unsqueeze(1) == lengths - 1  # [T, B]
    return field.emission + torch.where(last.unsqueeze(-1).to(field.end.device), field.end, 0.0)
