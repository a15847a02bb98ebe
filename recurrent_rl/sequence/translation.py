"""Sequence to sequence: other symbols, of another number, for a whole sequence."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from recurrent_rl.sequence.batch import IGNORED, Array, Batch, Examples, batches, pad
from recurrent_rl.sequence.models.base import evaluating
from recurrent_rl.sequence.models.encoder_decoder import EncoderDecoderNetwork
from recurrent_rl.sequence.problems import Problem, Scores, Tagging, pad_inputs, targets_of


@dataclass(frozen=True)
class Translation(Problem):
    """Symbols for a sequence. Targets: [L] int64 below `symbols` - 1, L >= 0; the last symbol, `symbols` - 1, ends them.

    Scores of the symbols given those before them, the end among them: nats, and accuracy in percent. What a network writes
    by itself, `write` tells, and `error_rates` how wrong it is.

    One to many is the case of inputs of one step.
    """

    symbols: int
    per_step = True

    @property
    def output_size(self) -> int:  # type: ignore[override]
        """One logit for each symbol."""
        return self.symbols

    @property
    def end(self) -> int:
        """The symbol after which nothing is written."""
        return self.symbols - 1

    def batch(self, examples: Examples, indices: Sequence[int] | Array) -> Batch:
        """See `Problem.batch`; targets are [L, B]."""
        inputs, lengths = pad_inputs(examples, indices)
        wanted = [self._ended(targets_of(examples)[int(index)]) for index in indices]
        return Batch(inputs, lengths, pad(wanted, IGNORED), torch.tensor([len(row) for row in wanted]))

    def losses(self, predicted: torch.Tensor, batch: Batch) -> torch.Tensor:
        """Return cross-entropies [N] of the symbols, in nats."""
        return Tagging(self.symbols).losses(predicted, batch)

    def scores(self, predicted: Sequence[Array], examples: Examples) -> Scores:
        """See `Problem.scores`."""
        wanted = [self._ended(row) for row in targets_of(examples)]
        return Tagging(self.symbols).scores(predicted, Examples(wanted, wanted))

    def _ended(self, target: Array) -> Array:
        return np.append(np.asarray(target, dtype=np.int64), self.end)


def write(
    network: EncoderDecoderNetwork, problem: Translation, examples: Examples, *, max_length: int, beam_width: int = 1
) -> list[Array]:
    """Return what a network writes for each example by itself, [L] int64 without the end symbol.

    Args:
        network: Trained for the problem.
        problem: What it is trained for.
        examples: What is read; targets are not looked at.
        max_length: Symbols after which writing stops.
        beam_width: Candidates that are held on to; 1 takes the likeliest symbol each time.
    """
    device = next(network.parameters()).device
    found: list[Array] = [np.empty(0, dtype=np.int64)] * len(examples)
    with evaluating(network):
        for indices in batches([len(row) for row in examples.inputs], 64, None):
            batch = Batch(*pad_inputs(examples, indices)).to(device)
            one = beam_width == 1
            decoded = network.greedy(batch, max_length) if one else network.beam(batch, beam_width, max_length)
            symbols = decoded.symbols.cpu().numpy()
            for column, index in enumerate(indices):
                row = symbols[:, column]
                found[index] = row[(row != IGNORED) & (row != problem.end)]
    return found


def error_rates(found: Sequence[Array], wanted: Sequence[Array]) -> Scores:
    """Return, in percent, how many sequences are wrong, and how many symbols.

        symbol_error = 100 sum_i distance(found[i], wanted[i]) / sum_i len(wanted[i])

    with the least number of symbols to insert, leave out or change (Levenshtein).

    Raises:
        ValueError: No symbol is wanted, so that there is nothing to share errors among.

    Source: Levenshtein 1966, Binary Codes Capable of Correcting Deletions, Insertions, and Reversals.
    """
    distances = [edit_distance(one, two) for one, two in zip(found, wanted, strict=True)]
    symbols = sum(len(row) for row in wanted)
    if symbols == 0:
        raise ValueError("Error rates are shares of the symbols that are wanted, and here none is.")
    return {
        "sequence_error": 100.0 * float(np.mean([distance > 0 for distance in distances])),
        "symbol_error": 100.0 * sum(distances) / symbols,
    }


def edit_distance(first: Array, second: Array) -> int:
    """Return the least number of symbols to insert, leave out or change that make `second` of `first`."""
    row = np.arange(len(second) + 1)
    for symbol in first:
        change = row[:-1] + (np.asarray(second) != symbol)
        best = np.concatenate([[row[0] + 1], np.minimum(change, row[1:] + 1)])
        # An insertion costs one for each place: the least of best[k] + (j - k) over k <= j.
        row = np.minimum.accumulate(best - np.arange(len(best))) + np.arange(len(best))
    return int(row[-1])
