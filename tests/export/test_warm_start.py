"""What one policy knows, another begins with."""

import pytest
import torch
from gymnasium import spaces

from recurrent_rl.export import warm_start
from recurrent_rl.memory import GRU, LSTM
from tests.export.conftest import FOUR, make


def test_memory_is_loaded_and_heads_are_left():
    one, other = make(seed=0), make(action=spaces.Discrete(5), seed=1)
    head, layers = other.action_net.weight.clone(), other.actor_layers[0].weight.clone()
    report = warm_start(other, one)
    assert torch.equal(other.memory.weight_hh_l0, one.memory.weight_hh_l0)
    assert torch.equal(other.action_net.weight, head)
    assert torch.equal(other.actor_layers[0].weight, layers)
    assert len(report.loaded) == 4
    assert not report.reshaped
    assert not report.left_out
    assert "memory.weight_hh_l0" in str(report)


def test_more_observations_take_the_columns_of_those_there_were():
    one, other = make(seed=0), make(spaces.Box(-1, 1, (6,)), seed=1)
    before = other.memory.weight_ih_l0.clone()
    report = warm_start(other, one)
    assert torch.equal(other.memory.weight_ih_l0[:, :4], one.memory.weight_ih_l0)
    assert torch.equal(other.memory.weight_ih_l0[:, 4:], before[:, 4:])
    assert report.reshaped == ["memory.weight_ih_l0: [24, 4] to [24, 6], the first 4 columns"]


def test_what_does_not_fit_is_left_out():
    report = warm_start(make(memory=GRU(hidden_size=4)), make())
    assert len(report.left_out) == 4
    report = warm_start(make(memory=LSTM(hidden_size=8), critic="separate"), make(memory=LSTM(hidden_size=8)))
    assert len(report.loaded) == 4
    assert all("not in the source" in line for line in report.left_out)


def test_heads_can_be_asked_for(tmp_path):
    one, other = make(seed=0), make(seed=1)
    one.save(str(tmp_path / "one.zip"))
    warm_start(other, tmp_path / "one.zip", parts=("memory", "actor_layers", "action_net"))
    assert torch.equal(other.action_net.weight, one.action_net.weight)


def test_an_unknown_part_is_told():
    with pytest.raises(ValueError, match="memmory"):
        warm_start(make(), make(FOUR), parts=("memmory",))
