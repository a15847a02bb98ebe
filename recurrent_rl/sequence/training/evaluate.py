"""What a network says of examples."""

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor, nn

from recurrent_rl.sequence.batch import Array, Batch, Examples, batches
from recurrent_rl.sequence.models.base import evaluating
from recurrent_rl.sequence.problems import Problem
from recurrent_rl.sequence.training.pieces import carried, pieces

EVALUATED_AT_ONCE = 64  # sequences, of similar length


@torch.no_grad()
def predict(
    network: nn.Module,
    problem: Problem,
    examples: Examples,
    horizon: int | None = None,
    size: int = EVALUATED_AT_ONCE,
) -> list[Array]:
    """Return the head's numbers for each example, [T, K] or [K], in evaluation mode and without padding.

    Args:
        network: Of `SequenceNetwork`'s call.
        problem: What it is asked.
        examples: Of any lengths.
        horizon: Longer sequences are read in pieces of so many steps, with the state carried on: the same for a model that
            carries all it needs, and what a model without a state was trained for. None reads them whole.
        size: Sequences at once.
    """
    device = next(network.parameters()).device
    found: list[Array] = [np.empty(0)] * len(examples)
    with evaluating(network):
        for indices in batches([len(row) for row in examples.inputs], size, None):
            batch = problem.batch(examples, indices).to(device)
            rows = _rows(network, batch, horizon if problem.per_step else None)
            for column, index in enumerate(indices):
                found[index] = np.concatenate(rows[column]) if problem.per_step else rows[column][0]
    return found


def _rows(network: nn.Module, batch: Batch, horizon: int | None) -> list[list[Array]]:
    """Return for each column what the network says of it, piece after piece: [T, K] each, or [K]."""
    rows: list[list[Array]] = [[] for _ in batch.lengths]
    for columns, part, predicted in _read(network, batch, horizon):
        numbers, lengths = predicted.cpu().numpy(), part.lengths if part.target_lengths is None else part.target_lengths
        for place, column in enumerate(columns.tolist()):
            rows[column].append(numbers[: lengths[place], place] if numbers.ndim == 3 else numbers[place])
    return rows


def _read(network: nn.Module, batch: Batch, horizon: int | None) -> Iterator[tuple[Tensor, Batch, Tensor]]:
    """Yield columns of the batch, what of them was read, and what was said."""
    going = torch.arange(len(batch.lengths))
    if horizon is None or len(batch.inputs) <= horizon:
        yield going, batch, network(batch, None)[0]
        return
    state = None
    for piece in pieces(batch, horizon):
        going = going if piece.columns is None else going[piece.columns]
        predicted, state = network(piece.batch, carried(state, piece.columns))
        yield going, piece.batch, predicted
