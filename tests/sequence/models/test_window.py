"""The windowed perceptron is a perceptron on steps side by side."""

import pytest
import torch

from recurrent_rl.sequence.models import WindowedMLP


def by_hand(model, steps):
    """The perceptron on steps [window, B, I] side by side."""
    flat = steps.permute(1, 2, 0).flatten(1)  # [B, I window]
    x = torch.relu(flat @ model.window.weight.flatten(1).T + model.window.bias)
    for layer in model.layers:
        x = torch.relu(layer(x))
    return x


def test_each_output_is_the_perceptron_on_the_last_steps():
    torch.manual_seed(0)
    model, inputs = WindowedMLP(hidden_size=5, window=3, num_layers=3).build(2), torch.randn(6, 4, 2)
    outputs, _ = model(inputs, torch.tensor([6] * 4))
    padded = torch.cat([torch.zeros(2, 4, 2), inputs])
    for t in range(6):
        torch.testing.assert_close(outputs[t], by_hand(model, padded[t : t + 3]))


def test_a_centred_window_sees_as_much_after_the_step_as_before_it_and_zeros_beyond_the_ends():
    torch.manual_seed(0)
    model, inputs = WindowedMLP(hidden_size=5, window=5, centred=True).build(2), torch.randn(6, 1, 2)
    outputs, state = model(inputs, torch.tensor([4]))
    padded = torch.cat([torch.zeros(2, 1, 2), inputs[:4], torch.zeros(2, 1, 2)])
    for t in range(4):
        torch.testing.assert_close(outputs[t], by_hand(model, padded[t : t + 5]))
    torch.testing.assert_close(model.summary(outputs, torch.tensor([4])), outputs[:4].mean(0))
    assert state is None


def test_with_a_window_as_long_as_the_sequence_the_summary_is_the_perceptron_on_the_whole_of_it():
    torch.manual_seed(0)
    model, inputs = WindowedMLP(hidden_size=5, window=6).build(2), torch.randn(6, 4, 2)
    lengths = torch.tensor([6] * 4)
    torch.testing.assert_close(model.summary(model(inputs, lengths)[0], lengths), by_hand(model, inputs))


@pytest.mark.parametrize(
    ("fields", "name"),
    [({"window": 0}, "window"), ({"window": 4, "centred": True}, "window"), ({"num_layers": 0}, "num_layers")],
)
def test_bad_fields_are_refused_by_name(fields, name):
    with pytest.raises(ValueError, match=f"{name} must"):
        WindowedMLP(**fields)
