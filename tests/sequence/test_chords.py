"""Chords: the loss is the likelihood of all notes together, padding counts nowhere, and mixtures are mixtures."""

import numpy as np
import pytest
import torch

from recurrent_rl.sequence.batch import Batch, Examples
from recurrent_rl.sequence.chords import NextChord, last_chord, note_frequencies

NOTES = 5


def pieces(*lengths, seed=0):
    rng = np.random.default_rng(seed)
    return Examples([(rng.random((length, NOTES)) < 0.4).astype(np.float32) for length in lengths])


def said(problem, examples, seed=0):
    """Return head's numbers for each piece, and the same as one batch."""
    rng = np.random.default_rng(seed)
    rows = [rng.normal(size=(len(piece) - 1, problem.output_size)).astype(np.float32) for piece in examples.inputs]
    longest = max(map(len, rows))
    padded = np.stack([np.pad(row, ((0, longest - len(row)), (0, 0)), constant_values=9.0) for row in rows], axis=1)
    return rows, torch.from_numpy(padded)


def by_hand(row, chord):
    """Return log p of a chord given its logits, note after note."""
    p = 1 / (1 + np.exp(-row.astype(np.float64)))
    return sum(np.log(p[note] if chord[note] else 1 - p[note]) for note in range(NOTES))


def test_the_next_chord_is_wanted_and_the_first_is_given():
    examples = pieces(4, 2)
    batch = NextChord(NOTES).batch(examples, [0, 1])
    assert batch.lengths.tolist() == [3, 1]
    np.testing.assert_array_equal(batch.inputs[:3, 0], examples.inputs[0][:-1])
    np.testing.assert_array_equal(batch.targets[:3, 0], examples.inputs[0][1:])
    assert batch.targets[1:, 1].isnan().all()


def test_the_score_is_the_sum_over_notes_and_the_mean_over_the_steps_of_all_pieces():
    problem, examples = NextChord(NOTES), pieces(4, 2)
    rows, _ = said(problem, examples)
    wanted = [by_hand(row[t], piece[t + 1]) for row, piece in zip(rows, examples.inputs) for t in range(len(row))]
    assert len(wanted) == 4
    assert problem.scores(rows, examples)["nats"] == pytest.approx(-np.mean(wanted))


@pytest.mark.parametrize("components", [1, 3])
def test_the_mean_loss_is_the_score(components):
    problem, examples = NextChord(NOTES, components), pieces(6, 2, 4)
    rows, padded = said(problem, examples)
    losses = problem.losses(padded, problem.batch(examples, range(3)))
    assert len(losses) == 9
    assert float(losses.mean()) == pytest.approx(problem.scores(rows, examples)["nats"], rel=1e-5)


def test_a_mixture_adds_up_the_likelihoods_of_its_components():
    problem, examples = NextChord(NOTES, components=2), pieces(2)
    row = said(problem, examples)[0][0]
    weights, chord = np.exp(row[0, :2]) / np.exp(row[0, :2]).sum(), examples.inputs[0][1]
    each = [np.exp(by_hand(logits, chord)) for logits in row[0, 2:].reshape(2, NOTES)]
    assert problem.scores([row], examples)["nats"] == pytest.approx(-np.log(weights @ each), rel=1e-5)


def test_a_mixture_of_equals_is_one_of_them():
    logits, weights = torch.randn(7, NOTES), torch.randn(7, 3)
    chords = (torch.rand(7, NOTES) < 0.5).float()
    mixed = torch.cat([weights, logits.repeat(1, 3)], dim=-1)
    one = NextChord(NOTES)
    torch.testing.assert_close(NextChord(NOTES, 3).log_probability(mixed, chords), one.log_probability(logits, chords))
    torch.testing.assert_close(one.probabilities(mixed), logits.sigmoid())


def test_probabilities_of_all_chords_sum_to_one():
    problem = NextChord(3, components=2)
    chords = torch.tensor([[bits >> note & 1 for note in range(3)] for bits in range(8)]).float()
    total = problem.log_probability(torch.randn(problem.output_size).expand(8, -1), chords).exp().sum()
    assert float(total) == pytest.approx(1, abs=1e-5)


def test_padding_changes_neither_losses_nor_gradients():
    problem, examples = NextChord(NOTES, 2), pieces(5, 2)
    batch, (_, padded) = problem.batch(examples, [0, 1]), said(problem, examples)
    found = []
    for value in (9.0, -50.0):
        rows = padded.clone()
        rows[1:, 1] = value
        rows.requires_grad_()
        losses = problem.losses(rows, batch)
        losses.mean().backward()
        assert (rows.grad[1:, 1] == 0).all()
        found.append([losses.detach(), rows.grad])
    torch.testing.assert_close(found[0], found[1])


def test_losses_have_no_nan_for_certain_wrong_notes():
    batch = Batch(torch.zeros(1, 1, 2), torch.tensor([1]), torch.tensor([[[1.0, 0.0]]]))
    predicted = torch.tensor([[[-500.0, 500.0]]], requires_grad=True)
    loss = NextChord(2).losses(predicted, batch)
    loss.sum().backward()
    assert loss.item() == pytest.approx(1000)
    assert predicted.grad.isfinite().all()


def test_f1_counts_notes_of_all_steps():
    examples = Examples([np.array([[0, 0, 0], [1, 1, 0], [0, 1, 0]], dtype=np.float32)])
    rows = [np.array([[5.0, -5.0, 5.0], [-5.0, 5.0, -5.0]])]  # hits 2 of 3 notes there, of 3 said
    assert NextChord(3).scores(rows, examples)["f1"] == pytest.approx(100 * 4 / 6)


def test_silence_that_is_foretold_has_no_notes_to_count():
    silent = Examples([np.zeros((3, NOTES), dtype=np.float32)])
    assert NextChord(NOTES).scores([np.full((2, NOTES), -9.0)], silent)["f1"] == 0


def test_the_floors_are_those_of_counting():
    train = Examples([np.array([[0, 1], [1, 1], [0, 1]], dtype=np.float32)])
    test = Examples([np.array([[1, 1], [0, 1], [0, 0]], dtype=np.float32)])
    share = np.array([1.5, 2.5]) / 3  # of the two scored chords, with half a one and half a zero more
    wanted = [np.log(1 - share[0]) + np.log(share[1]), np.log(1 - share[0]) + np.log(1 - share[1])]
    assert note_frequencies(train, test) == pytest.approx(-np.mean(wanted))
    off, on = np.array([1.5 / 2, 0.5]), np.array([0.5 / 2, 2.5 / 3])
    wanted = [np.log(1 - on[0]) + np.log(on[1]), np.log(1 - off[0]) + np.log(1 - on[1])]
    assert last_chord(train, test) == pytest.approx(-np.mean(wanted))
