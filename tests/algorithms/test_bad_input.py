"""Bad input gets one clear error that says what to change, before any training."""

import contextlib
import pickle
import zipfile

import gymnasium as gym
import numpy as np
import pytest
import sb3_contrib
import torch
from gymnasium import spaces
from stable_baselines3.common.torch_layers import FlattenExtractor
from stable_baselines3.common.vec_env import DummyVecEnv, VecNormalize

from recurrent_rl import RecurrentPPO
from recurrent_rl.algorithms import NonFiniteError
from recurrent_rl.checkpoint import CheckpointError
from recurrent_rl.memory import GRU
from recurrent_rl.policies import MLPFeatures


class Mine(FlattenExtractor):
    """An extractor outside the allow-list."""


class TurnsBad(gym.Env):
    observation_space, action_space = spaces.Box(-9, 9, (2,)), spaces.Discrete(2)

    def __init__(self, at, what, value):
        self.at, self.what, self.value, self.clock = at, what, value, 0

    def reset(self, *, seed=None, options=None):
        return np.zeros(2, dtype=np.float32), {}

    def step(self, action):
        self.clock += 1
        bad = self.clock == self.at
        observation = np.full(2, self.value if bad and self.what == "observation" else 0.0, dtype=np.float32)
        return observation, self.value if bad and self.what == "reward" else 1.0, False, False, {}


class Odd(gym.Env):
    observation_space = spaces.Box(-1, 1, (2,))

    def __init__(self, action_space):
        self.action_space = action_space

    def reset(self, *, seed=None, options=None):
        return np.zeros(2, dtype=np.float32), {}


class Dictionary(Odd):
    observation_space = spaces.Dict({"a": spaces.Box(-1, 1, (2,))})

    def __init__(self):
        super().__init__(spaces.Discrete(2))


class Shown(Odd):
    def __init__(self, observation_space):
        super().__init__(spaces.Discrete(2))
        self.observation_space = observation_space


def small(env="CartPole-v1", policy="MlpRecurrentPolicy", **arguments):
    return RecurrentPPO(policy, env, **{"n_steps": 16, "batch_size": 16, **arguments})


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"bptt_horizon": 5}, "bptt_horizon=5 does not divide n_steps=16.*Take bptt_horizon from"),
        ({"env": "CartPol-v1"}, "no environment 'CartPol-v1'. Did you mean .*CartPole-v1"),
        ({"env": "nowhere/Env-v0"}, "no environment 'nowhere/Env-v0'"),
        ({"env": 3}, "not an environment: give an id"),
        ({"memory": "gru"}, "not a memory spec; give one such as memory=GRU"),
        ({"policy_kwargs": {"critic": "shred"}}, "critic='shred' is unknown; use \"shared\""),
        ({"policy_kwargs": {"net_arch": {"actor": [3]}}}, "unknown keys .'actor'.; use dict"),
        ({"env": Odd(spaces.Dict({"a": spaces.Discrete(2)}))}, "not supported; supported are Box, Discrete"),
        ({"env": Odd(spaces.Discrete(2, start=1))}, "counted from 0"),
        ({"env": Dictionary()}, "Dict observations need .*MultiInputRecurrentPolicy"),
        ({"env": Odd(spaces.Text(3))}, "not supported; supported are Box, Discrete"),
        ({"env": Shown(spaces.Discrete(3, start=1))}, "do not count from 0"),
        ({"env": Dictionary(), "policy_kwargs": {"features_extractor_class": MLPFeatures}}, "Dict observations need"),
        ({"policy": "MultiInputRecurrentPolicy"}, "MultiInput policies read Dict observations"),
        ({"bptt_horizon": 8.0}, "whole numbers, not 8.0"),
        ({"n_epochs": 0}, "n_epochs=0 must be at least 1"),
        ({"clip_range_vf": -1.0}, "None clips no value predictions"),
        ({"n_steps": 0}, "n_steps"),
        ({"batch_size": 0}, "batch_size"),
    ],
)
def test_a_bad_argument_says_what_to_change(arguments, message):
    with pytest.raises(ValueError, match=message):
        small(**arguments)


