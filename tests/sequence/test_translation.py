"""A network learns to write what it read in reverse, and what it wrote is compared symbol by symbol."""

import numpy as np
import pytest
import torch

from recurrent_rl.memory import GRU
from recurrent_rl.sequence.batch import IGNORED, Examples
from recurrent_rl.sequence.models import Bidirectional, EncoderDecoder, Inputs
from recurrent_rl.sequence.training import TrainConfig, Trainer, predict
from recurrent_rl.sequence.translation import Translation, edit_distance, error_rates, write

PROBLEM = Translation(symbols=6)  # five letters and the end


def words(count, seed):
    rng = np.random.default_rng(seed)
    inputs = [rng.integers(5, size=rng.integers(1, 6)) for _ in range(count)]
    return Examples(inputs, [row[::-1].copy() for row in inputs])


def network():
    torch.manual_seed(0)
    spec = EncoderDecoder(encoder=Bidirectional(memory=GRU(hidden_size=24)), decoder=GRU(hidden_size=32), size=12)
    return spec.build(Inputs(symbols=5, size=12), PROBLEM.symbols, PROBLEM.end)


def test_a_batch_ends_every_target_and_ignores_what_is_after():
    batch = PROBLEM.batch(Examples([np.array([3]), np.array([1, 2])], [np.array([4, 4]), np.array([0])]), [0, 1])
    assert batch.targets.t().tolist() == [[4, 4, 5], [0, 5, IGNORED]]
    assert batch.target_lengths.tolist() == [3, 2]


def test_a_trained_network_writes_words_in_reverse_greedily_and_by_beam():
    one, held_out = network(), words(200, 1)
    config = TrainConfig(learning_rate=1e-2, steps=500, batch_size=32, evaluate_every=100)
    fitted = Trainer(one, PROBLEM, "nats", False, config).fit(words(2000, 0), words(100, 2))
    assert fitted.score < 0.1
    for beam_width in (1, 3):
        found = write(one, PROBLEM, held_out, max_length=8, beam_width=beam_width)
        assert error_rates(found, held_out.targets)["sequence_error"] < 15


def test_predictions_are_as_long_as_the_targets():
    examples = Examples([np.array([1, 2, 3, 4]), np.array([1])], [np.array([0]), np.array([2, 2, 2, 2, 2])])
    assert [row.shape for row in predict(network(), PROBLEM, examples)] == [(2, 6), (6, 6)]


@pytest.mark.parametrize(
    ("first", "second", "distance"),
    [("kitten", "sitting", 3), ("", "abc", 3), ("abc", "", 3), ("flaw", "lawn", 2), ("same", "same", 0), ("", "", 0)],
)
def test_the_edit_distance_counts_the_least_changes(first, second, distance):
    assert edit_distance(np.array(list(first)), np.array(list(second))) == distance


def test_error_rates_are_of_all_symbols_and_of_whole_sequences():
    found = error_rates([np.array([1, 2]), np.array([1])], [np.array([1, 2]), np.array([1, 2, 3])])
    assert found == {"sequence_error": 50.0, "symbol_error": 40.0}


def test_errors_without_a_wanted_symbol_are_refused():
    for nothing in ([], [np.empty(0)]):
        with pytest.raises(ValueError, match="here none is"):
            error_rates(nothing, nothing)


def test_what_is_read_needs_no_targets_to_be_written():
    one, examples = network(), words(5, 3)
    found = write(one, PROBLEM, Examples(examples.inputs), max_length=4)
    assert [row.tolist() for row in found] == [row.tolist() for row in write(one, PROBLEM, examples, max_length=4)]


def test_an_error_leaves_the_network_in_its_mode():
    one = network().train()
    with pytest.raises(IndexError):
        write(one, PROBLEM, Examples([np.array([7])]), max_length=4)
    assert one.training
