"""Policies go to sb3-contrib and come back: the same actions, values and log-probabilities, starts in between."""

import io
import pickle
import zipfile

import cloudpickle
import gymnasium as gym
import numpy as np
import pytest
import torch
from gymnasium import spaces
from gymnasium.wrappers import TransformObservation
from stable_baselines3.common.vec_env import DummyVecEnv

from recurrent_rl import RecurrentPPO
from recurrent_rl.checkpoint import CheckpointError
from recurrent_rl.export import from_sb3_contrib, to_sb3_contrib
from recurrent_rl.export.sb3_contrib import _compare
from recurrent_rl.memory import GRU, LSTM, NoMemory
from recurrent_rl.vector import VecNormalize
from tests.export.test_agent import Planted

sb3_contrib = pytest.importorskip("sb3_contrib")
KINDS = {
    "separate": {},
    "shared": {"shared_lstm": True, "enable_critic_lstm": False},
    "feed-forward": {"enable_critic_lstm": False},
    "two layers, relu": {"n_lstm_layers": 2, "net_arch": [], "activation_fn": torch.nn.ReLU},
    "feed-forward, no layers": {"enable_critic_lstm": False, "net_arch": []},
}


class Pictures(gym.Env):
    observation_space = spaces.Box(0, 255, (3, 36, 36), np.uint8)
    action_space = spaces.Box(-2, np.float32([1, 3]), (2,))

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.observation_space.seed(seed)
        return self.observation_space.sample(), {}

    def step(self, action):
        return self.observation_space.sample(), 1.0, bool(self.np_random.random() < 0.1), False, {}


def theirs(env="CartPole-v1", steps=64, policy="MlpLstmPolicy", **kwargs):
    arguments = {"lstm_hidden_size": 8, **kwargs}
    return sb3_contrib.RecurrentPPO(
        policy, env, n_steps=32, batch_size=32, n_epochs=2, policy_kwargs=arguments, seed=0
    ).learn(steps)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("env", ["CartPole-v1", "Pendulum-v1"])
def test_theirs_comes_here_and_goes_back(kind, env, tmp_path):
    there = theirs(env, **KINDS[kind])
    there.save(tmp_path / "theirs")
    here = from_sb3_contrib(tmp_path / "theirs.zip")
    _compare(here.policy, there.policy)
    assert (here.n_steps, here.batch_size, here.n_epochs, here.num_timesteps) == (32, 32, 2, 64)
    assert (here.learning_rate, here.clip_range) == (3e-4, 0.2)
    assert here.observation_space == there.observation_space
    back = sb3_contrib.RecurrentPPO.load(to_sb3_contrib(here, tmp_path / "back"))
    _compare(here.policy, back.policy)


@pytest.mark.parametrize("shared", [True, False])
def test_images_come_here_and_go_back(shared, tmp_path):
    there = theirs(Pictures(), policy="CnnLstmPolicy", share_features_extractor=shared)
    there.save(tmp_path / "theirs")
    here = from_sb3_contrib(tmp_path / "theirs.zip")
    _compare(here.policy, there.policy)
    _compare(here.policy, sb3_contrib.RecurrentPPO.load(to_sb3_contrib(here, tmp_path / "back")).policy)


def test_after_2000_steps_of_theirs_predict_is_the_same(tmp_path):
    there = theirs(steps=2000)
    there.save(tmp_path / "theirs")
    here = from_sb3_contrib(tmp_path / "theirs.zip")
    state = other = None
    random = np.random.default_rng(0)
    for step in range(200):
        observation = random.normal(size=(3, 4)).astype(np.float32)
        starts = random.random(3) < (1.0 if step == 0 else 0.1)
        mine, state = here.predict(observation, state, starts, deterministic=True)
        yours, other = there.predict(observation, other, starts, deterministic=True)
        np.testing.assert_array_equal(mine, yours)


