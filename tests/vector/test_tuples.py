"""Tuple observations arrive as MultiDiscrete or Dict observations, the same through every face."""

import sys
from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from stable_baselines3.common.vec_env import DummyVecEnv

sys.path.insert(0, str(Path(__file__).parent))
from streams import Counter, stream

import pomdp_envs  # noqa: F401 - registers the environments
from recurrent_rl import RecurrentPPO
from recurrent_rl.policies import RecurrentActorCriticPolicy
from recurrent_rl.vector import as_vec_env, get_env_state, set_env_state, without_tuples
from recurrent_rl.vector.tuples import has_tuple, space_without_tuples

MODES = list(AutoresetMode)
BOX = spaces.Box(-1, 1, (3,), np.float32)
MIXED = spaces.Tuple([BOX, spaces.Tuple([spaces.Discrete(3), spaces.Discrete(4, start=-1)])])
SPACES = {
    "choices": (spaces.Tuple([spaces.Discrete(2), spaces.Discrete(4)]), spaces.MultiDiscrete([2, 4])),
    "from elsewhere": (
        spaces.Tuple([spaces.Discrete(3, start=5), spaces.MultiDiscrete([[2, 3], [4, 5]], start=[[1, 0], [0, -2]])]),
        spaces.MultiDiscrete([3, 2, 3, 4, 5]),
    ),
    "nested": (spaces.Tuple([spaces.Tuple([spaces.Discrete(2)]), spaces.Discrete(3)]), spaces.MultiDiscrete([2, 3])),
    "mixed": (MIXED, spaces.Dict({"0": BOX, "1": spaces.MultiDiscrete([3, 4])})),
    "in a dict": (
        spaces.Dict({"a": spaces.Discrete(5), "b": MIXED}),
        spaces.Dict({"a": spaces.Discrete(5), "b/0": BOX, "b/1": spaces.MultiDiscrete([3, 4])}),
    ),
    "choices in a dict": (
        spaces.Dict({"a": BOX, "b": spaces.Tuple([spaces.Discrete(2), spaces.Discrete(4)])}),
        spaces.Dict({"a": BOX, "b": spaces.MultiDiscrete([2, 4])}),
    ),
    "bits": (
        spaces.Tuple([spaces.MultiBinary(2), spaces.Discrete(2)]),
        spaces.Dict({"0": spaces.MultiBinary(2), "1": spaces.Discrete(2)}),
    ),
    "a dict in a tuple": (
        spaces.Tuple([spaces.Dict({"x": BOX}), spaces.Discrete(2)]),
        spaces.Dict({"0/x": BOX, "1": spaces.Discrete(2)}),
    ),
}


class Pair(Counter):
    """The counter, whose numbers are choices, or a mixture."""

    def __init__(self, mixed=False):
        super().__init__()
        self.mixed = mixed
        choices = spaces.Tuple([spaces.Discrete(10, start=-2), spaces.Discrete(100)])
        self.observation_space = spaces.Tuple([BOX, choices]) if mixed else choices

    def observe(self):
        choices = (self.clock - 2, self.episode)
        return (np.full(3, self.length / 10, dtype=np.float32), choices) if self.mixed else choices


@pytest.mark.parametrize("name", SPACES)
def test_an_observation_and_a_batch_lie_in_the_stated_space(name):
    given, expected = SPACES[name]
    assert space_without_tuples(given) == expected
    assert has_tuple(given)
    assert not has_tuple(expected)
    given.seed(0)
    rows = [given.sample() for _ in range(4)]
    batch = gym.vector.utils.concatenate(given, rows, gym.vector.utils.create_empty_array(given, 4))
    shown = [without_tuples(given, row) for row in rows]
    for row, alone in zip(gym.vector.utils.iterate(gym.vector.utils.batch_space(given, 4), batch), shown, strict=True):
        assert expected.contains(alone)
        np.testing.assert_equal(without_tuples(given, row), alone)
    together = without_tuples(given, batch)
    for key, part in together.items() if isinstance(together, dict) else [(None, together)]:
        np.testing.assert_array_equal(part, [row if key is None else row[key] for row in shown])


