"""Sequence to sequence: decoding agrees with teacher forcing, and a wide beam with enumeration."""

from itertools import product

import pytest
import torch

from recurrent_rl.memory import GRU, LSTM, Attention, FrameWindow, MinGRU, Stack
from recurrent_rl.sequence.batch import IGNORED, Batch, pad
from recurrent_rl.sequence.models import Bidirectional, EncoderDecoder, Inputs, Recurrent, Transformer

SYMBOLS, END, LONGEST = 3, 1, 4
SPECS = [
    EncoderDecoder(encoder=Bidirectional(memory=GRU(hidden_size=4)), decoder=GRU(hidden_size=5), size=3),
    EncoderDecoder(encoder=Bidirectional(memory=LSTM(hidden_size=4)), decoder=GRU(hidden_size=5), attention=False),
    EncoderDecoder(encoder=Recurrent(memory=MinGRU(hidden_size=4)), decoder=LSTM(hidden_size=5, num_layers=2)),
    EncoderDecoder(
        encoder=Transformer(hidden_size=8, causal=False), decoder=Stack([FrameWindow(2), Attention(hidden_size=4)])
    ),
]


def make(spec, seed=0):
    """A network with strong opinions."""
    torch.manual_seed(seed)
    network = spec.build(Inputs(symbols=6, size=3), SYMBOLS, END).double().eval()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.normal_()
    return network


def sources(columns=3):
    lengths = torch.tensor([5, 1, 3, 2, 4][:columns])
    return Batch(torch.randint(6, (5, columns)), lengths)


def with_targets(batch, targets):
    return Batch(batch.inputs, batch.lengths, targets)


def every_sequence():
    """All sequences of at most LONGEST symbols: with the end symbol last, or cut."""
    rest = [symbol for symbol in range(SYMBOLS) if symbol != END]
    ended = [(*row, END) for n in range(LONGEST) for row in product(rest, repeat=n)]
    return ended + list(product(rest, repeat=LONGEST))


def scores_of_all(network, batch, column):
    """log p of every sequence for one source, by teacher forcing, and the sequences [L, N]."""
    rows = every_sequence()
    targets = pad([torch.tensor(row).numpy() for row in rows], IGNORED)
    length = batch.lengths[column].item()
    source = batch.inputs[:length, column : column + 1].expand(-1, len(rows))
    repeated = Batch(source, torch.full((len(rows),), length), targets)
    return network.log_probabilities(repeated), targets


@pytest.mark.parametrize("spec", SPECS, ids=repr)
def test_probabilities_of_all_sequences_sum_to_one(spec):
    network, batch = make(spec), sources()
    for column in range(3):
        assert abs(scores_of_all(network, batch, column)[0].exp().sum().item() - 1) < 1e-10


@pytest.mark.parametrize("penalty", [0.0, 0.7, 3.0])
@pytest.mark.parametrize("spec", SPECS, ids=repr)
def test_a_beam_as_wide_as_all_sequences_finds_the_best_of_them(spec, penalty):
    for seed in range(3):
        network, batch = make(spec, seed), sources()
        found = network.beam(batch, SYMBOLS**LONGEST, LONGEST, penalty)
        for column in range(3):
            log_p, targets = scores_of_all(network, batch, column)
            lengths = (targets != IGNORED).sum(0)
            best = (log_p / ((5 + lengths) / 6) ** penalty).argmax()
            symbols = found.symbols[:, column]
            assert symbols[symbols != IGNORED].tolist() == targets[: lengths[best], best].tolist()
            torch.testing.assert_close(found.log_probabilities[column], log_p[best])


@pytest.mark.parametrize("spec", SPECS, ids=repr)
def test_a_beam_of_one_is_greedy(spec):
    for seed in range(5):
        network, batch = make(spec, seed), sources(5)
        found, expected = network.beam(batch, 1, 8), network.greedy(batch, 8)
        assert torch.equal(found.symbols, expected.symbols)
        torch.testing.assert_close(found.log_probabilities, expected.log_probabilities)


@pytest.mark.parametrize("width", [None, 1, 2, 5])
@pytest.mark.parametrize("spec", SPECS, ids=repr)
def test_scores_are_what_teacher_forcing_gives_to_the_same_symbols(spec, width):
    for seed in range(2):
        network, batch = make(spec, seed), sources(5)
        found = network.greedy(batch, 7) if width is None else network.beam(batch, width, 7, 0.5)
        scores = network.log_probabilities(with_targets(batch, found.symbols))
        torch.testing.assert_close(scores, found.log_probabilities)


@pytest.mark.parametrize("spec", SPECS, ids=repr)
def test_greedy_symbols_are_the_likeliest_under_teacher_forcing(spec):
    network, batch = make(spec), sources(5)
    found = network.greedy(batch, 7).symbols
    logits, state = network(with_targets(batch, found))
    assert state is None
    assert logits.shape == (len(found), 5, SYMBOLS)
    scored = found != IGNORED
    assert torch.equal(logits.argmax(-1)[scored], found[scored])


