"""What one policy knows, another begins with."""

import pytest
import torch
from gymnasium import spaces

from recurrent_rl.export import warm_start
from recurrent_rl.memory import GRU, LSTM, DeltaNet, FastWeights
from recurrent_rl.policies.features import MLPFeatures
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
    assert report.reshaped == ["memory.weight_ih_l0: [24, 4] to [24, 6], 4 columns"]


def test_what_does_not_fit_is_left_out():
    report = warm_start(make(memory=GRU(hidden_size=4)), make())
    assert len(report.left_out) == 4
    report = warm_start(make(memory=LSTM(hidden_size=8), critic="separate"), make(memory=LSTM(hidden_size=8)))
    assert len(report.loaded) == 4
    assert all("not in the source" in line for line in report.left_out)


def test_columns_of_a_dict_go_to_the_same_keys():
    one = make(spaces.Dict({"a": FOUR, "c": spaces.Box(-1, 1, (2,))}), seed=0)
    other = make(spaces.Dict({"a": FOUR, "b": spaces.Discrete(3), "c": spaces.Box(-1, 1, (2,))}), seed=1)
    before = other.memory.weight_ih_l0.clone()
    report = warm_start(other, one)
    assert torch.equal(other.memory.weight_ih_l0[:, :4], one.memory.weight_ih_l0[:, :4])
    assert torch.equal(other.memory.weight_ih_l0[:, 4:7], before[:, 4:7])
    assert torch.equal(other.memory.weight_ih_l0[:, 7:], one.memory.weight_ih_l0[:, 4:])
    assert report.reshaped == ["memory.weight_ih_l0: [24, 6] to [24, 9], 6 columns"]


def test_keys_of_equal_sizes_that_differ_are_not_mixed_up():
    one = make(spaces.Dict({"a": FOUR, "b": FOUR}), seed=0)
    other = make(spaces.Dict({"b": FOUR, "c": FOUR}), seed=1)
    before = other.memory.weight_ih_l0.clone()
    warm_start(other, one)
    assert torch.equal(other.memory.weight_ih_l0[:, :4], one.memory.weight_ih_l0[:, 4:])
    assert torch.equal(other.memory.weight_ih_l0[:, 4:], before[:, 4:])


def test_another_size_of_the_memory_loads_no_part_of_it():
    report = warm_start(make(memory=DeltaNet(hidden_size=16)), make(memory=DeltaNet(hidden_size=8)))
    assert not report.reshaped


def test_a_shared_extractor_is_the_actors():
    kinds = {"features_extractor_class": MLPFeatures, "memory": LSTM(hidden_size=8), "critic": "separate"}
    one, other = make(share_features_extractor=False, **kinds), make(seed=1, **kinds)
    report = warm_start(other, one)
    assert torch.equal(other.features_extractor.layers[1].weight, one.features_extractor.layers[1].weight)
    assert not any(name.startswith("critic_features") for name in report.loaded)


def test_a_memory_behind_an_extractor_of_another_size_is_left_out():
    kinds = {"features_extractor_class": MLPFeatures}
    other = make(seed=1, features_extractor_kwargs={"widths": [6]}, **kinds)
    before = other.memory.weight_hh_l0.clone()
    report = warm_start(other, make(features_extractor_kwargs={"widths": [5]}, **kinds))
    assert torch.equal(other.memory.weight_hh_l0, before)
    assert any("extractor before it" in line for line in report.left_out)


def test_heads_can_be_asked_for(tmp_path):
    one, other = make(seed=0), make(seed=1)
    one.save(str(tmp_path / "one.zip"))
    warm_start(other, tmp_path / "one.zip", parts=("memory", "actor_layers", "action_net"))
    assert torch.equal(other.action_net.weight, one.action_net.weight)


def test_an_unknown_part_is_told():
    with pytest.raises(ValueError, match="memmory"):
        warm_start(make(), make(FOUR), parts=("memmory",))


def test_the_default_memory_is_what_it_stands_for():
    one = make(spaces.Dict({"a": FOUR, "b": FOUR}), seed=0, memory=None)
    other = make(spaces.Dict({"b": FOUR, "c": FOUR}), seed=1, memory=GRU())
    before = other.memory.weight_ih_l0.clone()
    report = warm_start(other, one)
    assert torch.equal(other.memory.weight_ih_l0[:, :4], one.memory.weight_ih_l0[:, 4:])
    assert torch.equal(other.memory.weight_ih_l0[:, 4:], before[:, 4:])
    assert len(report.reshaped) == 1


def test_each_memory_is_compared_with_its_own():
    critic = {"critic": GRU(hidden_size=8)}
    one = make(spaces.Dict({"a": FOUR, "b": FOUR}), seed=0, memory=LSTM(hidden_size=8), **critic)
    other = make(spaces.Dict({"b": FOUR, "c": FOUR}), seed=1, memory=LSTM(hidden_size=6), **critic)
    report = warm_start(other, one)
    assert torch.equal(other.critic_memory.weight_ih_l0[:, :4], one.critic_memory.weight_ih_l0[:, 4:])
    assert sorted(line.partition(".")[0] for line in report.left_out) == ["memory"] * 4


PAIRS = [(LSTM(hidden_size=6), GRU(hidden_size=8)), (DeltaNet(hidden_size=8), FastWeights(hidden_size=8))]


@pytest.mark.parametrize("memories", PAIRS)
def test_nothing_of_another_kind_of_memory_is_taken(memories):
    one, other = make(memory=memories[0], seed=0), make(memory=memories[1], seed=1)
    report = warm_start(other, one)
    assert not report.loaded
    assert any("in the source" in line for line in report.left_out)


def test_matrices_as_wide_as_the_inputs_that_do_not_read_them_stay_in_order():
    one = make(spaces.Dict({"a": FOUR, "b": FOUR}), seed=0)
    other = make(spaces.Dict({"b": FOUR, "c": FOUR}), seed=1)
    warm_start(other, one)
    assert other.memory.weight_hh_l0.shape[1] == other.memory.weight_ih_l0.shape[1]
    assert torch.equal(other.memory.weight_hh_l0, one.memory.weight_hh_l0)


def test_a_memory_alone_is_not_taken_from_behind_another_extractor_of_other_observations():
    kinds = {"features_extractor_class": MLPFeatures}
    one, other = make(spaces.Box(-1, 1, (6,)), **kinds), make(seed=1, **kinds)
    assert not warm_start(other, one, parts=("memory",)).loaded
    assert warm_start(make(seed=1, **kinds), make(**kinds)).loaded
