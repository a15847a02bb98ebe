"""Whether `reset_mask` is honoured is found out on the environment itself: copies may share processes and handles."""

import sys
from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.vector import AsyncVectorEnv, AutoresetMode, SyncVectorEnv, VectorEnv
from gymnasium.vector.utils import batch_space

sys.path.insert(0, str(Path(__file__).parent))
from streams import Counter, stream

import pomdp_envs  # noqa: F401 - registers the environments
from recurrent_rl import RecurrentPPO
from recurrent_rl.vector import GymVecEnv, as_vec_env
from recurrent_rl.vector.probe import check_reset_mask

DISABLED = AutoresetMode.DISABLED


class Ramp(VectorEnv):
    """A native batch without autoreset that cannot be copied: each column counts its steps to `length`."""

    metadata = {"autoreset_mode": DISABLED}  # noqa: RUF012

    def __init__(self, num_envs=3, length=5, honours=True):
        self.num_envs, self.length, self.honours = num_envs, length, honours
        self.single_observation_space = spaces.Box(-100, 100, (2,), np.float32)
        self.single_action_space = spaces.Discrete(2)
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self.clock = np.zeros(num_envs)
        self.start = np.zeros(num_envs)
        self.seeds = []

    def __deepcopy__(self, memo):
        raise AssertionError("a copy would share this environment's handles")

    def reset(self, *, seed=None, options=None):
        self.seeds.append(seed)
        super().reset(seed=seed)
        mask = np.ones(self.num_envs, dtype=bool)
        if self.honours and options and "reset_mask" in options:
            mask = options["reset_mask"]
        self.clock[mask] = 0
        self.start[mask] = self.np_random.uniform(size=self.num_envs)[mask]
        return self.observe(), {}

    def observe(self):
        return np.stack([self.clock, self.start], axis=1).astype(np.float32)

    def step(self, actions):
        self.clock += 1
        ended = self.clock >= self.length
        return self.observe(), np.ones(self.num_envs), ended, np.zeros_like(ended), {}


class Stateful(Ramp):
    """The same, giving its state."""

    def get_state(self):
        return {
            "clock": self.clock,
            "start": self.start,
            "generator": self.np_random.bit_generator.state,
        }  # live arrays

    def set_state(self, state):
        self.clock[:], self.start[:] = state["clock"], state["start"]
        self.np_random.bit_generator.state = state["generator"]


def train(env):
    model = RecurrentPPO("MlpRecurrentPolicy", env, n_steps=16, batch_size=16, n_epochs=1, seed=0)
    return model.learn(32)


def test_processes_without_autoreset_train_and_give_the_same_rows_as_one_process():
    face = as_vec_env(AsyncVectorEnv([Counter] * 2, autoreset_mode=DISABLED))
    found = stream(face, 20)
    train(face)
    face.close()
    assert found == stream(as_vec_env(SyncVectorEnv([Counter] * 2, autoreset_mode=DISABLED)), 20)


def test_columns_that_own_handles_train_without_autoreset():
    server = {}

    class Simulated(Counter):
        def __init__(self):
            super().__init__()
            self.client = len(server)
            server[self.client] = 0

        def step(self, action):
            server[self.client] += 1
            return super().step(action)

        def close(self):
            server.pop(self.client, None)

        def __del__(self):
            self.close()

    model = train(SyncVectorEnv([Simulated] * 2, autoreset_mode=DISABLED))
    assert len(server) == 2
    model.get_env().close()


def test_gymnasiums_own_are_left_alone_under_wrappers_too():
    class Recorded(Counter):
        calls = 0

        def step(self, action):
            self.calls += 1
            return super().step(action)

    env = SyncVectorEnv([Recorded] * 2, autoreset_mode=DISABLED)
    assert not check_reset_mask(gym.wrappers.vector.RecordEpisodeStatistics(env))
    assert env.envs[0].calls == 0


@pytest.mark.parametrize("kind", [Ramp, Stateful])
def test_a_batch_that_ignores_the_mask_is_refused_before_training_each_time(kind):
    env = as_vec_env(kind(honours=False))
    model = RecurrentPPO("MlpRecurrentPolicy", env, n_steps=16, batch_size=16)
    for _ in range(2):
        with pytest.raises(ValueError, match=r"ignores options\['reset_mask'\]"):
            model.learn(16)
    assert model.num_timesteps == 0


def test_a_subclass_of_gymnasiums_that_ignores_the_mask_is_refused():
    class Ignores(SyncVectorEnv):
        def reset(self, *, seed=None, options=None):
            return super().reset(seed=seed)

    with pytest.raises(ValueError, match=r"ignores options\['reset_mask'\]"):
        as_vec_env(Ignores([Counter] * 3, autoreset_mode=DISABLED)).reset()


def test_a_state_is_put_back_after_the_probe_so_that_an_unseeded_stream_goes_on():
    env, twin = Stateful(), Stateful()
    for one in (env, twin):
        one.reset(seed=8)
        one.step(np.zeros(3, dtype=int))
    assert not check_reset_mask(env)
    assert np.array_equal(env.observe(), twin.observe())
    first = GymVecEnv(env).reset()  # probes again
    assert np.array_equal(first, twin.reset()[0])
    assert env.seeds[-1] is None


def test_an_environment_without_a_state_gets_a_new_seed_after_the_probe_unless_one_was_given():
    env = Ramp()
    assert check_reset_mask(env)
    GymVecEnv(env).reset()
    assert env.seeds[-1] not in (None, 0)
    seeded = GymVecEnv(Ramp())
    seeded.seed(4)
    assert np.array_equal(seeded.reset(), Ramp().reset(seed=4)[0])


def test_a_native_batch_is_the_same_with_a_probe_and_a_seed_as_without():
    env = gym.make_vec("pomdp_envs/CartPoleNoVel-v0", num_envs=3, autoreset_mode=DISABLED)
    twin = gym.make_vec("pomdp_envs/CartPoleNoVel-v0", num_envs=3, autoreset_mode=DISABLED)
    face = as_vec_env(env, seed=5)
    assert np.array_equal(face.reset(), twin.reset(seed=5)[0])
    assert not check_reset_mask(env)  # it has a state now
    assert np.array_equal(face.reset(), twin.reset()[0])


def test_the_probe_does_not_move_the_action_spaces_stream():
    env = Ramp()
    env.single_action_space.seed(3)
    check_reset_mask(env)
    twin = spaces.Discrete(2, seed=3)
    assert [env.single_action_space.sample() for _ in range(20)] == [twin.sample() for _ in range(20)]
