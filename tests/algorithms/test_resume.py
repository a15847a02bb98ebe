"""A run that is interrupted at an update boundary and resumed equals the uninterrupted one, bit for bit on the CPU."""

import gymnasium as gym
import numpy as np
import pytest
import torch
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.utils import LinearSchedule
from stable_baselines3.common.vec_env import DummyVecEnv, VecNormalize

import pomdp_envs  # noqa: F401 - registers the environments
from recurrent_rl import RecurrentA2C, RecurrentPPO
from recurrent_rl.memory import GRU, LRU, LSTM, XLSTM, GTrXL, SelectiveSSM
from recurrent_rl.vector import as_vec_env, get_env_state

TOTAL = 4 * 16 * 6


def single():
    return gym.make("pomdp_envs/CartPoleNoVel-v0")


FACES = {
    "native": lambda: as_vec_env("pomdp_envs/CartPoleNoVel-v0", n_envs=4),
    "native pendulum": lambda: as_vec_env("pomdp_envs/PendulumNoVel-v0", n_envs=4),
    "next step": lambda: gym.make_vec(
        "pomdp_envs/CartPoleNoVel-v0", num_envs=4, autoreset_mode=gym.vector.AutoresetMode.NEXT_STEP
    ),
    "disabled": lambda: gym.make_vec(
        "pomdp_envs/CartPoleNoVel-v0", num_envs=4, autoreset_mode=gym.vector.AutoresetMode.DISABLED
    ),
    "sync": lambda: gym.vector.SyncVectorEnv([single] * 4, autoreset_mode=gym.vector.AutoresetMode.SAME_STEP),
    "dummy": lambda: DummyVecEnv([single] * 4),
    "normalised": lambda: VecNormalize(as_vec_env("pomdp_envs/CartPoleNoVel-v0", n_envs=4)),
}


class SaveAt(BaseCallback):
    """Saves at the update boundary, or in the middle of the rollout, nearest to a step; then stops."""

    def __init__(self, path, step, boundary=True):
        super().__init__()
        self.path, self.step, self.boundary, self.saved = path, step, boundary, False

    def _on_rollout_start(self):
        if self.boundary and self.num_timesteps >= self.step and not self.saved:
            self.model.save(self.path)
            self.saved = True

    def _on_step(self):
        if not self.boundary and self.num_timesteps >= self.step and not self.saved:
            self.model.save(self.path)
            self.saved = True
        return not self.saved


def make(face, algorithm=RecurrentPPO, **arguments):
    steps = {"batch_size": 32, "bptt_horizon": 8, "n_epochs": 2} if algorithm is RecurrentPPO else {}
    return algorithm(
        "MlpRecurrentPolicy", FACES[face](), n_steps=16, device="cpu",
        **{"seed": 5, "memory": LSTM(hidden_size=8), "learning_rate": LinearSchedule(3e-3, 0.0, 1.0), **steps, **arguments},
    )  # fmt: skip


def fingerprint(model):
    """Everything that decides how training goes on: weights, optimiser, generators, environment, hidden states."""
    optimiser = model.policy.optimizer.state_dict()["state"]
    return {
        "weights": list(model.policy.state_dict().values()),
        "optimiser": [value for state in optimiser.values() for value in state.values()],
        "torch": torch.get_rng_state(),
        "states": list(model._last_states),
        "steps": model.num_timesteps,
        "environment": flatten(get_env_state(model.env)),
        "starts": model._last_episode_starts.tolist(),
    }


def flatten(state):
    if isinstance(state, dict):
        return [item for key in sorted(state) if key != "t" for item in flatten(state[key])]
    if isinstance(state, list | tuple):
        return [item for value in state for item in flatten(value)]
    return [torch.as_tensor(state) if not isinstance(state, str | None) else state]


def assert_identical(one, other):
    for key, value in one.items():
        for a, b in zip(value, other[key], strict=True) if isinstance(value, list) else [(value, other[key])]:
            same = torch.equal(a, b) if isinstance(a, torch.Tensor) else a == b
            assert same, key


