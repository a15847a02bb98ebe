"""What is generated is distributed as the model says, and a carried state goes on as one run does."""

from itertools import product

import numpy as np
import pytest
import torch
from scipy.stats import chisquare

from recurrent_rl.memory import GRU, LSTM
from recurrent_rl.sequence.batch import Batch, Examples
from recurrent_rl.sequence.chords import NextChord
from recurrent_rl.sequence.frames import NextFrame
from recurrent_rl.sequence.generation import generate
from recurrent_rl.sequence.hmm import HMM, Bernoulli, HMMChordModel, HMMLanguageModel, HMMNetwork, language_spec
from recurrent_rl.sequence.models import (
    TCN,
    Bag,
    Inputs,
    Recurrent,
    SequenceNetwork,
    Transformer,
    WindowedMLP,
)
from recurrent_rl.sequence.problems import NextStep, Tagging
from recurrent_rl.sequence.sampling import Sampling

SYMBOLS, NOTES = 3, 4
SPECS = [
    Recurrent(memory=LSTM(hidden_size=4)),
    Bag(hidden_size=4),
    Transformer(hidden_size=8),
    TCN(hidden_size=4),
    WindowedMLP(hidden_size=4, window=3),
]


def strong(network):
    """The network with strong opinions, ready to train."""
    torch.manual_seed(0)
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.normal_()
    return network.train()


def of_symbols(spec):
    return strong(SequenceNetwork(spec, Inputs(symbols=SYMBOLS, size=4, dropout=0.5), NextStep(SYMBOLS)))


def hidden_markov():
    torch.manual_seed(0)
    return HMMNetwork(HMMLanguageModel(strong(language_spec(4, SYMBOLS).build())))


NETWORKS = [*map(of_symbols, SPECS), hidden_markov()]
IDS = [*(type(spec).__name__ for spec in SPECS), "HMM"]


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def prompt(columns):
    return torch.tensor([0, 2, 1, 1]).unsqueeze(1).expand(-1, columns)


def probability(network, rows):
    """p(row after the prompt) of each row [N, L], by teacher forcing."""
    whole = torch.cat([prompt(len(rows)), rows.t()])
    with torch.no_grad():
        said, _ = network.eval()(Batch(whole[:-1], torch.full((len(rows),), len(whole) - 1)), None)
    chosen = said.log_softmax(-1)[3:].gather(-1, rows.t().unsqueeze(-1)).squeeze(-1)
    return chosen.sum(0).exp().double()


@pytest.mark.parametrize("network", NETWORKS, ids=IDS)
def test_sequences_are_as_frequent_as_the_model_says(network):
    draws = 3000
    found = generate(network, prompt(draws), 3, generator=seeded()).steps
    rows = torch.tensor(list(product(range(SYMBOLS), repeat=3)))
    counts = torch.bincount((found * torch.tensor([9, 3, 1]).unsqueeze(1)).sum(0), minlength=27)
    expected = draws * probability(network, rows)
    often = expected > 5
    pooled = [torch.cat([of[often], of[~often].sum().unsqueeze(0)]) for of in (counts.double(), expected)]
    assert often.sum() > 3
    assert chisquare(pooled[0] + 1e-9, (pooled[1] + 1e-9) * pooled[0].sum() / pooled[1].sum()).pvalue > 0.001


@pytest.mark.parametrize("network", NETWORKS, ids=IDS)
def test_the_likeliest_are_those_of_teacher_forcing(network):
    found = generate(network, prompt(1), 6, temperature=0.0).steps
    whole = torch.cat([prompt(1), found])
    said, _ = network.eval()(Batch(whole[:-1], torch.tensor([len(whole) - 1])), None)
    assert torch.equal(said.argmax(-1)[3:], found)


@pytest.mark.parametrize("network", [NETWORKS[0], NETWORKS[1], NETWORKS[-1]], ids=[IDS[0], IDS[1], IDS[-1]])
def test_a_carried_state_goes_on_as_one_run_does(network):
    whole = generate(network, prompt(6), 9, generator=seeded(5)).steps
    generator = seeded(5)
    first = generate(network, prompt(6), 4, generator=generator)
    second = generate(network, first.steps[-1:], 5, generator=generator, state=first.state)
    assert torch.equal(torch.cat([first.steps, second.steps]), whole)


@pytest.mark.parametrize("network", [NETWORKS[0], NETWORKS[-1]], ids=[IDS[0], IDS[-1]])
def test_a_prompt_in_pieces_is_the_prompt(network):
    rows = prompt(6)
    _, state = network.eval()(Batch(rows[:2], torch.full((6,), 2)), None)
    pieces = generate(network, rows[2:], 5, generator=seeded(), state=state).steps
    assert torch.equal(pieces, generate(network, rows, 5, generator=seeded()).steps)


def test_it_reads_in_evaluation_mode_without_gradients_and_leaves_the_mode():
    network = of_symbols(SPECS[0])
    found = generate(network, prompt(2), 3, temperature=0.0)
    assert network.training
    assert not found.state[0].requires_grad
    network.eval()
    assert torch.equal(generate(network, prompt(2), 3, temperature=0.0).steps, found.steps)
    assert not network.training


