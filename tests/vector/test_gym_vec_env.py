"""Attributes and methods of columns wherever those live, and observations in the dtype that the space states."""

import sys
from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest
import torch
from gymnasium import spaces
from gymnasium.vector import AsyncVectorEnv, AutoresetMode, SyncVectorEnv, VectorEnv
from gymnasium.vector.utils import batch_space

sys.path.insert(0, str(Path(__file__).parent))
from streams import Counter

import pomdp_envs  # noqa: F401 - registers the environments
from pomdp_envs import PreviousActionReward, VectorPreviousActionReward
from recurrent_rl import RecurrentPPO
from recurrent_rl.vector import as_vec_env

MODES = list(AutoresetMode)


class Adjustable(Counter):
    """With an attribute that is the reward, and a method."""

    bonus = 0.0

    def add(self, amount, *, name="bonus"):
        return getattr(self, name) + amount

    def step(self, action):
        observation, _, *rest = super().step(action)
        return observation, np.sum(self.bonus), *rest


@pytest.fixture(params=[SyncVectorEnv, AsyncVectorEnv])
def adjustable(request):
    env = as_vec_env(request.param([Adjustable] * 3, autoreset_mode=AutoresetMode.SAME_STEP), seed=0)
    env.reset()
    yield env
    env.close()


def rewards(env):
    return env.step(np.zeros(3, dtype=int))[1].tolist()


def test_an_attribute_is_set_and_read_in_every_column(adjustable):
    assert adjustable.get_attr("bonus") == [0, 0, 0]
    adjustable.set_attr("bonus", 7.0)
    assert adjustable.get_attr("bonus") == [7, 7, 7]
    assert rewards(adjustable) == [7, 7, 7]
    adjustable.set_attr("bonus", [1.0, 2.0, 3.0])  # one value for each column, as SB3 has it
    assert adjustable.get_attr("bonus", indices=0) == [[1, 2, 3]]
    assert rewards(adjustable) == [6, 6, 6]


def test_an_attribute_is_set_in_some_columns_only(adjustable):
    adjustable.set_attr("bonus", 5.0, indices=[0, -1])
    assert adjustable.get_attr("bonus") == [5, 0, 5]
    adjustable.set_attr("bonus", 2.0, indices=1)
    assert adjustable.get_attr("bonus", indices=[2, 1]) == [5, 2]
    assert rewards(adjustable) == [5, 2, 5]


def test_a_method_is_called_in_every_column(adjustable):
    adjustable.set_attr("bonus", 1.0, indices=[2])
    assert adjustable.env_method("add", 4) == [4, 4, 5]
    assert adjustable.env_method("add", 4, name="clock", indices=[0, 1, 2]) == [4, 4, 4]


def test_a_missing_attribute_is_an_error_and_leaves_the_columns_working(adjustable):
    for attempt in (adjustable.get_attr, adjustable.env_method):
        with pytest.raises(AttributeError, match="no_such_thing"):
            attempt("no_such_thing")
    assert not adjustable.has_attr("no_such_thing")
    assert adjustable.has_attr("bonus")
    assert rewards(adjustable) == [0, 0, 0]


def test_processes_refuse_a_method_of_some_columns():
    env = as_vec_env(AsyncVectorEnv([Adjustable] * 2, autoreset_mode=AutoresetMode.SAME_STEP))
    with pytest.raises(ValueError, match="Leave `indices` out"):
        env.env_method("add", 4, indices=[1])
    env.close()


def test_a_native_batch_refuses_to_set_an_attribute_of_some_columns():
    env = as_vec_env("pomdp_envs/TMaze-v0", n_envs=3)
    for indices in (0, [0, 2], [1, 1, 1]):
        with pytest.raises(ValueError, match="Leave `indices` out"):
            env.set_attr("label", 1, indices=indices)
    assert not env.has_attr("label")
    env.set_attr("label", 1, indices=[0, 1, -1])
    env.set_attr("tag", 2)
    assert env.get_attr("label") == [1, 1, 1]
    assert env.get_attr("tag", indices=[0]) == [2]