@pytest.mark.parametrize("boundary", [True, False], ids=["saved at a boundary", "saved in mid-rollout"])
@pytest.mark.parametrize("face", FACES)
def test_interrupted_and_resumed_equals_uninterrupted_bitwise(tmp_path, face, boundary):
    straight = make(face)
    straight.learn(TOTAL)
    expected = fingerprint(straight)
    broken = make(face)
    broken.learn(TOTAL, callback=SaveAt(tmp_path / "half", TOTAL // 2, boundary))
    torch.manual_seed(999)
    resumed = RecurrentPPO.load(tmp_path / "half", env=FACES[face](), device="cpu")
    resumed.learn(TOTAL - resumed.num_timesteps, reset_num_timesteps=False)
    assert_identical(expected, fingerprint(resumed))


@pytest.mark.parametrize(
    "memory", [LRU(hidden_size=8), SelectiveSSM(hidden_size=8), XLSTM(hidden_size=8), GTrXL(hidden_size=8)], ids=repr
)
def test_other_memories_resume_bitwise_in_mid_rollout(tmp_path, memory):
    straight = make("native", memory=memory)
    straight.learn(TOTAL)
    broken = make("native", memory=memory)
    broken.learn(TOTAL, callback=SaveAt(tmp_path / "half", TOTAL // 2, False))
    torch.manual_seed(999)
    resumed = RecurrentPPO.load(tmp_path / "half", env=FACES["native"](), device="cpu")
    resumed.learn(TOTAL - resumed.num_timesteps, reset_num_timesteps=False)
    assert_identical(fingerprint(straight), fingerprint(resumed))


def test_a2c_and_gsde_resume_bitwise(tmp_path):
    for algorithm, face in ((RecurrentA2C, "native"), (RecurrentPPO, "native pendulum")):
        arguments = (
            {"use_sde": True} if face == "native pendulum" else {"policy_kwargs": {"critic": GRU(hidden_size=4)}}
        )
        straight = make(face, algorithm, **arguments)
        straight.learn(TOTAL)
        expected = fingerprint(straight)
        broken = make(face, algorithm, **arguments)
        broken.learn(TOTAL, callback=SaveAt(tmp_path / "half", TOTAL // 2))
        resumed = algorithm.load(tmp_path / "half", env=FACES[face](), device="cpu")
        resumed.learn(TOTAL - resumed.num_timesteps, reset_num_timesteps=False)
        assert_identical(expected, fingerprint(resumed))


def test_learn_twice_equals_learn_once():
    straight = make("native", learning_rate=1e-3)
    straight.learn(TOTAL)
    expected = fingerprint(straight)
    twice = make("native", learning_rate=1e-3)
    twice.learn(TOTAL // 2)
    twice.learn(TOTAL // 2, reset_num_timesteps=False)
    assert_identical(expected, fingerprint(twice))


def test_two_runs_with_one_seed_are_identical_and_another_seed_is_not():
    one, two = make("native"), None
    one.learn(TOTAL)
    expected = fingerprint(one)
    two = make("native")
    two.learn(TOTAL)
    assert_identical(expected, fingerprint(two))
    other = make("native", seed=6)
    other.learn(TOTAL)
    assert not torch.equal(other.policy.value_net.weight, one.policy.value_net.weight)


def test_an_environment_without_state_goes_on_with_a_warning(tmp_path):
    model = RecurrentPPO("MlpRecurrentPolicy", "CartPole-v1", n_steps=16, batch_size=16, seed=0)
    model.learn(16)
    model.save(tmp_path / "model")
    resumed = RecurrentPPO.load(tmp_path / "model", env="CartPole-v1")
    with pytest.warns(UserWarning, match="new episodes"):
        resumed.learn(16, reset_num_timesteps=False)
    assert resumed.num_timesteps == 32


def test_force_reset_begins_new_episodes(tmp_path):
    model = make("native")
    model.learn(64)
    model.save(tmp_path / "model")
    fresh = RecurrentPPO.load(tmp_path / "model", env=FACES["native"](), force_reset=True)
    fresh.learn(64, reset_num_timesteps=False)
    assert fresh.num_timesteps == 128


def test_the_normaliser_is_put_back_where_the_environment_cannot_be(tmp_path):
    def build():
        return VecNormalize(as_vec_env("CartPole-v1", n_envs=2))

    env = build()
    model = RecurrentPPO("MlpRecurrentPolicy", env, n_steps=16, batch_size=16, seed=0)
    model.learn(64)
    model.save(tmp_path / "model")
    fresh = build()
    loaded = RecurrentPPO.load(tmp_path / "model", env=fresh)
    loaded.set_normaliser(fresh)
    assert (fresh.obs_rms.mean == env.obs_rms.mean).all()
    fresh = build()
    with pytest.warns(UserWarning, match="new episodes"):
        RecurrentPPO.load(tmp_path / "model", env=fresh).learn(32, reset_num_timesteps=False)
    assert fresh.obs_rms.count > env.obs_rms.count


class StateIsAnObject(gym.Env):
    """An environment whose state is not plain data."""

    observation_space, action_space = gym.spaces.Box(-1, 1, (2,)), gym.spaces.Discrete(2)

    def reset(self, *, seed=None, options=None):
        return self.observation_space.low, {}

    def step(self, action):
        return self.observation_space.low, 0.0, False, False, {}

    def get_state(self):
        return {"secret": lambda: None}

    def set_state(self, state):
        raise AssertionError("never reached")


def test_a_state_that_is_not_plain_data_is_left_out_unless_trusted(tmp_path):
    model = RecurrentPPO("MlpRecurrentPolicy", StateIsAnObject(), n_steps=16, batch_size=16)
    model.learn(16)
    model.save(tmp_path / "model")
    resumed = RecurrentPPO.load(tmp_path / "model", env=StateIsAnObject())
    with pytest.warns(UserWarning, match="holds no environment state"):
        resumed.learn(16, reset_num_timesteps=False)


class Picture(gym.Env):
    """A height x width x channel image of a clock, with state."""

    observation_space, action_space = gym.spaces.Box(0, 255, (36, 36, 3), np.uint8), gym.spaces.Discrete(2)

    def __init__(self):
        self.clock = 0

    def _show(self):
        return np.random.default_rng(self.clock).integers(0, 256, (36, 36, 3), dtype=np.uint8)

    def reset(self, *, seed=None, options=None):
        return self._show(), {}

    def step(self, action):
        self.clock += 1
        return self._show(), float(action), False, self.clock % 9 == 0, {}

    def get_state(self):
        return {"clock": self.clock}

    def set_state(self, state):
        self.clock = state["clock"]


def test_images_resume_bitwise(tmp_path):
    def build():
        return RecurrentPPO(
            "CnnRecurrentPolicy", DummyVecEnv([Picture] * 2), n_steps=16, batch_size=16, n_epochs=1, seed=0,
            memory=GRU(hidden_size=8), policy_kwargs={"features_extractor_kwargs": {"features_dim": 16}},
        )  # fmt: skip

    straight = build()
    straight.learn(32 * 4)
    expected = fingerprint(straight)
    build().learn(32 * 4, callback=SaveAt(tmp_path / "half", 64))
    resumed = RecurrentPPO.load(tmp_path / "half", env=DummyVecEnv([Picture] * 2))
    resumed.learn(32 * 4 - resumed.num_timesteps, reset_num_timesteps=False)
    assert_identical(expected, fingerprint(resumed))


def test_a2c_with_adam_resumes(tmp_path):
    model = make("native", RecurrentA2C, use_rms_prop=False)
    model.learn(64)
    model.save(tmp_path / "model")
    resumed = RecurrentA2C.load(tmp_path / "model", env=FACES["native"]())
    assert type(resumed.policy.optimizer) is torch.optim.Adam
    resumed.learn(64, reset_num_timesteps=False)


def maze(length):
    return gym.make_vec("pomdp_envs/TMaze-v0", num_envs=4, corridor_length=length)


@pytest.mark.parametrize(
    ("saved_in", "resumed_in"),
    [
        (FACES["normalised"], FACES["native"]),
        (FACES["native"], FACES["normalised"]),
        (FACES["native"], FACES["dummy"]),
        (FACES["dummy"], lambda: DummyVecEnv([lambda: gym.wrappers.TimeLimit(single(), 9)] * 4)),
        (lambda: maze(20), lambda: maze(3)),
    ],
)
def test_another_environment_or_wrapping_begins_new_episodes_with_a_warning(tmp_path, saved_in, resumed_in):
    model = RecurrentPPO("MlpRecurrentPolicy", saved_in(), n_steps=16, batch_size=16, n_epochs=1)
    model.learn(64)
    model.save(tmp_path / "model")
    resumed = RecurrentPPO.load(tmp_path / "model", env=resumed_in())
    with pytest.warns(UserWarning, match="new episodes.*the checkpoint's environment is"):
        resumed.learn(64, reset_num_timesteps=False)
    assert resumed.num_timesteps == 128
