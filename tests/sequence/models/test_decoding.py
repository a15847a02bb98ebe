"""Greedy and beam search over tables of probabilities whose best sequence is known."""

from itertools import pairwise

import pytest
import torch

from recurrent_rl.sequence.batch import IGNORED
from recurrent_rl.sequence.models.decoding import beam, greedy

END, A, B, BEGIN = 0, 1, 2, 3
TABLE = torch.tensor(
    [
        [1.0, 0.0, 0.0],  # after the end; never read for a sequence that counts
        [0.34, 0.33, 0.33],  # after A: anything
        [0.9, 0.05, 0.05],  # after B: the end
        [0.05, 0.5, 0.45],  # at first: A looks better than B, and B END is better than A END
    ]
).log()


def step(symbols, state):
    """The table, and a state that counts the steps."""
    return TABLE[symbols], (state[0] + 1,)


def run_beam(width, by=step, state=None, **options):
    state = torch.zeros(2 * width) if state is None else state
    begin = torch.full((2, width), BEGIN)
    return beam(by, (state,), begin, end=END, **{"max_length": 5, **options})


def run_greedy(**options):
    return greedy(step, (torch.zeros(2),), torch.full((2,), BEGIN), end=END, **{"max_length": 5, **options})


def test_greedy_takes_the_likeliest_symbol_and_stops_at_the_end():
    found = run_greedy()
    assert found.symbols.tolist() == [[A, A], [END, END]]
    torch.testing.assert_close(found.log_probabilities.exp(), torch.tensor([0.17, 0.17]))


def test_a_beam_of_two_finds_the_likelier_sequence_that_greedy_misses():
    found = run_beam(2)
    assert found.symbols.tolist() == [[B, B], [END, END]]
    torch.testing.assert_close(found.log_probabilities.exp(), torch.tensor([0.405, 0.405]))


def test_a_beam_of_one_is_greedy():
    found, expected = run_beam(1), run_greedy()
    assert torch.equal(found.symbols, expected.symbols)
    torch.testing.assert_close(found.log_probabilities, expected.log_probabilities)


def test_sequences_are_cut_at_the_greatest_length_without_an_end():
    assert run_greedy(max_length=1).symbols.tolist() == [[A, A]]
    assert run_beam(3, max_length=1).symbols.tolist() == [[A, A]]


def test_a_length_penalty_favours_longer_sequences():
    assert len(run_beam(50, length_penalty=0.0).symbols) == 2
    assert len(run_beam(50, length_penalty=30.0).symbols) == 5


def test_a_sequence_that_ended_early_is_padded_with_the_number_that_is_not_scored():
    def two(symbols, state):  # column 0 ends at once, column 1 after three symbols
        go_on = torch.tensor([-9.0, -0.1, -9.0])
        stop = torch.tensor([-0.1, -9.0, -9.0])
        return torch.where((state[0] >= state[1]).unsqueeze(1), stop, go_on), (state[0], state[1] - 1)

    state = (torch.zeros(2), torch.tensor([0.0, 2.0]))
    found = greedy(two, state, torch.full((2,), BEGIN), end=END, max_length=9)
    assert found.symbols.tolist() == [[END, A], [IGNORED, A], [IGNORED, END]]
    torch.testing.assert_close(found.log_probabilities, torch.tensor([-0.1, -0.3]))
    doubled = tuple(leaf.repeat_interleave(2) for leaf in state)
    searched = beam(two, doubled, torch.full((2, 2), BEGIN), end=END, max_length=9)
    assert torch.equal(searched.symbols, found.symbols)


def tree(path, seed):
    """Log-probabilities of the next symbol after a path, which share nothing with those after any other."""
    draw = torch.Generator().manual_seed(1000 * seed + int(path))
    return torch.randn(3, generator=draw).log_softmax(0)


def along_the_tree(seed):
    """A step whose state is the path so far."""

    def step(symbols, state):
        paths = 4 * state[0] + symbols
        return torch.stack([tree(path, seed) for path in paths]), (paths,)

    return step


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("width", [2, 4])
def test_states_follow_the_candidates_that_they_belong_to(width, seed):
    """The state is the path so far, and the score is that of the symbols found along it."""

    found = run_beam(width, state=torch.zeros(2 * width, dtype=torch.int64), by=along_the_tree(seed))
    path, total = 0, 0.0
    for before, symbol in pairwise([BEGIN, *found.symbols[:, 0].tolist()]):
        path = 4 * path + before
        total += tree(path, seed)[symbol].item()
    assert found.log_probabilities.tolist() == pytest.approx([total, total])


def textbook(width, seed, penalty, longest):
    """The best sequence of a beam, and its log-probability, kept in plain lists of (symbols, path as in tree, total)."""
    beams = [((), BEGIN, 0.0)]
    for _ in range(longest):
        grown = []
        for symbols, path, total in beams:
            if symbols[-1:] == (END,):
                grown.append((symbols, path, total))
                continue
            told = enumerate(tree(path, seed).tolist())
            grown += [((*symbols, symbol), 4 * path + symbol, total + gain) for symbol, gain in told]
        beams = sorted(grown, key=lambda beam: -beam[2] / ((5 + len(beam[0])) / 6) ** penalty)[:width]
    return list(beams[0][0]), beams[0][2]


@pytest.mark.parametrize("penalty", [0.0, 0.6, 2.0])
@pytest.mark.parametrize("width", [1, 2, 3, 7])
def test_a_beam_of_any_width_is_the_textbooks(width, penalty):
    for seed in range(10):
        state = torch.zeros(2 * width, dtype=torch.int64)
        found = run_beam(width, state=state, by=along_the_tree(seed), length_penalty=penalty)
        symbols, total = textbook(width, seed, penalty, longest=5)
        assert found.symbols[:, 0].tolist() == symbols
        assert found.log_probabilities.tolist() == pytest.approx([total, total])


@pytest.mark.parametrize("options", [{"max_length": 0}, {"width": 0}])
def test_lengths_and_widths_below_one_are_refused_by_name(options):
    with pytest.raises(ValueError, match=f"{next(iter(options))} must be"):
        run_beam(**{"width": 2, **options})