def test_ours_goes_there_after_training_and_trains_on(tmp_path):
    model = RecurrentPPO(
        "MlpLstmPolicy", gym.make_vec("CartPole-v1", num_envs=2), n_steps=32, policy_kwargs={"lstm_hidden_size": 8}
    ).learn(128)
    there = sb3_contrib.RecurrentPPO.load(to_sb3_contrib(model, tmp_path / "ours"), env=gym.make("CartPole-v1"))
    _compare(model.policy, there.policy)
    there.learn(64)


def test_a_model_from_there_trains_on_here(tmp_path):
    theirs().save(tmp_path / "theirs")
    model = from_sb3_contrib(tmp_path / "theirs.zip")
    model.set_env(gym.make("CartPole-v1"))
    before = model.policy.value_net.weight.clone()
    model.learn(64)
    assert not torch.equal(before, model.policy.value_net.weight)


@pytest.mark.parametrize(
    ("memory", "critic", "words"),
    [
        (GRU(hidden_size=8), "separate", "plain LSTMs"),
        (LSTM(hidden_size=8, layer_norm=True), "separate", "plain LSTMs"),
        (LSTM(hidden_size=8), GRU(hidden_size=8), "one of its own like it"),
        (LSTM(hidden_size=2), NoMemory(), "does not fit through"),
    ],
)
def test_what_they_do_not_have_is_told(memory, critic, words, tmp_path):
    model = RecurrentPPO("MlpRecurrentPolicy", "CartPole-v1", memory=memory, policy_kwargs={"critic": critic})
    with pytest.raises(ValueError, match=words):
        to_sb3_contrib(model, tmp_path / "ours")
    assert not list(tmp_path.iterdir())


def test_no_pickle_of_theirs_is_opened(tmp_path, monkeypatch):
    theirs().save(tmp_path / "theirs")
    written = tmp_path / "written"
    planted = pickle.dumps(Planted(written))
    with zipfile.ZipFile(tmp_path / "theirs.zip") as old, zipfile.ZipFile(tmp_path / "bad.zip", "w") as new:
        for entry in old.namelist():
            new.writestr(
                entry, planted if entry in ("pytorch_variables.pth", "policy.optimizer.pth") else old.read(entry)
            )
    for module in (pickle, cloudpickle):
        monkeypatch.setattr(module, "loads", lambda *_, **__: pytest.fail("unpickled"))
    monkeypatch.setattr(pickle, "Unpickler", lambda *_, **__: pytest.fail("unpickled"))
    from_sb3_contrib(tmp_path / "bad.zip")
    with zipfile.ZipFile(tmp_path / "theirs.zip") as old, zipfile.ZipFile(tmp_path / "worse.zip", "w") as new:
        for entry in old.namelist():
            new.writestr(entry, planted if entry == "policy.pth" else old.read(entry))
    with pytest.raises(CheckpointError, match="damaged or holds"):
        from_sb3_contrib(tmp_path / "worse.zip")
    assert not written.exists()


def test_other_files_are_refused(tmp_path):
    (tmp_path / "a.zip").write_bytes(b"no zip")
    with pytest.raises(CheckpointError, match="damaged"):
        from_sb3_contrib(tmp_path / "a.zip")
    buffer = io.BytesIO()
    torch.save({}, buffer)
    with zipfile.ZipFile(tmp_path / "b.zip", "w") as archive:
        archive.writestr("data", "{}")
        archive.writestr("policy.pth", buffer.getvalue())
    with pytest.raises(CheckpointError, match="no LSTM policy"):
        from_sb3_contrib(tmp_path / "b.zip")
    with pytest.raises(FileNotFoundError):
        from_sb3_contrib(tmp_path / "c.zip")


def test_a_dict_of_vectors_comes_here_with_its_space(tmp_path):
    space = spaces.Dict({"a": spaces.Box(-1, 1, (2,)), "b": spaces.Discrete(3)})
    env = TransformObservation(gym.make("CartPole-v1"), lambda x: {"a": x[:2], "b": np.int64(1)}, space)
    there = theirs(env, policy="MultiInputLstmPolicy")
    there.save(tmp_path / "theirs")
    with pytest.raises(CheckpointError, match="Pass observation_space="):
        from_sb3_contrib(tmp_path / "theirs.zip")
    here = from_sb3_contrib(tmp_path / "theirs.zip", observation_space=space)
    _compare(here.policy, there.policy)
    _compare(here.policy, sb3_contrib.RecurrentPPO.load(to_sb3_contrib(here, tmp_path / "back")).policy)