@pytest.mark.parametrize("spec", SPECS, ids=repr)
def test_padding_of_the_source_changes_nothing(spec):
    network, batch = make(spec), with_targets(sources(5), torch.randint(SYMBOLS, (4, 5)))
    rows = torch.cat([batch.inputs, torch.zeros(3, 5, dtype=torch.int64)])
    within = torch.arange(8).unsqueeze(1) < batch.lengths
    other = Batch(torch.where(within, rows, 5), batch.lengths, batch.targets)
    torch.testing.assert_close(network(other)[0], network(batch)[0])
    if not spec.attention:
        return
    weights = network.attention_weights(other)
    torch.testing.assert_close(weights[..., :5], network.attention_weights(batch))
    assert (weights[..., 5:] == 0).all()
    assert torch.equal(network.greedy(other, 6).symbols, network.greedy(batch, 6).symbols)
    assert torch.equal(network.beam(other, 3, 6).symbols, network.beam(batch, 3, 6).symbols)


@pytest.mark.parametrize("spec", SPECS, ids=repr)
def test_padding_of_sources_and_targets_changes_neither_scores_nor_gradients(spec):
    network, batch, found = make(spec), sources(), []
    targets = torch.tensor([[0, 2, END], [END, 0, IGNORED], [IGNORED, END, IGNORED]])
    within = torch.arange(7).unsqueeze(1) < batch.lengths
    inputs = torch.where(within, torch.cat([batch.inputs, torch.zeros(2, 3, dtype=torch.int64)]), 4)
    longer = torch.cat([targets, torch.full((2, 3), IGNORED)])
    for padded in (with_targets(batch, targets), Batch(inputs, batch.lengths, longer)):
        scores = network.log_probabilities(padded)
        found.append([scores, *torch.autograd.grad(scores.square().sum(), list(network.parameters()))])
    torch.testing.assert_close(*found, atol=1e-10, rtol=1e-10)


@pytest.mark.parametrize("spec", SPECS, ids=repr)
def test_logits_see_no_target_at_their_own_place_or_later(spec):
    network, batch = make(spec), with_targets(sources(), torch.zeros(4, 3, dtype=torch.int64))
    logits, _ = network(batch)
    for place in range(4):
        targets = batch.targets.clone()
        targets[place:] = 2
        other, _ = network(with_targets(batch, targets))
        torch.testing.assert_close(other[: place + 1], logits[: place + 1])
        assert place == 3 or not torch.allclose(other[place + 1], logits[place + 1])


def test_attention_weights_sum_to_one_over_each_sources_own_steps():
    network, batch = make(SPECS[0]), with_targets(sources(5), torch.randint(SYMBOLS, (4, 5)))
    weights = network.attention_weights(batch)
    assert weights.shape == (4, 5, 5)
    torch.testing.assert_close(weights.sum(-1), torch.ones(4, 5, dtype=torch.float64))
    for column, length in enumerate(batch.lengths.tolist()):
        assert (weights[:, column, length:] == 0).all()


def test_columns_are_decoded_independently():
    network, batch = make(SPECS[0]), sources(5)
    found = network.beam(batch, 3, 6)
    for column in range(5):
        alone = Batch(batch.inputs[:, column : column + 1], batch.lengths[column : column + 1])
        torch.testing.assert_close(network.beam(alone, 3, 6).log_probabilities[0], found.log_probabilities[column])


def test_bad_calls_say_what_to_change():
    with pytest.raises(ValueError, match="end symbol must be one of the 3"):
        SPECS[0].build(Inputs(symbols=6), 3, end=3)
    with pytest.raises(ValueError, match="use greedy or beam"):
        make(SPECS[0])(sources())
    with pytest.raises(ValueError, match="use greedy or beam"):
        make(SPECS[0]).log_probabilities(sources())
    with pytest.raises(ValueError, match="lengths must be from 1 to 3"):
        make(SPECS[0]).greedy(Batch(torch.zeros(3, 2, dtype=torch.int64), torch.tensor([3, 0])), 4)
    with pytest.raises(ValueError, match="size must"):
        EncoderDecoder(size=0)


@pytest.mark.slow
def test_a_small_network_learns_to_reverse():
    torch.manual_seed(0)
    spec = EncoderDecoder(encoder=Bidirectional(memory=GRU(hidden_size=32)), decoder=GRU(hidden_size=32))
    network = spec.build(Inputs(symbols=8), 9, end=8)
    optimiser = torch.optim.Adam(network.parameters(), lr=5e-3)

    def batch():
        lengths = torch.randint(2, 9, (64,))
        rows = [torch.randint(8, (int(n),)) for n in lengths]
        targets = [torch.cat([row.flip(0), torch.tensor([8])]).numpy() for row in rows]
        return Batch(pad([row.numpy() for row in rows]), lengths, pad(targets, IGNORED))

    for _ in range(400):
        loss = -network.log_probabilities(drawn := batch()).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    network.eval()
    drawn = batch()
    found = network.beam(drawn, 3, 9).symbols
    wanted, rest = drawn.targets[: len(found)], drawn.targets[len(found) :]
    assert ((found == wanted).all(0) & (rest == IGNORED).all(0)).float().mean() > 0.95


def test_without_attention_only_the_summary_tells_of_the_source_and_nothing_is_looked_at():
    spec = EncoderDecoder(encoder=Recurrent(memory=GRU(hidden_size=4)), decoder=GRU(hidden_size=5), attention=False)
    network, batch = make(spec), sources()
    network.encoder.summary = lambda outputs, lengths: torch.ones(3, 4, dtype=torch.float64)
    targets = pad([torch.tensor([0, END]).numpy()] * 3, IGNORED)
    logits, _ = network(with_targets(batch, targets))
    torch.testing.assert_close(logits, logits[:, :1].expand_as(logits))
    with pytest.raises(ValueError, match="looks nowhere: build it with attention=True"):
        network.attention_weights(with_targets(batch, targets))
