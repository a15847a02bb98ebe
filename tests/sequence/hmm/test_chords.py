"""The filter's mixtures are the model's own likelihood of what comes next."""

import numpy as np
import pytest
import torch

from recurrent_rl.sequence.batch import Examples
from recurrent_rl.sequence.chords import NextChord
from recurrent_rl.sequence.hmm import HMM, Bernoulli, Categorical, log_likelihoods
from recurrent_rl.sequence.hmm.chords import HMMChordModel

NOTES, STATES = 4, 3


@pytest.fixture
def model():
    torch.manual_seed(0)
    return HMM(states=STATES, emission=Bernoulli(features=NOTES)).build()


def pieces(*lengths):
    rng = np.random.default_rng(0)
    return [(rng.random((length, NOTES)) < 0.5).astype(np.float32) for length in lengths]


def test_losses_sum_to_the_likelihood_of_all_but_the_first(model):
    sequences, problem = pieces(6, 2, 4), NextChord(NOTES, components=STATES)
    wanted = log_likelihoods(model, sequences) - log_likelihoods(model, [row[:1] for row in sequences])
    batch = problem.batch(Examples(sequences), range(3))
    predicted, _ = HMMChordModel(model)(batch.inputs, batch.lengths)
    assert predicted.shape == (5, 3, problem.output_size)
    assert problem.losses(predicted, batch).sum().item() == pytest.approx(-wanted.sum())
    rows = [predicted[: len(row) - 1, column].detach().numpy() for column, row in enumerate(sequences)]
    assert NextChord(NOTES).scores(rows, Examples(sequences))["nats"] == pytest.approx(-wanted.sum() / 9)


def test_a_stream_in_parts_gives_what_it_gives_whole(model):
    chords, lengths = torch.from_numpy(pieces(7)[0]).unsqueeze(1), torch.tensor
    predict = HMMChordModel(model)
    whole, _ = predict(chords, lengths([7]))
    first, state = predict(chords[:3], lengths([3]))
    second, _ = predict(chords[3:], lengths([4]), state)
    torch.testing.assert_close(torch.cat([first, second]), whole)


def test_other_emissions_are_refused():
    with pytest.raises(ValueError, match="needs Bernoulli emissions"):
        HMMChordModel(HMM(states=2, emission=Categorical(symbols=3)).build())