class IgnoresMasks(gym.vector.SyncVectorEnv):
    """Resets every column whatever the mask says."""

    def reset(self, *, seed=None, options=None):
        return super().reset(seed=seed)


def test_a_vector_environment_that_ignores_reset_masks_is_refused_before_training():
    env = IgnoresMasks([lambda: gym.make("CartPole-v1")] * 3, autoreset_mode=gym.vector.AutoresetMode.DISABLED)
    with pytest.raises(ValueError, match=r"ignores options\['reset_mask'\].*SAME_STEP"):
        small(env).learn(16)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
@pytest.mark.parametrize("what", ["observation", "reward"])
def test_a_value_that_is_not_finite_stops_with_column_and_step_after_saving(tmp_path, monkeypatch, what, value):
    monkeypatch.chdir(tmp_path)
    envs = [lambda: TurnsBad(10**9, what, value), lambda: TurnsBad(23, what, value)]
    env = gym.vector.SyncVectorEnv(envs, autoreset_mode=gym.vector.AutoresetMode.SAME_STEP)
    model = small(env)
    with pytest.raises(NonFiniteError, match=f"{what} of environment column 1 is NaN or infinite at step 44"):
        model.learn(200)
    (saved,) = tmp_path.glob("*.zip")
    loaded = RecurrentPPO.load(saved)
    assert loaded.num_timesteps == 32
    assert all(torch.isfinite(parameter).all() for parameter in loaded.policy.parameters())


@pytest.fixture
def saved(tmp_path):
    model = small(memory=GRU(hidden_size=4))
    model.learn(16)
    model.save(tmp_path / "model.zip")
    return tmp_path / "model.zip"


def test_a_missing_checkpoint_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no checkpoint at .*nothing"):
        RecurrentPPO.load(tmp_path / "nothing")