def test_choices_count_from_zero_and_keep_their_order():
    given, _ = SPACES["from elsewhere"]
    assert without_tuples(given, (6, np.array([[2, 1], [3, -2]]))).tolist() == [1, 1, 1, 3, 0]


def test_spaces_without_tuples_stay_as_they_are():
    for space in (BOX, spaces.Discrete(3, start=2), spaces.Dict({"a": spaces.Dict({"b": BOX})})):
        assert space_without_tuples(space) is space
        observation = space.sample()
        assert without_tuples(space, observation) is observation


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("mixed", [False, True])
def test_every_face_gives_the_same_rows(mixed, mode):
    def single():
        return Pair(mixed)

    for b, found in enumerate(stream(as_vec_env(SyncVectorEnv([single] * 3, autoreset_mode=mode)), 40)):
        alone = stream(as_vec_env(single()), 40, seed=3 + b)[0]
        assert found == alone[: len(found)]
        assert any(row[5] is not None for row in found)


@pytest.mark.parametrize("mode", MODES)
def test_a_native_batch_of_tuples_gives_the_same_rows_as_single_environments(mode):
    batch = as_vec_env(gym.make_vec("pomdp_envs/AutoencodeEasy-v0", num_envs=3, autoreset_mode=mode))
    single = [as_vec_env(gym.make("pomdp_envs/AutoencodeEasy-v0")) for _ in range(3)]
    assert batch.observation_space == single[0].observation_space == spaces.MultiDiscrete([2, 4])
    for b, found in enumerate(stream(batch, 250)):
        assert found == stream(single[b], 250, seed=3 + b)[0][: len(found)]


@pytest.mark.parametrize("mixed", [False, True])
def test_a_state_put_into_a_fresh_environment_goes_on_identically(mixed):
    for build in (
        lambda: as_vec_env(Pair(mixed)),
        *(lambda mode=mode: as_vec_env(SyncVectorEnv([lambda: Pair(mixed)], autoreset_mode=mode)) for mode in MODES),
    ):
        env, fresh = build(), build()
        env.seed(4)
        env.reset()
        fresh.reset()
        for _ in range(11):
            env.step(np.zeros(1, dtype=int))
        set_env_state(fresh, get_env_state(env))
        for _ in range(20):
            np.testing.assert_equal(fresh.step(np.zeros(1, dtype=int))[:3], env.step(np.zeros(1, dtype=int))[:3])


@pytest.mark.parametrize("make", [Pair, "Blackjack-v1", lambda: SyncVectorEnv([Pair], autoreset_mode="SameStep")])
def test_a_policy_trains_on_choices(make):
    model = RecurrentPPO("MlpRecurrentPolicy", make if isinstance(make, str) else make(), n_steps=16, batch_size=16)
    assert isinstance(model.observation_space, spaces.MultiDiscrete)
    assert model.learn(16).num_timesteps == 16


def test_a_policy_trains_on_a_mixture():
    model = RecurrentPPO("MultiInputRecurrentPolicy", Pair(mixed=True), n_steps=16, batch_size=16)
    assert model.learn(16).num_timesteps == 16
    with pytest.raises(ValueError, match="MultiInputRecurrentPolicy"):
        RecurrentPPO("MlpRecurrentPolicy", Pair(mixed=True))


def test_where_tuples_cannot_be_turned_the_message_says_what_to_do():
    with pytest.raises(ValueError, match=r"Give a gymnasium\.Env"):
        as_vec_env(DummyVecEnv([Pair]))
    with pytest.raises(ValueError, match="as_vec_env"):
        RecurrentActorCriticPolicy(SPACES["choices"][0], spaces.Discrete(2), lambda _: 1e-3)
    model = RecurrentPPO("MlpRecurrentPolicy", Pair(), n_steps=16, batch_size=16)
    with pytest.raises(ValueError, match="without_tuples"):
        model.predict((0, 0))
