"""The likeliest symbols in a row, by the next one's log-probabilities: greedily, or by beam search."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from recurrent_rl.memory.base import State
from recurrent_rl.sequence.batch import IGNORED

Step = Callable[[Tensor, State], tuple[Tensor, State]]
"""(last symbols [N], state with leaves [N, ...]) to log-probabilities of the next symbol [N, V], and the next state."""


@dataclass(frozen=True)
class Decoded:
    """Sequences that were found.

    Args:
        symbols: [L, B] int64, the end symbol included where it came within the greatest length; IGNORED after it, so that
            they may stand as targets.
        log_probabilities: [B], of the whole sequences, in nats.
    """

    symbols: Tensor
    log_probabilities: Tensor


def greedy(step: Step, state: State, begin: Tensor, *, end: int, max_length: int) -> Decoded:
    """Return the symbols of which each is the likeliest after those before it.

    Args:
        step: Gives the next symbol's log-probabilities.
        state: Before the first symbol, leaves [B, ...].
        begin: [B] int64, symbols that the first step reads.
        end: Symbol after which nothing follows.
        max_length: Symbols, the end symbol included, after which a sequence is cut.
    """
    _require_positive("max_length", max_length)
    last, ended, rows = begin, torch.zeros_like(begin, dtype=torch.bool), []
    total: Tensor | float = 0.0
    for _ in range(max_length):
        log_probabilities, state = step(last, state)
        likeliest, last = log_probabilities.max(dim=-1)
        total = total + likeliest.where(~ended, 0.0)
        rows.append(last.where(~ended, IGNORED))
        ended = ended | (last == end)
        if ended.all():
            break
    return Decoded(torch.stack(rows), torch.as_tensor(total))


@dataclass(frozen=True)
class _Beams:
    """Candidates, the best first.

    Args:
        symbols: [L, B, W], IGNORED after an end.
        last: [B, W], the symbols to read next.
        total: [B, W], log-probabilities; -inf where there is no candidate.
        lengths: [B, W] int64, the end symbol included.
        ended: [B, W] bool.
    """

    symbols: Tensor
    last: Tensor
    total: Tensor
    lengths: Tensor
    ended: Tensor


def beam(step: Step, state: State, begin: Tensor, *, end: int, max_length: int, length_penalty: float = 0.0) -> Decoded:
    """Return the best symbols of those that a beam of W candidates holds on to.

        score = log p / ((5 + n) / 6)^length_penalty         for n symbols, the end symbol included

    At each step the W best by score of all continuations stay, any of those that are alike; one that has ended is its own
    continuation. It goes on until all have ended. With W = 1 it is `greedy`; with W as large as the number of all sequences
    it is exact.

    Args:
        step: Gives the next symbol's log-probabilities.
        state: Before the first symbol, leaves [B W, ...], the candidates of a sequence side by side.
        begin: [B, W] int64, symbols that the first step reads.
        end: Symbol after which nothing follows.
        max_length: Symbols, the end symbol included, after which a sequence is cut.
        length_penalty: 0 ranks by probability, which favours short sequences; larger ones favour long sequences.

    Source: Wu et al. 2016, Google's Neural Machine Translation System (equation 14, without the coverage term).
    """
    _require_positive("max_length", max_length)
    _require_positive("width", begin.shape[1])
    beams = _one_candidate(begin)
    for _ in range(max_length):
        log_probabilities, state = step(beams.last.flatten(), state)
        beams, parents = _advance(beams, log_probabilities.unflatten(0, begin.shape), end, length_penalty)
        first = (
            torch.arange(len(begin), device=begin.device).unsqueeze(1) * begin.shape[1]
        )  # [B, 1], where a column begins
        rows = (parents + first).flatten()  # [B W]
        state = tuple(leaf.index_select(0, rows) for leaf in state)
        if (beams.ended | beams.total.isneginf()).all():
            break
    longest = int(beams.lengths[:, 0].max())
    return Decoded(beams.symbols[:longest, :, 0], beams.total[:, 0])


def _one_candidate(begin: Tensor) -> _Beams:
    """Return beams that hold one empty sequence each."""
    total = torch.full(begin.shape, -torch.inf, device=begin.device)
    total[:, 0] = 0.0
    nothing = torch.zeros_like(begin)
    return _Beams(begin.new_empty((0, *begin.shape)), begin, total, nothing, nothing.bool())


def _advance(beams: _Beams, log_probabilities: Tensor, end: int, length_penalty: float) -> tuple[_Beams, Tensor]:
    """Return the best continuations by log-probabilities [B, W, V], and which candidate [B, W] each goes on from."""
    width, symbols = log_probabilities.shape[1:]
    only_end = torch.full_like(log_probabilities[0, 0], -torch.inf)
    only_end[end] = 0.0
    gained = torch.where(beams.ended.unsqueeze(-1), only_end, log_probabilities)
    total = beams.total.to(gained.dtype).unsqueeze(-1) + gained  # [B, W, V]
    lengths = beams.lengths + ~beams.ended
    score = total / (((5.0 + lengths) / 6.0) ** length_penalty).unsqueeze(-1)
    chosen = score.flatten(1).topk(width, dim=1).indices  # [B, W]
    parents, last = chosen // symbols, chosen % symbols
    ended = beams.ended.gather(1, parents)
    history = beams.symbols.gather(2, parents.expand_as(beams.symbols))
    new = last.where(~ended, IGNORED).unsqueeze(0)
    grown = _Beams(
        symbols=torch.cat([history, new]),
        last=last,
        total=total.flatten(1).gather(1, chosen),
        lengths=lengths.gather(1, parents),
        ended=ended | (last == end),
    )
    return grown, parents


def _require_positive(name: str, number: int) -> None:
    if number < 1:
        raise ValueError(f"{name} must be a whole number of at least 1, not {number!r}.")
