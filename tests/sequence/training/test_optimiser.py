"""Learning rates rise and fall as said, gradients are cut before the step."""

import pytest
import torch
from torch import nn

from recurrent_rl.sequence.training import TrainConfig
from recurrent_rl.sequence.training.optimiser import learning_rate, make_optimiser, take_step


def test_the_rate_rises_in_a_line_and_falls_as_half_a_cosine():
    config = TrainConfig(learning_rate=0.4, warmup=4, steps=12)
    rates = [learning_rate(config, step) for step in range(12)]
    assert rates[:5] == pytest.approx([0.1, 0.2, 0.3, 0.4, 0.4])
    assert rates[8] == pytest.approx(0.2)  # half of the way down
    assert rates[4:] == sorted(rates[4:], reverse=True)
    assert 0 < rates[-1] < 0.02


def test_a_constant_rate_stays():
    config = TrainConfig(learning_rate=0.4, schedule="constant", steps=5)
    assert {learning_rate(config, step) for step in range(5)} == {0.4}


def moved(**fields):
    """Return by how much a step of plain descent with rate 1 moves a weight whose gradients are 3 and 4."""
    layer = nn.Linear(2, 1, bias=False)
    before = layer.weight.detach().clone()
    layer.weight.grad = torch.tensor([[3.0, 4.0]])
    config = TrainConfig(optimiser="sgd", learning_rate=1.0, schedule="constant", **fields)
    take_step(layer, make_optimiser(layer.parameters(), config), config, 0)
    assert layer.weight.grad is None
    return (before - layer.weight.detach())[0].tolist()


def test_gradients_are_cut_by_value_and_then_by_norm():
    assert moved(clip_norm=None) == pytest.approx([3.0, 4.0])
    assert moved(clip_norm=1.0) == pytest.approx([0.6, 0.8], rel=1e-5)
    assert moved(clip_norm=None, clip_value=3.5) == pytest.approx([3.0, 3.5])
    assert moved(clip_norm=1.0, clip_value=3.0) == pytest.approx([0.5**0.5, 0.5**0.5], rel=1e-5)


@pytest.mark.parametrize("name", ["adamw", "adam", "rmsprop", "sgd"])
def test_every_optimiser_goes_down_a_bowl(name):
    torch.manual_seed(0)
    layer = nn.Linear(3, 1)
    config = TrainConfig(optimiser=name, learning_rate=0.05, steps=200)
    optimiser, x = make_optimiser(layer.parameters(), config), torch.randn(20, 3)
    losses = []
    for step in range(200):
        loss = (layer(x) - x.sum(-1, keepdim=True)).square().mean()
        loss.backward()
        losses.append(loss.item())
        take_step(layer, optimiser, config, step)
    assert losses[-1] < 0.01 * losses[0]


@pytest.mark.parametrize(
    "fields", [{"steps": 0}, {"warmup": 2000}, {"learning_rate": 0.0}, {"clip_norm": -1.0}, {"weight_decay": -0.1}]
)
def test_settings_out_of_range_are_named(fields):
    with pytest.raises(ValueError, match=next(iter(fields))):
        TrainConfig(**fields)