@pytest.mark.parametrize("damage", ["truncated", "flipped", "text", "empty"])
def test_a_damaged_checkpoint_is_refused(saved, damage):
    content = bytearray(saved.read_bytes())
    if damage == "flipped":
        middle = len(content) // 2
        content[middle : middle + 64] = bytes(255 - byte for byte in content[middle : middle + 64])
    damaged = {"truncated": content[: len(content) // 2], "flipped": content, "text": b"hello", "empty": b""}[damage]
    saved.write_bytes(bytes(damaged))
    with pytest.raises(CheckpointError, match="load an earlier checkpoint"):
        RecurrentPPO.load(saved)


def test_a_foreign_checkpoint_is_refused_without_unpickling(tmp_path):
    sb3_contrib.RecurrentPPO("MlpLstmPolicy", "CartPole-v1").save(tmp_path / "theirs")
    with pytest.raises(CheckpointError, match="Stable-Baselines3 or sb3-contrib"):
        RecurrentPPO.load(tmp_path / "theirs")
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as archive:
        archive.writestr("notes.txt", "hello")
    with pytest.raises(CheckpointError, match="some other program"):
        RecurrentPPO.load(tmp_path / "other")


def test_a_checkpoint_with_other_spaces_than_the_environments_is_refused(saved):
    with pytest.raises(CheckpointError, match="was trained with observations"):
        RecurrentPPO.load(saved, env="Pendulum-v1")


def test_weights_that_do_not_fit_are_refused(saved):
    with pytest.raises(CheckpointError, match="do not fit this model"):
        small(memory=GRU(hidden_size=5)).set_parameters(saved)


def test_loading_never_unpickles_unless_trusted(tmp_path, monkeypatch):
    model = small(learning_rate=lambda progress: 0.25 * progress, policy_kwargs={"features_extractor_class": Mine})
    model.save(tmp_path / "model")

    def refuse(*_, **__):
        raise AssertionError("unpickled")

    with monkeypatch.context() as patch:
        patch.setattr(pickle, "loads", refuse)
        patch.setattr("cloudpickle.loads", refuse)
        with (
            pytest.warns(UserWarning, match="learning_rate was a function"),
            pytest.raises(CheckpointError, match=r"policy_kwargs holds .*Mine.*trust=True"),
        ):
            RecurrentPPO.load(tmp_path / "model")
        with pytest.warns(UserWarning, match="learning_rate was a function"):
            loaded = RecurrentPPO.load(
                tmp_path / "model", custom_objects={"policy_kwargs": {"features_extractor_class": Mine}}
            )
        assert loaded.lr_schedule(0.5) == pytest.approx(0.125)
    trusted = RecurrentPPO.load(tmp_path / "model", trust=True)
    assert trusted.learning_rate(0.5) == 0.125
    assert type(trusted.policy.features_extractor).__name__ == "Mine"


def test_a_failed_write_leaves_the_old_checkpoint(saved, monkeypatch):
    before = saved.read_bytes()
    monkeypatch.setattr("recurrent_rl.checkpoint.archive.torch.save", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        RecurrentPPO("MlpRecurrentPolicy", "CartPole-v1").save(saved)
    assert saved.read_bytes() == before
    assert list(saved.parent.iterdir()) == [saved]


class EndsBadly(TurnsBad):
    """Bad only in the observation after the last step of an episode."""

    def __init__(self, value, terminated):
        super().__init__(10**9, "observation", value)
        self.bad, self.ends = value, terminated

    def step(self, action):
        observation, reward, *_ = super().step(action)
        last = self.clock % 5 == 0
        if last:
            observation = np.full(2, self.bad, dtype=np.float32)
        return observation, reward, last and self.ends, last and not self.ends, {}


@pytest.mark.parametrize("terminated", [False, True])
@pytest.mark.parametrize("face", [DummyVecEnv, *gym.vector.AutoresetMode], ids=str)
def test_a_final_observation_that_is_not_finite_stops_training(tmp_path, monkeypatch, face, terminated):
    monkeypatch.chdir(tmp_path)
    envs = [lambda: TurnsBad(10**9, "reward", 0.0), lambda: EndsBadly(float("nan"), terminated)]
    env = DummyVecEnv(envs) if face is DummyVecEnv else gym.vector.SyncVectorEnv(envs, autoreset_mode=face)
    model = small(env)
    with pytest.raises(NonFiniteError, match="observation of environment column 1 is NaN or infinite at step 8"):
        model.learn(200)
    assert all(torch.isfinite(parameter).all() for parameter in model.policy.parameters())


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("value", [float("nan"), float("inf")])
@pytest.mark.parametrize("what", ["observation", "reward"])
def test_under_a_normaliser_the_bad_column_is_named(tmp_path, monkeypatch, what, value, training):
    monkeypatch.chdir(tmp_path)
    envs = [lambda: TurnsBad(10**9, what, value)] * 2 + [lambda: TurnsBad(5, what, value)]
    model = small(VecNormalize(DummyVecEnv(envs), training=training))
    with pytest.raises(NonFiniteError, match=f"{what} of environment column 2 is NaN or infinite at step 12"):
        model.learn(200)


def test_any_flipped_byte_gives_a_checkpoint_error_or_a_model(saved):
    content = saved.read_bytes()
    draw = np.random.default_rng(0)
    for position in [46, *draw.integers(len(content), size=60).tolist()]:
        damaged = bytearray(content)
        damaged[position] ^= 0xFF
        saved.write_bytes(bytes(damaged))
        with contextlib.suppress(CheckpointError):  # any other error fails the test
            RecurrentPPO.load(saved)


def test_a_policy_alone_is_not_a_model(tmp_path):
    small().policy.save(tmp_path / "policy.zip")
    with pytest.raises(CheckpointError, match="policy alone"):
        RecurrentPPO.load(tmp_path / "policy.zip")