class Loose(VectorEnv):
    """Float spaces, but integer zeros at first, float64 later; the final observations as well."""

    def __init__(self, mode, as_dict=False):
        self.num_envs, self.as_dict = 2, as_dict
        self.metadata = {"autoreset_mode": mode}
        box = spaces.Box(-10, 10, (1,), np.float32)
        self.single_observation_space = spaces.Dict({"x": box, "n": spaces.Discrete(50)}) if as_dict else box
        self.single_action_space = spaces.Discrete(2)
        self.observation_space = batch_space(self.single_observation_space, 2)
        self.action_space = batch_space(self.single_action_space, 2)
        self.clock = np.zeros(2, dtype=np.int64)

    def observe(self, clock):
        x = np.zeros((len(clock), 1), dtype=int) if not clock.any() else clock[:, None] * 0.1
        return {"x": x, "n": clock.astype(float), "unstated": x} if self.as_dict else x

    def reset(self, *, seed=None, options=None):
        mask = options["reset_mask"] if options and "reset_mask" in options else np.ones(2, dtype=bool)
        self.clock[mask] = 0
        return self.observe(self.clock), {}

    def step(self, actions):
        self.clock += 1
        ended = self.clock == 4
        infos = {}
        if ended.any() and self.metadata["autoreset_mode"] is AutoresetMode.SAME_STEP:
            final, infos["final_obs"] = self.observe(self.clock), np.full(2, None, dtype=object)
            for column in np.flatnonzero(ended):
                infos["final_obs"][column] = (
                    {key: value[column] for key, value in final.items()} if self.as_dict else final[column]
                )
            self.clock[ended] = 0
        return self.observe(self.clock), np.ones(2), np.zeros(2, dtype=bool), ended, infos


@pytest.mark.parametrize("mode", [AutoresetMode.SAME_STEP, AutoresetMode.DISABLED])
def test_a_rollout_stores_the_spaces_dtype_and_the_true_values_whatever_comes_first(mode):
    model = RecurrentPPO("MlpRecurrentPolicy", Loose(mode), n_steps=8, batch_size=8, n_epochs=1).learn(16)
    stored = model.rollout_buffer.observations
    assert stored.dtype == torch.float32
    expected = torch.tensor([0.0, 0.1, 0.2, 0.3] * 2)
    assert torch.equal(stored[:, :, 0], expected[:, None].expand(8, 2))


@pytest.mark.parametrize("mode", [AutoresetMode.SAME_STEP, AutoresetMode.DISABLED])
@pytest.mark.parametrize("as_dict", [False, True])
def test_observations_and_final_ones_have_the_spaces_dtype_in_every_key(mode, as_dict):
    env = as_vec_env(Loose(mode, as_dict))
    dtypes = {"x": np.float32, "n": np.int64} if as_dict else {"": np.float32}
    found = [env.reset()]
    for _ in range(5):
        observation, _, dones, infos = env.step(np.zeros(2, dtype=int))
        found.append(observation)
        found.extend(infos[column]["terminal_observation"] for column in np.flatnonzero(dones))
    assert len(found) == 8
    for one in found:
        parts = one if as_dict else {"": one}
        assert {key: part.dtype for key, part in parts.items()} == dtypes
    final = found[-3]
    assert np.array_equal(final["x"] if as_dict else final, np.array([0.4], dtype=np.float32))


@pytest.mark.parametrize("mode", MODES)
def test_previous_actions_and_rewards_beside_a_dict_can_be_trained_on(mode):
    def train(env):
        model = RecurrentPPO("MultiInputRecurrentPolicy", env, n_steps=16, batch_size=16, n_epochs=1, seed=0)
        return model.learn(32).rollout_buffer

    def make():
        return Counter(as_dict=True)

    batch = train(VectorPreviousActionReward(SyncVectorEnv([make] * 2, autoreset_mode=mode)))
    columns = train(SyncVectorEnv([lambda: PreviousActionReward(make())] * 2, autoreset_mode=mode))
    assert set(batch.observations) == {"a", "b", "previous_action", "previous_reward"}
    assert batch.observations["previous_action"].any()
    for key, value in batch.observations.items():
        assert torch.equal(value, columns.observations[key])
    assert torch.equal(batch.final_values, columns.final_values)


def test_previous_actions_and_rewards_beside_a_dict_of_one_environment_can_be_trained_on():
    env = PreviousActionReward(gym.wrappers.TimeLimit(Counter(as_dict=True), 3))
    model = RecurrentPPO("MultiInputRecurrentPolicy", env, n_steps=16, batch_size=16, n_epochs=1).learn(32)
    assert set(model.rollout_buffer.observations) == {"a", "b", "previous_action", "previous_reward"}