def test_what_training_used_goes_along_and_a_normaliser_is_told(tmp_path):
    model = RecurrentPPO(
        "MlpLstmPolicy", VecNormalize(DummyVecEnv([lambda: gym.make("CartPole-v1")])), clip_range_vf=0.3,
        policy_kwargs={
            "lstm_hidden_size": 8, "optimizer_class": torch.optim.AdamW, "optimizer_kwargs": {"weight_decay": 0.1},
        },
    )  # fmt: skip
    with pytest.warns(UserWarning, match="VecNormalize"):
        there = sb3_contrib.RecurrentPPO.load(to_sb3_contrib(model, tmp_path / "ours"))
    assert there.policy.optimizer_kwargs == {"weight_decay": 0.1}
    assert isinstance(there.policy.optimizer, torch.optim.AdamW)
    assert there.clip_range_vf == 0.3 or there.clip_range_vf(1.0) == 0.3


def test_weights_that_are_missing_are_told(tmp_path):
    theirs().save(tmp_path / "theirs")
    with zipfile.ZipFile(tmp_path / "theirs.zip") as old, zipfile.ZipFile(tmp_path / "bad.zip", "w") as new:
        weights = torch.load(io.BytesIO(old.read("policy.pth")), weights_only=True)
        del weights["value_net.weight"]
        buffer = io.BytesIO()
        torch.save(weights, buffer)
        for entry in old.namelist():
            new.writestr(entry, buffer.getvalue() if entry == "policy.pth" else old.read(entry))
    with pytest.raises(CheckpointError, match="do not fit"):
        from_sb3_contrib(tmp_path / "bad.zip")
    with pytest.raises(CheckpointError, match="do not fit"):
        from_sb3_contrib(tmp_path / "theirs.zip", policy_kwargs={"no_such": 1})


class Bits(gym.Env):
    """Shows bits and takes bits."""

    observation_space, action_space = spaces.MultiBinary(4), spaces.MultiBinary(3)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        return self.observation_space.sample(), {}

    def step(self, action):
        return self.observation_space.sample(), float(action.sum()), False, bool(self.np_random.random() < 0.1), {}


def test_bits_come_here_and_go_back(tmp_path):
    there = sb3_contrib.RecurrentPPO(
        "MlpLstmPolicy", Bits(), policy_kwargs={"lstm_hidden_size": 8}, n_steps=32, batch_size=32
    )
    there.save(
        tmp_path / "theirs"
    )  # theirs cannot train on such actions: torch refuses their int8 in the log-probability
    here = from_sb3_contrib(tmp_path / "theirs.zip", env=Bits())
    assert from_sb3_contrib(tmp_path / "theirs.zip").action_space == there.action_space
    _compare(here.policy, there.policy)
    here.learn(64)


def test_a_space_that_was_printed_is_read(tmp_path):
    space = spaces.Box(np.float32([-1, -2, -3, -4]), np.float32([1, 2, 3, 4]))
    there = theirs(TransformObservation(gym.make("CartPole-v1"), lambda x: x, space))
    str(there.observation_space)
    there.save(tmp_path / "theirs")
    assert from_sb3_contrib(tmp_path / "theirs.zip").observation_space == space


def test_a_model_from_there_trains_on_in_more_columns(tmp_path):
    theirs().save(tmp_path / "theirs")
    model = from_sb3_contrib(tmp_path / "theirs.zip", env=gym.make_vec("CartPole-v1", num_envs=3))
    assert model.n_envs == 3
    model.learn(200)


def test_numbers_that_a_pickle_alone_tells_have_their_defaults_and_are_told(tmp_path):
    there = theirs()
    there.gamma = np.float32(0.9)
    there.save(tmp_path / "theirs")
    with pytest.warns(UserWarning, match="gamma"):
        assert from_sb3_contrib(tmp_path / "theirs.zip").gamma == 0.99
