"""Sequence to sequence: one model reads, a memory writes and attends to what was read."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from recurrent_rl.memory import GRU, MemorySpec, State
from recurrent_rl.memory.checks import require_between, require_whole
from recurrent_rl.sequence.batch import IGNORED, Batch, length_mask
from recurrent_rl.sequence.models.base import SequenceModel, SequenceSpec, require_lengths
from recurrent_rl.sequence.models.bidirectional import Bidirectional
from recurrent_rl.sequence.models.decoding import Decoded, Step, beam, greedy
from recurrent_rl.sequence.models.inputs import Inputs, variational_dropout
from recurrent_rl.sequence.models.recurrent import entry
from recurrent_rl.sequence.models.whole import zero_after_ends

_ENCODER, _DECODER = Bidirectional(), GRU()


@dataclass(frozen=True, kw_only=True)
class EncoderDecoder:
    """An encoder, and a decoder that reads its own symbols and looks back at what the encoder gave.

        e[s], summary = encoder(source)                                     s < S
        h[l]     = decoder([embedding(symbol[l - 1]); summary])             symbol[-1] is the begin symbol
        score    = (W_a h[l]) . e[s] / sqrt(E)                              E numbers in e[s]
        context  = sum over s of softmax(score)[s] e[s]                     over the source's own steps
        logits   = W_v tanh(W_c [context; h[l]] + b_c) + b_v

    The decoder looks back after its step, not before it, so that a known target is read in one call. It begins from
    its own initial state and is told the summary at each step, which any memory can be.

    Args:
        encoder: Spec of what reads the source.
        decoder: Spec of what writes.
        size: Size of a written symbol's embedding.
        dropout: Variational, of these embeddings.
        attention: Whether the decoder looks back; else it knows the source by the summary alone, and context is left out.

    Raises:
        ValueError: A field out of range.

    Source: Luong, Pham and Manning 2015, Effective Approaches to Attention-based Neural Machine Translation (global
    attention with "general" scores, here scaled by the width); Cho et al. 2014, Learning Phrase Representations using RNN
    Encoder-Decoder (the summary at each step).
    """

    encoder: SequenceSpec = _ENCODER
    decoder: MemorySpec = _DECODER
    size: int = 64
    dropout: float = 0.0
    attention: bool = True

    def __post_init__(self) -> None:
        require_whole(self, "size")
        require_between(self, "dropout", 0.0, 1.0)

    def build(self, inputs: Inputs, symbols: int, end: int) -> "EncoderDecoderNetwork":
        """Return a new network that reads `inputs` and writes symbols below `symbols`, the last of them `end`.

        Raises:
            ValueError: `end` is not one of the symbols.
        """
        if not 0 <= end < symbols:
            raise ValueError(
                f"The end symbol must be one of the {symbols} that are written, 0 to {symbols - 1}: not {end}."
            )
        return EncoderDecoderNetwork(self, inputs, symbols, end)


@dataclass(frozen=True)
class _Source:
    """What was read: outputs [S, B, E], summary [B, E], visible [S, B] bool."""

    outputs: Tensor
    summary: Tensor
    visible: Tensor

    def repeated(self, times: int) -> "_Source":
        """Return each column `times` times, side by side."""
        outputs, visible = (rows.repeat_interleave(times, dim=1) for rows in (self.outputs, self.visible))
        return _Source(outputs, self.summary.repeat_interleave(times, dim=0), visible)


class EncoderDecoderNetwork(nn.Module):
    """The network of `EncoderDecoder`.

    Targets [L, B] of a batch hold the symbols to write, with the end symbol, and IGNORED after it. The begin symbol is one
    more than those that can be written, so it is never written.
    """

    def __init__(self, spec: EncoderDecoder, inputs: Inputs, symbols: int, end: int) -> None:
        super().__init__()
        self.spec, self.begin, self.end = spec, symbols, end
        self.inputs = inputs.build()
        self.encoder: SequenceModel = spec.encoder.build(inputs.width)
        self.embed = nn.Embedding(symbols + 1, spec.size)
        self.decoder = spec.decoder.build(spec.size + self.encoder.output_size)
        read, written = self.encoder.output_size, self.decoder.output_size
        self.match = nn.Linear(written, read, bias=False) if spec.attention else None  # W_a
        self.combine = nn.Linear((read if spec.attention else 0) + written, written)
        self.head = nn.Linear(written, symbols)

    def forward(self, batch: Batch, state: State | None = None) -> tuple[Tensor, None]:
        """Return the logits of each target given those before it, [L, B, V], and no state.

        Args:
            batch: With targets [L, B].
            state: None: the decoder has no stream to go on with.
        """
        return self._write(self._before(batch), self._read(batch), None)[0], None

    def attention_weights(self, batch: Batch) -> Tensor:
        """Return how much each target looks at each step of the source, [L, B, S], zero after its end.

        Raises:
            ValueError: The network has no attention.
        """
        if self.match is None:
            raise ValueError(f"{self.spec} looks nowhere: build it with attention=True.")
        source = self._read(batch)
        return self._look_back(self.match, self._recall(self._before(batch), source, None)[0], source)

    def log_probabilities(self, batch: Batch) -> Tensor:
        """Return log p(target | source), [B], in nats."""
        logits, _ = self(batch)
        assert batch.targets is not None
        scored = batch.targets != IGNORED
        rows = batch.targets.where(scored, self.end).unsqueeze(-1)
        return logits.log_softmax(-1).gather(-1, rows).squeeze(-1).where(scored, 0.0).sum(0)

    @torch.no_grad()
    def greedy(self, batch: Batch, max_length: int) -> Decoded:
        """Write for each source the symbols of which each is the likeliest; see `decoding.greedy`.

        Call it in evaluation mode. Targets are not read.
        """
        source, state = self._read(batch), self.decoder.initial_state(len(batch.lengths))
        begin = torch.full_like(batch.lengths, self.begin, device=source.outputs.device)
        return greedy(self._step_from(source), state, begin, end=self.end, max_length=max_length)

    @torch.no_grad()
    def beam(self, batch: Batch, width: int, max_length: int, length_penalty: float = 0.0) -> Decoded:
        """Write for each source the best symbols that a beam of `width` candidates finds; see `decoding.beam`.

        Call it in evaluation mode. Targets are not read.
        """
        source = self._read(batch).repeated(width)
        state = self.decoder.initial_state(len(batch.lengths) * width)
        begin = torch.full((len(batch.lengths), width), self.begin, device=source.outputs.device)
        step = self._step_from(source)
        return beam(step, state, begin, end=self.end, max_length=max_length, length_penalty=length_penalty)

    def _read(self, batch: Batch) -> _Source:
        require_lengths(batch.lengths, len(batch.inputs))
        outputs, _ = self.encoder(self.inputs(batch.inputs), batch.lengths)
        visible = length_mask(batch.lengths, len(outputs)).to(outputs.device, non_blocking=True)
        summary = self.encoder.summary(outputs, batch.lengths)
        return _Source(zero_after_ends(outputs, batch.lengths), summary, visible)

    def _before(self, batch: Batch) -> Tensor:
        """Return the symbol that stands before each target, [L, B]; the end symbol where that is IGNORED."""
        if batch.targets is None:
            raise ValueError("The batch has no targets [L, B] to read; without them use greedy or beam.")
        before = batch.targets[:-1]
        begin = torch.full_like(batch.targets[:1], self.begin)
        return torch.cat([begin, before.where(before != IGNORED, self.end)])

    def _write(self, symbols: Tensor, source: _Source, state: State | None) -> tuple[Tensor, State]:
        """Return logits [L, B, V] after each of the symbols [L, B], and the state."""
        hidden, leaving = self._recall(symbols, source, state)
        known = hidden
        if self.match is not None:
            context = torch.einsum("lbs,sbe->lbe", self._look_back(self.match, hidden, source), source.outputs)
            known = torch.cat([context, hidden], dim=-1)
        return self.head(self.combine(known).tanh()), leaving

    def _recall(self, symbols: Tensor, source: _Source, state: State | None) -> tuple[Tensor, State]:
        """Return what the decoder gives [L, B, H] after each of the symbols [L, B], and its state."""
        embedded = variational_dropout(self.embed(symbols), self.spec.dropout, self.training)
        inputs = torch.cat([embedded, source.summary.expand(len(symbols), -1, -1)], dim=-1)
        return self.decoder(inputs, *entry(self.decoder, inputs, state))

    @staticmethod
    def _look_back(match: nn.Linear, hidden: Tensor, source: _Source) -> Tensor:
        """Return attention weights [L, B, S]."""
        queries = match(hidden) * match.out_features**-0.5
        scores = torch.einsum("lbe,sbe->lbs", queries, source.outputs)
        return scores.masked_fill(~source.visible.t(), -torch.inf).softmax(dim=-1)

    def _step_from(self, source: _Source) -> Step:
        def step(symbols: Tensor, state: State) -> tuple[Tensor, State]:
            logits, state = self._write(symbols.unsqueeze(0), source, state)
            return logits[0].log_softmax(dim=-1), state

        return step
