"""The head of chords begins from what training holds, and gives a mixture."""

import numpy as np
import pytest
import torch

from recurrent_rl.sequence.batch import Examples
from recurrent_rl.sequence.chord_head import ChordTable
from recurrent_rl.sequence.chords import NextChord

NOTES, CHORDS = 6, 3


@pytest.fixture
def head():
    torch.manual_seed(0)
    return ChordTable(4, NOTES, CHORDS)


def three_chords():
    chords = np.eye(NOTES, dtype=np.float32)[[0, 2, 4]] + np.eye(NOTES, dtype=np.float32)[[1, 3, 5]]
    return Examples([chords[np.arange(30) % 3], chords[np.arange(20) % 3]]), chords


def test_it_gives_weights_and_a_table_for_each_row(head):
    said = torch.randn(5, 2, 4)
    numbers = head(said)
    assert numbers.shape == (5, 2, NextChord(NOTES, CHORDS).output_size)
    torch.testing.assert_close(numbers[..., :CHORDS], head.weights(said))
    torch.testing.assert_close(numbers[..., CHORDS:], head.table.flatten().expand(5, 2, -1))


def test_what_a_model_gives_moves_a_note_in_all_chords_alike(head):
    torch.nn.init.normal_(head.notes.weight)
    said = torch.randn(1, 4)
    moved = head(said)[0, CHORDS:].unflatten(0, (CHORDS, NOTES)) - head.table
    torch.testing.assert_close(moved, head.notes(said).expand(CHORDS, NOTES))


def test_the_table_begins_as_the_chords_of_training(head):
    train, chords = three_chords()
    problem = NextChord(NOTES, CHORDS)
    problem.begin(head, train)
    found = (head.table > 0).float().detach().numpy()
    assert {tuple(row) for row in found} == {tuple(row) for row in chords}


def test_a_head_of_independent_notes_begins_as_it_is():
    problem, (train, _) = NextChord(NOTES), three_chords()
    head = problem.head(4)
    before = head.weight.clone()
    problem.begin(head, train)
    torch.testing.assert_close(head.weight, before)
