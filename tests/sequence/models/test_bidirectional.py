"""The bidirectional model is torch's own over packed sequences, with the same weights."""

import pytest
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from recurrent_rl.memory import GRU, LSTM, RNN, MinGRU
from recurrent_rl.sequence.models import Bidirectional
from recurrent_rl.sequence.models.bidirectional import reversed_rows

LENGTHS = torch.tensor([7, 2, 5, 1])
KINDS = [(GRU, nn.GRU), (LSTM, nn.LSTM), (RNN, nn.RNN)]


def torchs(kind, model, layers):
    """Torch's bidirectional net with the weights of a model."""
    reference = kind(3, 4, layers, bidirectional=True).double()
    with torch.no_grad():
        for memories, suffix in ((model.forwards, ""), (model.backwards, "_reverse")):
            for layer, memory in enumerate(memories):
                for name, weight in memory.named_parameters():
                    getattr(reference, f"{name[:-1]}{layer}{suffix}").copy_(weight)
    return reference


@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize(("memory", "kind"), KINDS, ids=lambda kind: kind.__name__)
def test_outputs_summary_and_gradients_are_torchs_over_packed_sequences(memory, kind, layers):
    torch.manual_seed(0)
    model = Bidirectional(memory=memory(hidden_size=4), num_layers=layers).build(3).double()
    inputs = torch.randn(7, 4, 3, dtype=torch.float64).requires_grad_()
    packed, final = torchs(kind, model, layers)(pack_padded_sequence(inputs, LENGTHS, enforce_sorted=False))
    expected, _ = pad_packed_sequence(packed)
    outputs, state = model(inputs, LENGTHS)
    within = (torch.arange(7).unsqueeze(1) < LENGTHS).unsqueeze(-1)
    torch.testing.assert_close(outputs * within, expected, atol=1e-12, rtol=0)
    assert state is None
    h = final[0] if memory is LSTM else final
    torch.testing.assert_close(model.summary(outputs, LENGTHS), torch.cat([h[-2], h[-1]], -1), atol=1e-12, rtol=0)
    weights = torch.randn_like(expected)
    found, wanted = (torch.autograd.grad((x * within * weights).sum(), inputs)[0] for x in (outputs, expected))
    torch.testing.assert_close(found, wanted, atol=1e-12, rtol=0)


def test_reversing_twice_gives_the_rows_in_their_own_order():
    rows = reversed_rows(torch.tensor([4, 2, 1]), 4)
    assert rows.tolist() == [[3, 1, 0], [2, 0, 1], [1, 2, 2], [0, 3, 3]]
    assert (rows.gather(0, rows) == torch.arange(4).unsqueeze(1)).all()


def test_the_first_output_has_seen_the_last_input_and_the_last_output_the_first():
    torch.manual_seed(0)
    model = Bidirectional(memory=MinGRU(hidden_size=4)).build(2)
    inputs = torch.randn(6, 1, 2).requires_grad_()
    outputs, _ = model(inputs, torch.tensor([5]))
    for t in range(5):
        (gradient,) = torch.autograd.grad(outputs[t].square().sum(), inputs, retain_graph=True)
        assert (gradient[:5].abs().amax((1, 2)) > 0).all()
        assert (gradient[5] == 0).all()


def test_the_gradient_is_that_of_finite_differences():
    torch.manual_seed(0)
    model = Bidirectional(memory=MinGRU(hidden_size=2), num_layers=2).build(2).double()
    inputs = torch.randn(4, 2, 2, dtype=torch.float64).requires_grad_()
    assert torch.autograd.gradcheck(lambda x: model(x, torch.tensor([4, 2]))[0], inputs)


def test_the_two_directions_share_no_weights():
    model = Bidirectional(memory=GRU(hidden_size=4)).build(2)
    ahead, back = ({id(p) for p in memories.parameters()} for memories in (model.forwards, model.backwards))
    assert not ahead & back
    assert len(list(model.parameters())) == 2 * len(ahead)


@pytest.mark.parametrize(("fields", "name"), [({"num_layers": 0}, "num_layers"), ({"dropout": 2.0}, "dropout")])
def test_bad_fields_are_refused_by_name(fields, name):
    with pytest.raises(ValueError, match=f"{name} must"):
        Bidirectional(**fields)


def test_the_summary_may_be_the_mean_within_each_length():
    torch.manual_seed(0)
    model = Bidirectional(memory=LSTM(hidden_size=4), mean=True).build(3)
    outputs, _ = model(torch.randn(7, 4, 3), LENGTHS)
    expected = torch.stack([outputs[:length, column].mean(0) for column, length in enumerate(LENGTHS)])
    torch.testing.assert_close(model.summary(outputs, LENGTHS), expected)