def test_chords_are_drawn_together_with_their_component():
    """Of a mixture of two chords that share no note, no draw has notes of both."""
    problem = NextChord(NOTES, components=2)
    logits = torch.tensor([[9.0, 9.0, -9.0, -9.0], [-9.0, -9.0, 9.0, 9.0]])
    said = torch.cat([torch.tensor([0.0, 1.0]), logits.flatten()]).expand(4000, -1)
    drawn = problem.draw(said, torch.zeros(4000, NOTES), Sampling(generator=seeded()))
    first, second = drawn[:, 0] == 1, drawn[:, 2] == 1
    assert (first ^ second).float().mean() > 0.99
    assert second.float().mean().item() == pytest.approx(torch.tensor(1.0).sigmoid().item(), abs=0.03)


def test_chords_go_on_of_networks_and_of_hidden_markov_models():
    torch.manual_seed(0)
    spec = Recurrent(memory=GRU(hidden_size=4))
    network = SequenceNetwork(spec, Inputs(features=NOTES), NextChord(NOTES, components=2))
    model = HMMNetwork(HMMChordModel(HMM(states=3, emission=Bernoulli(features=NOTES)).build()))
    for one in (network, model):
        found = generate(one, torch.ones(2, 5, NOTES), 3, generator=seeded()).steps
        assert found.shape == (3, 5, NOTES)
        assert set(found.unique().tolist()) <= {0.0, 1.0}


def test_a_film_goes_on_by_what_is_foretold():
    problem = NextFrame(pixels=4, scale=0.5)
    film = np.random.default_rng(0).random((5, 4)).astype(np.float32)
    batch = problem.batch(Examples([film]), [0])

    class Oracle(torch.nn.Module):
        """Says the true changes, one for each step that it has read."""

        def __init__(self):
            super().__init__()
            self.problem, self.nothing = problem, torch.nn.Parameter(torch.zeros(()))

        def forward(self, read, state):
            seen = int(state[0]) if state else 0
            return batch.targets[seen : seen + len(read.inputs)], (torch.tensor(seen + len(read.inputs)),)

    found = generate(Oracle(), batch.inputs[:2], 3).steps
    np.testing.assert_allclose(found[:, 0, :4].numpy(), film[2:], atol=1e-6)


@pytest.mark.parametrize(
    ("rows", "length", "message"),
    [
        (torch.zeros(0, 2, dtype=torch.int64), 3, "A prompt"),
        (torch.zeros(2, dtype=torch.int64), 3, "A prompt"),
        (torch.zeros(2, 2, dtype=torch.int64), 0, "length of at least 1"),
        (torch.full((2, 2), SYMBOLS), 3, "Symbols must be from 0 to 2; they are from 3 to 3"),
    ],
)
def test_what_is_no_prompt_is_refused(rows, length, message):
    with pytest.raises(ValueError, match=message):
        generate(NETWORKS[0], rows, length)


def test_a_network_of_another_problem_is_refused():
    tagger = SequenceNetwork(SPECS[0], Inputs(symbols=SYMBOLS), Tagging(2))
    with pytest.raises(ValueError, match=r"of the next step is needed; SequenceNetwork is of Tagging"):
        generate(tagger, prompt(2), 3)


def test_a_model_without_a_state_cannot_go_on_from_one():
    with pytest.raises(ValueError, match="cannot go on from a state"):
        generate(NETWORKS[2], prompt(2), 3, state=(torch.zeros(2, 4),))


@pytest.mark.parametrize("network", [NETWORKS[0], NETWORKS[-1]], ids=[IDS[0], IDS[-1]])
def test_symbols_are_whole_numbers(network):
    with pytest.raises(ValueError, match="whole numbers"):
        generate(network, prompt(2) + 0.9, 3)


@pytest.mark.parametrize(
    "bad", [torch.full((2, 1, NOTES), 60.0), torch.zeros(2, 1, NOTES - 1), torch.zeros(2, 1).long()]
)
def test_chords_are_bits_of_all_notes(bad):
    model = HMMNetwork(HMMChordModel(HMM(states=3, emission=Bernoulli(features=NOTES)).build()))
    with pytest.raises(ValueError, match=r"Chords must be 0 and 1, float32 \[T, B, 4\]"):
        generate(model, bad, 3)


def test_a_prompt_may_be_an_array():
    found = generate(NETWORKS[0], prompt(2).numpy(), 3, temperature=0.0).steps
    assert torch.equal(found, generate(NETWORKS[0], prompt(2), 3, temperature=0.0).steps)
    with pytest.raises(ValueError, match="A prompt"):
        generate(NETWORKS[0], prompt(0), 3)


def test_an_error_leaves_the_network_in_its_mode():
    network = of_symbols(SPECS[0])
    with pytest.raises(ValueError, match="the state's leaf"):
        generate(network, prompt(2), 3, state=(torch.zeros(9, 9),))
    assert network.training
