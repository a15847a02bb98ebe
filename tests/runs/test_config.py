"""A configuration is checked when it is made and when it is read."""

import json
import re

import gymnasium as gym
import pytest
import torch
from stable_baselines3.common.vec_env import VecNormalize

from recurrent_rl.memory import GRU, LSTM, RNN, Residual, Stack
from recurrent_rl.runs.config import RunConfig
from recurrent_rl.runs.options import Options


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        *[(name, 0, f"{name}=0 must be at least 1") for name in ("threads", "n_epochs", "n_envs", "steps")],
        ("memory_fields", 3, "memory_fields=3 must be an object of names and values"),
        ("bptt_horizon", -1, "bptt_horizon=-1 must be at least 1"),
        ("device", "gpu", "device=gpu must be auto, cpu, cuda or cuda:N"),
        ("device", "cuda:", "device=cuda: must be"),
        ("gamma", 1.5, "gamma=1.5 must be between 0 and 1"),
        ("gamma", float("nan"), "gamma=nan must be between 0 and 1"),
        ("learning_rate", 0.0, "learning_rate=0.0 must be positive"),
        ("ent_coef", float("inf"), "ent_coef=inf must be a finite number"),
        ("seed", -1, "seed=-1 must be between 0 and 4294967295"),
        ("policy", "CnnPolicy", "policy=CnnPolicy must be one of"),
        ("n_envs", "four", "n_envs='four' must be a whole number"),
        ("n_steps", 32.0, "n_steps=32.0 must be a whole number or null"),
        ("n_envs", True, "n_envs=True must be a whole number"),
        ("anneal", 1, "anneal=1 must be true or false"),
        ("memory", "elephant", "memory='elephant' must be one of"),
        ("env", None, "env=None must be text"),
    ],
)
def test_a_wrong_value_is_refused_by_its_name_when_made_and_by_file_and_name_when_read(tmp_path, field, value, message):
    with pytest.raises(ValueError, match=r"must be") as made:
        RunConfig(**{field: value})
    assert str(made.value).startswith(message)
    path = tmp_path / "config.json"
    RunConfig().write(path)
    path.write_text(json.dumps({**json.loads(path.read_text()), field: value}))
    with pytest.raises(ValueError) as read:
        RunConfig.read(path)
    assert str(read.value).startswith(f"{path} cannot be read: {message}")
    assert "\n" not in str(read.value)


@pytest.mark.parametrize("device", ["auto", "cpu", "cuda", "cuda:1"])
def test_a_configuration_reads_as_it_was_written(tmp_path, device):
    config = RunConfig(env="a/é-v0", gamma=1, n_steps=8, memory="window", device=device)
    config.write(tmp_path / "config.json")
    assert RunConfig.read(tmp_path / "config.json") == config


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b'{"env": "\xff"}', "codec can't decode"),
        (b'{"env": ', "Expecting value"),
        (b"[1, 2]", "one JSON object"),
        (b'{"elephant": 1}', "no field 'elephant'"),
    ],
)
@pytest.mark.parametrize("kind", [RunConfig, Options])
def test_a_file_that_is_none_of_ours_is_refused_by_its_name(tmp_path, content, reason, kind):
    path = tmp_path / "file.json"
    path.write_bytes(content)
    with pytest.raises(ValueError) as refused:
        kind.read(path)
    assert str(refused.value).startswith(f"{path} cannot be read")
    assert reason in str(refused.value)


@pytest.mark.parametrize(
    ("field", "value"), [("checkpoint_every", 0), ("eval_every", -1), ("eval_episodes", 0), ("track", "paper")]
)
def test_wrong_options_are_refused_by_name(field, value):
    with pytest.raises(ValueError, match=f"{field}="):
        Options(**{field: value})


def test_an_option_that_is_not_given_takes_the_stored_value():
    stored = Options(track="wandb", project="mine", eval_every=64)
    assert Options(eval_every=128).over(stored) == Options(track="wandb", project="mine", eval_every=128)


@pytest.mark.parametrize(
    ("name", "keys"),
    [
        ("Drawn", True),
        ("Image", False),
        ("Discrete", False),
        ("MultiBinary", False),
        ("Mixed", ["number"]),
        ("Names", []),
    ],
)
def test_rewards_are_normalised_always_and_observations_where_they_are_numbers(name, keys):
    env = RunConfig(env=f"Runs{name}-v0").make_env(2, 0)
    assert isinstance(env, VecNormalize)
    assert env.norm_reward
    assert env.norm_obs == bool(keys)
    assert env.norm_obs_keys == (keys if isinstance(keys, list) else None)
    assert env.observation_space == gym.make(f"Runs{name}-v0").observation_space


def test_an_image_policy_refuses_other_observations():
    with pytest.raises(ValueError, match="policy=CnnRecurrentPolicy reads images"):
        RunConfig(env="RunsDrawn-v0", policy="CnnRecurrentPolicy").make_model()


def test_a_configuration_tells_all_fields_of_its_memory():
    assert RunConfig().memory_fields["hidden_size"] == 64


def test_memories_of_memories_read_as_they_were_written(tmp_path):
    layers = ["gru", {"memory": "lstm", "hidden_size": 8}, {"memory": "residual", "spec": "rnn"}]
    config = RunConfig(memory="stack", memory_fields={"layers": layers})
    assert config.memory_spec() == Stack([GRU(), LSTM(hidden_size=8), Residual(RNN())])
    config.write(tmp_path / "config.json")
    assert RunConfig.read(tmp_path / "config.json") == config


@pytest.mark.parametrize(
    ("memory", "fields", "message"),
    [
        ("gru", {"size": 3}, "memory 'gru' has no field 'size'; it has hidden_size, num_layers"),
        ("none", {"size": 3}, "it has none"),
        ("gru", {"hidden_size": 0}, "hidden_size"),
        ("stack", {"layers": [3]}, "3 is no memory; give a name"),
        ("stack", {"layers": ["elephant"]}, "memory='elephant' must be one of"),
    ],
)
def test_a_field_that_does_not_fit_the_memory_is_named(memory, fields, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        RunConfig(memory=memory, memory_fields=fields)


def test_the_last_update_still_learns():
    for steps, last in ((64, 1.0), (640, 0.1)):
        model = RunConfig(env="RunsDrawn-v0", n_envs=2, n_steps=32, steps=steps).make_model()
        model._current_progress_remaining = 0.0
        assert model.lr_schedule(0.0) == pytest.approx(1e-3 * last)
        assert model.lr_schedule(1.0) == pytest.approx(1e-3)


def test_a_gpu_that_is_not_there_is_refused(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ValueError, match="device=cuda, but torch finds no GPU"):
        RunConfig(env="RunsDrawn-v0", device="cuda").make_model()


def test_arguments_reach_the_environment():
    env = RunConfig(env="pomdp_envs/TMaze-v0", env_kwargs={"corridor_length": 3}, normalize=False).make_env(2, 0)
    assert env.unwrapped.env.unwrapped.dynamics.corridor_length == 3
