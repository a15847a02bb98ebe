"""Pieces of a batch hold each step once, and pass each column's state on to itself."""

import pytest
import torch

from recurrent_rl.sequence.batch import Batch
from recurrent_rl.sequence.training.pieces import carried, pieces


def make_batch(lengths):
    """Return a batch whose inputs are 1000 t + b."""
    steps = torch.arange(max(lengths)).unsqueeze(1) * 1000 + torch.arange(len(lengths))
    return Batch(steps, torch.tensor(lengths), steps + 1)


@pytest.mark.parametrize("horizon", [1, 3, 4, 20])
def test_each_step_of_each_sequence_comes_once_and_in_order(horizon):
    lengths, seen = [7, 2, 12, 3], []
    for piece in pieces(make_batch(lengths), horizon):
        rows = piece.batch
        assert torch.equal(rows.targets, rows.inputs + 1)
        for column, length in enumerate(rows.lengths.tolist()):
            seen += rows.inputs[:length, column].tolist()
    assert sorted(seen) == sorted(1000 * t + b for b, length in enumerate(lengths) for t in range(length))
    for b in range(len(lengths)):
        assert [step for step in seen if step % 1000 == b] == [1000 * t + b for t in range(lengths[b])]


def test_states_follow_their_columns_without_their_history():
    state = None
    for piece in pieces(make_batch([7, 2, 12, 3]), 3):
        state = carried(state, piece.columns)
        column = piece.batch.inputs[0] % 1000
        if state is not None:
            assert state[0].tolist() == column.tolist()
            assert not state[0].requires_grad
        state = (column.float().requires_grad_() * 1.0,)


def test_targets_of_whole_sequences_cannot_be_cut():
    batch = Batch(torch.zeros(4, 2), torch.tensor([4, 4]), torch.tensor([0, 1]))
    with pytest.raises(ValueError, match="bptt_horizon"):
        next(pieces(batch, 2))
