"""Networks differ by their model alone, and padding changes neither their loss nor its gradients."""

import numpy as np
import pytest
import torch

from recurrent_rl.memory import GRU, LSTM, Attention
from recurrent_rl.sequence.batch import IGNORED, Batch, Examples
from recurrent_rl.sequence.models import (
    TCN,
    Bag,
    Bidirectional,
    Inputs,
    PerStep,
    Recurrent,
    SequenceNetwork,
    Transformer,
    WindowedMLP,
)
from recurrent_rl.sequence.problems import Classification, NextStep, Regression, Tagging

CAUSAL = [
    Recurrent(memory=GRU(hidden_size=4)),
    Recurrent(memory=Attention(hidden_size=4), mean=True),
    Transformer(hidden_size=8),
    TCN(hidden_size=4),
    WindowedMLP(hidden_size=4),
    Bag(hidden_size=4),
    PerStep(hidden_size=4),
]
AHEAD = [
    Bidirectional(memory=LSTM(hidden_size=4)),
    Bidirectional(memory=GRU(hidden_size=4), mean=True),
    Transformer(hidden_size=8, causal=False),
    TCN(hidden_size=4, causal=False),
    WindowedMLP(hidden_size=4, window=3, centred=True),
]
SYMBOLS, LENGTHS = 6, [5, 2, 9]


def examples(problem):
    rng = np.random.default_rng(0)
    inputs = [rng.integers(0, SYMBOLS, length) for length in LENGTHS]
    targets = {
        "Classification": np.array([0, 2, 1]),
        "Regression": [rng.normal(size=2).astype(np.float32) for _ in LENGTHS],
        "Tagging": [rng.integers(0, 3, length) for length in LENGTHS],
        "NextStep": None,
    }
    return Examples(inputs, targets[type(problem).__name__])


def padded(batch, extra):
    """The batch with other symbols after ends, and `extra` more steps of them."""
    rows = torch.cat([batch.inputs, torch.zeros(extra, 3, dtype=torch.int64)])
    within = torch.arange(len(rows)).unsqueeze(1) < batch.lengths
    inputs, targets = torch.where(within, rows, SYMBOLS - 1), batch.targets
    if targets.shape[:2] == batch.inputs.shape:
        targets = torch.cat([targets, torch.full((extra, 3), IGNORED)])
    return Batch(inputs, batch.lengths, targets)


PAIRS = [
    *[(spec, problem) for spec in CAUSAL + AHEAD for problem in (Classification(3), Regression(2), Tagging(3))],
    *[(spec, NextStep(SYMBOLS)) for spec in CAUSAL],
]


@pytest.mark.parametrize(("spec", "problem"), PAIRS, ids=repr)
def test_padding_changes_neither_the_loss_nor_its_gradients(spec, problem):
    torch.manual_seed(0)
    network = SequenceNetwork(spec, Inputs(symbols=SYMBOLS, size=5), problem).double()
    batch, found = problem.batch(examples(problem), range(3)), []
    for other in (batch, padded(batch, 0), padded(batch, 3)):
        network.zero_grad()
        losses = problem.losses(network(other)[0], other)
        losses.mean().backward()
        found.append([losses.detach(), *[p.grad for p in network.parameters()]])
    for other in found[1:]:
        torch.testing.assert_close(other, found[0], atol=1e-10, rtol=0)


@pytest.mark.parametrize("problem", [NextStep(SYMBOLS), Tagging(3, causal=True)], ids=repr)
@pytest.mark.parametrize("spec", AHEAD, ids=repr)
def test_a_model_that_looks_ahead_is_refused_by_a_causal_problem_with_those_that_fit(spec, problem):
    with pytest.raises(ValueError, match=r"would see the answer ahead.*Recurrent, Bag, PerStep"):
        SequenceNetwork(spec, Inputs(symbols=SYMBOLS), problem)


@pytest.mark.parametrize("spec", CAUSAL, ids=repr)
def test_a_stream_in_parts_gives_what_it_gives_whole_where_a_state_is_carried(spec):
    torch.manual_seed(0)
    network = SequenceNetwork(spec, Inputs(symbols=SYMBOLS, dropout=0.5), NextStep(SYMBOLS)).double().eval()
    stream = torch.randint(SYMBOLS, (12, 2))
    whole, state = network(Batch(stream, torch.tensor([12, 12])))
    if state is None:
        assert isinstance(spec, Transformer)
        return
    pieces, state = [], None
    for part in stream.split(4):
        logits, state = network(Batch(part, torch.tensor([4, 4])), state)
        pieces.append(logits)
    torch.testing.assert_close(torch.cat(pieces), whole)


def test_the_head_reads_each_step_or_the_summary_as_the_problem_says():
    spec, inputs = Bidirectional(memory=GRU(hidden_size=4)), Inputs(features=2)
    batch = Batch(torch.randn(5, 3, 2), torch.tensor([5, 1, 3]))
    assert SequenceNetwork(spec, inputs, Tagging(7))(batch)[0].shape == (5, 3, 7)
    network = SequenceNetwork(spec, inputs, Classification(7))
    outputs, _ = network.model(batch.inputs, batch.lengths)
    torch.testing.assert_close(network(batch)[0], network.head(network.model.summary(outputs, batch.lengths)))


def test_everything_but_the_model_is_the_same_for_all_models():
    shapes = []
    for spec in (Recurrent(memory=GRU(hidden_size=8)), Transformer(hidden_size=8), TCN(hidden_size=8)):
        network = SequenceNetwork(spec, Inputs(symbols=SYMBOLS, size=5), Classification(3))
        rest = {name: p.shape for name, p in network.named_parameters() if not name.startswith("model.")}
        shapes.append(rest)
    assert shapes[0] == shapes[1] == shapes[2]
    assert set(shapes[0]) == {"inputs.layer.weight", "head.weight", "head.bias"}


@pytest.mark.parametrize(
    ("steps", "lengths", "message"),
    [
        (4, [4, 0], "lengths must be from 1 to 4"),
        (4, [5, 2], "are from 2 to 5"),
        (4, [], "no sequence"),
        (0, [0], "from 1 to 0"),
    ],
)
def test_empty_and_overlong_sequences_are_one_clear_error(steps, lengths, message):
    batch = Batch(torch.zeros(steps, len(lengths), dtype=torch.int64), torch.tensor(lengths, dtype=torch.int64))
    for spec in (Recurrent(memory=GRU(hidden_size=4)), Transformer(hidden_size=8, causal=False)):
        with pytest.raises(ValueError, match=message):
            SequenceNetwork(spec, Inputs(symbols=SYMBOLS), Classification(3))(batch)
