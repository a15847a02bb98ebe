import copy

import pytest
import torch
from torch import nn

from recurrent_rl.memory import GRU, LSTM, RNN

TORCH = {
    "rnn": (RNN, nn.RNN, {}),
    "relu": (RNN, nn.RNN, {"nonlinearity": "relu"}),
    "lstm": (LSTM, nn.LSTM, {}),
    "gru": (GRU, nn.GRU, {}),
}


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("layers", [1, 3])
@pytest.mark.parametrize("kind", TORCH)
def test_torch_weights_give_torch_outputs(kind, layers, bias):
    torch.manual_seed(0)
    spec, module, fields = TORCH[kind]
    theirs = module(4, 6, layers, bias=bias, **fields)
    ours = spec(hidden_size=6, num_layers=layers, bias=bias, **fields).build(4)
    ours.load_torch(theirs)
    inputs = torch.randn(11, 5, 4)
    expected, expected_state = theirs(inputs)
    outputs, state = ours(inputs, ours.initial_state(5), torch.zeros(11, 5, dtype=torch.bool))
    torch.testing.assert_close(outputs, expected, atol=1e-6, rtol=0)
    leaves = expected_state if isinstance(expected_state, tuple) else (expected_state,)
    for leaf, other in zip(state, leaves, strict=True):
        torch.testing.assert_close(leaf.transpose(0, 1), other, atol=1e-6, rtol=0)
    theirs.load_state_dict(ours.state_dict())  # and back, by the same names


def test_torch_module_of_other_size_is_refused():
    with pytest.raises(RuntimeError, match="size mismatch"):
        GRU(hidden_size=4).build(3).load_torch(nn.GRU(3, 5))


@pytest.mark.parametrize("spec", [RNN(hidden_size=8), LSTM(hidden_size=8), GRU(hidden_size=8)])
def test_recurrent_weights_are_orthogonal_gate_by_gate(spec):
    memory = spec.build(3)
    for block in memory.weight_hh_l0.chunk(memory.cell.gates):
        torch.testing.assert_close(block @ block.T, torch.eye(8), atol=1e-5, rtol=0)


def test_lstm_forget_bias_totals_one_by_default_and_what_is_asked():
    for value in (1.0, 3.0):
        memory = LSTM(hidden_size=4, forget_bias=value).build(2)
        total = memory.bias_ih_l0 + memory.bias_hh_l0
        assert total.tolist() == [0.0] * 4 + [value] * 4 + [0.0] * 8


def test_uniform_initialisation_is_torchs_range():
    memory = LSTM(hidden_size=16, recurrent_init="uniform", input_init="uniform", forget_bias=None).build(4)
    for parameter in memory.parameters():
        assert parameter.abs().max() <= 0.25
        assert parameter.abs().max() > 0.2


def test_dropout_acts_between_layers_in_training_only():
    torch.manual_seed(0)
    memory = GRU(hidden_size=8, num_layers=2, dropout=0.5).build(3)
    arguments = (torch.randn(5, 2, 3), memory.initial_state(2), torch.zeros(5, 2, dtype=torch.bool))
    assert not torch.equal(memory(*arguments)[0], memory(*arguments)[0])
    memory.eval()
    assert torch.equal(memory(*arguments)[0], memory(*arguments)[0])


def test_learned_initial_state_gets_gradient_at_starts_alone():
    memory = LSTM(hidden_size=4, learned_initial_state=True).build(3)
    entry = tuple(torch.randn_like(leaf) for leaf in memory.initial_state(2))
    inputs, starts = torch.randn(5, 2, 3), torch.zeros(5, 2, dtype=torch.bool)
    memory(inputs, entry, starts)[0].sum().backward()
    assert memory.initial.grad is None or not memory.initial.grad.any()
    starts[2, 1] = True
    memory(inputs, entry, starts)[0].sum().backward()
    assert memory.initial.grad.any()


@pytest.mark.parametrize(
    ("spec", "fields", "advice"),
    [
        (GRU, {"hidden_size": 0}, "at least 1"),
        (LSTM, {"dropout": 0.5}, "num_layers=2"),
        (RNN, {"nonlinearity": "sin"}, '"tanh" or "relu"'),
        (GRU, {"recurrent_init": "zeros"}, "orthogonal"),
        (GRU, {"hidden_size": 2.5}, "a whole number"),
        (GRU, {"num_layers": True}, "a whole number"),
        (GRU, {"bias": "no"}, "bias must be one of True, False"),
        (LSTM, {"dropout": 1.0, "num_layers": 2}, "dropout must be a number from 0.0 to 0.99"),
        (LSTM, {"forget_bias": "x"}, "a number"),
        (LSTM, {"forget_bias": float("nan")}, "a number"),
    ],
)
def test_a_bad_spec_says_what_to_change(spec, fields, advice):
    with pytest.raises(ValueError, match=advice):
        spec(**fields)


def test_deepcopy_is_independent():
    memory = GRU(hidden_size=3).build(2)
    twin = copy.deepcopy(memory)
    twin.weight_hh_l0.data.zero_()
    assert memory.weight_hh_l0.any()


@pytest.mark.parametrize(
    ("spec", "module"),
    [
        (RNN(hidden_size=4), nn.RNN(3, 4, nonlinearity="relu")),
        (GRU(hidden_size=4), nn.LSTM(3, 4)),
        (GRU(hidden_size=4, layer_norm=True), nn.GRU(3, 4)),
        (GRU(hidden_size=4), nn.GRU(3, 4, bidirectional=True)),
    ],
)
def test_torch_module_of_another_kind_is_refused_and_changes_nothing(spec, module):
    memory = spec.build(3)
    before = copy.deepcopy(memory.state_dict())
    with pytest.raises(RuntimeError, match="computes something else"):
        memory.load_torch(module)
    assert all(torch.equal(before[name], value) for name, value in memory.state_dict().items())
