import json

import gymnasium as gym
import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.error import ResetNeeded
from gymnasium.vector import AutoresetMode

from pomdp_envs import BatchedEnv, Dynamics
from pomdp_envs.control import CartPoleNoVel

IDS = [f"pomdp_envs/{name}-v0" for name in ("CartPoleNoVel", "PendulumNoVel", "MountainCarContinuousNoVel", "TMaze")]
MODES = list(AutoresetMode)
B = 5


class NoisyCounter(Dynamics):
    """Counts steps and shows a fresh random number at each; ends after three steps."""

    observation_space = spaces.Box(0.0, np.inf, (2,), np.float64)
    action_space = spaces.Discrete(2)
    time_limit = 10
    initial_draws = 1
    transition_draws = 1

    def initial(self, uniforms):
        return np.stack([np.zeros(uniforms.shape[1]), uniforms[0]])

    def transition(self, state, action, uniforms):
        following = np.stack([state[0] + 1, uniforms[0]])
        return following, following[0] * 10, following[0] >= 3

    def observe(self, state):
        return state.T.copy()

    def text(self, state):
        return str(state)


def make(env_id: str, num_envs: int = B, mode: AutoresetMode = AutoresetMode.SAME_STEP) -> BatchedEnv:
    env = gym.make_vec(env_id, num_envs=num_envs, autoreset_mode=mode)
    assert isinstance(env, BatchedEnv)
    return env


def random_actions(env, steps: int, seed: int = 0) -> list[np.ndarray]:
    env.action_space.seed(seed)
    return [env.action_space.sample() for _ in range(steps)]


def advance(env, actions, ended=None):
    """One step; in DISABLED mode the columns that have ended are reset first, and the result says which end now."""
    if ended is not None and ended.any() and env.metadata["autoreset_mode"] is AutoresetMode.DISABLED:
        env.reset(options={"reset_mask": ended})
    return env.step(actions)


def assert_same(left, right):
    """Compare step results exactly, infos included."""
    for a, b in zip(left[:4], right[:4], strict=True):
        np.testing.assert_array_equal(a, b)
        assert a.dtype == b.dtype
    assert set(left[4]) == set(right[4])
    for key in set(left[4]) - {"final_info"}:
        for a, b in zip(left[4][key], right[4][key], strict=True):
            np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("env_id", IDS)
def test_a_batch_equals_a_sync_vector_env_of_its_columns_in_every_autoreset_mode(env_id, mode):
    native = make(env_id, mode=mode)
    sync = gym.make_vec(env_id, num_envs=B, vectorization_mode="sync", vector_kwargs={"autoreset_mode": mode})
    np.testing.assert_array_equal(native.reset(seed=11)[0], sync.reset(seed=11)[0])
    assert native.observation_space == sync.observation_space
    assert native.action_space == sync.action_space
    ended, episodes = None, 0
    for actions in random_actions(native, 1100 if "MountainCar" in env_id else 450):
        result = advance(native, actions, ended)
        assert_same(result, advance(sync, actions, ended))
        ended = result[2] | result[3]
        episodes += ended.sum()
    assert episodes >= B


def test_a_batch_that_draws_random_numbers_at_every_step_equals_its_columns_alone():
    def run(num_envs, seed):
        env = BatchedEnv(NoisyCounter(), num_envs, AutoresetMode.SAME_STEP)
        first = env.reset(seed=seed)[0]
        return np.stack([first, *[env.step(np.zeros(num_envs, int))[0] for _ in range(20)]])

    batch = run(4, seed=20)
    for column in range(4):
        np.testing.assert_array_equal(batch[:, column : column + 1], run(1, seed=20 + column))
    assert len(np.unique(batch[..., 1])) == 21 * 4


def test_same_step_returns_the_first_observation_and_reports_the_last():
    env = BatchedEnv(NoisyCounter(), 2, AutoresetMode.SAME_STEP)
    env.reset(seed=0)
    for _ in range(2):
        assert env.step(np.zeros(2, int))[4] == {}
    observations, rewards, terminated, truncated, infos = env.step(np.zeros(2, int))
    assert observations[:, 0].tolist() == [0, 0]
    assert [final[0] for final in infos["final_obs"]] == [3, 3]
    assert rewards.tolist() == [30, 30]
    assert terminated.all()
    assert not truncated.any()


def test_next_step_spends_one_row_without_reward_on_the_reset():
    env = BatchedEnv(NoisyCounter(), 1, AutoresetMode.NEXT_STEP)
    env.reset(seed=0)
    rows = [env.step(np.zeros(1, int)) for _ in range(5)]
    assert [row[0][0, 0] for row in rows] == [1, 2, 3, 0, 1]
    assert [row[1][0] for row in rows] == [10, 20, 30, 0, 10]
    assert [bool(row[2][0]) for row in rows] == [False, False, True, False, False]


def test_disabled_mode_refuses_to_step_an_ended_column_and_names_it():
    env = BatchedEnv(NoisyCounter(), 2, AutoresetMode.DISABLED)
    env.reset(seed=0)
    env.step(np.zeros(2, int))
    env.reset(options={"reset_mask": np.array([True, False])})
    for _ in range(2):
        observations = env.step(np.zeros(2, int))[0]
    assert observations[:, 0].tolist() == [2, 3]
    with pytest.raises(ResetNeeded, match=r"columns \[1\] are over"):
        env.step(np.zeros(2, int))
    env.reset(options={"reset_mask": np.array([False, True])})
    assert env.step(np.zeros(2, int))[0][:, 0].tolist() == [3, 1]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("env_id", IDS)
def test_a_state_resumes_exactly_even_through_json(env_id, mode):
    env, twin = make(env_id, mode=mode), make(env_id, mode=mode)
    env.reset(seed=3)
    ended = None
    for count, actions in enumerate(random_actions(env, 300)):
        if count % 50 == 25 or (ended is not None and ended.any() and count % 3 == 0):
            stored = json.loads(json.dumps({key: value.tolist() for key, value in env.get_state().items()}))
            twin.set_state({key: np.array(value) for key, value in stored.items()})
            assert_same(advance(twin, actions, ended), result := advance(env, actions, ended))
        else:
            result = advance(env, actions, ended)
        ended = result[2] | result[3]


@pytest.mark.parametrize("env_id", IDS)
def test_one_column_of_a_state_continues_alone(env_id):
    env, alone = make(env_id), gym.make(env_id).unwrapped
    env.reset(seed=3)
    actions = random_actions(env, 60)
    for step in actions[:30]:
        env.step(step)
    alone.set_state({key: value[2:3] for key, value in env.get_state().items()})
    for step in actions[30:]:
        observations, rewards, terminated, truncated, infos = env.step(step)
        observation, reward, *_ = alone.step(step[2])
        if terminated[2] or truncated[2]:
            np.testing.assert_array_equal(observation, infos["final_obs"][2])
            observation, _ = alone.reset()
        np.testing.assert_array_equal(observation, observations[2])
        assert reward == rewards[2]


def test_states_and_observations_are_copies():
    env = BatchedEnv(CartPoleNoVel(), 3)
    observation, _ = env.reset(seed=0)
    before = env.get_state()
    handed_over = env.get_state()
    env.set_state(handed_over)
    observation[:] = 9
    for value in [*env.get_state().values(), *handed_over.values()]:
        value[:] = 1
    for key, value in env.get_state().items():
        np.testing.assert_array_equal(value, before[key])
    stepped = env.step(np.array([0, 1, 0]))[0]
    kept = stepped.copy()
    env.step(np.array([0, 1, 0]))
    np.testing.assert_array_equal(stepped, kept)


def test_a_state_that_does_not_fit_is_refused():
    env = BatchedEnv(CartPoleNoVel(), 3)
    env.reset(seed=0)
    state = env.get_state()
    with pytest.raises(ValueError, match=r"state\['hidden'\] has shape \(3, 4\), expected \(2, 4\)"):
        BatchedEnv(CartPoleNoVel(), 2).set_state(state)
    del state["step"]
    with pytest.raises(ValueError, match="needs the keys"):
        env.set_state(state)


def test_a_state_with_columns_that_wait_for_a_reset_is_refused_where_none_would_come():
    def ended_state(mode):
        env = BatchedEnv(NoisyCounter(), 2, mode)
        env.reset(seed=0)
        for _ in range(3):
            env.step(np.zeros(2, int))
        return env.get_state()

    env = BatchedEnv(NoisyCounter(), 2, AutoresetMode.SAME_STEP)
    env.reset(seed=5)
    before = env.get_state()
    for mode in (AutoresetMode.NEXT_STEP, AutoresetMode.DISABLED):
        state = ended_state(mode)
        with pytest.raises(ValueError, match=r"columns \[0, 1\] of this state wait for a reset"):
            env.set_state(state)
        for key, value in env.get_state().items():
            np.testing.assert_array_equal(value, before[key])
        BatchedEnv(NoisyCounter(), 2, AutoresetMode.NEXT_STEP).set_state(state)
        BatchedEnv(NoisyCounter(), 2, AutoresetMode.DISABLED).set_state(state)
    env.set_state(ended_state(AutoresetMode.SAME_STEP))


@pytest.mark.parametrize("count", [0, -1, 2.5, 2.0, "2", None])
def test_a_number_of_columns_that_is_no_positive_integer_is_refused(count):
    with pytest.raises(ValueError, match="num_envs must be an integer of at least 1"):
        BatchedEnv(CartPoleNoVel(), count)


def test_an_integer_seed_is_counted_up_over_the_columns_and_a_list_is_taken_as_it_is():
    env = BatchedEnv(CartPoleNoVel(), 3)
    first, _ = env.reset(seed=5)
    np.testing.assert_array_equal(env.reset(seed=[5, 6, 7])[0], first)
    assert len(np.unique(first[:, 0])) == 3


def test_reset_without_a_seed_goes_on_to_the_next_episode():
    env = BatchedEnv(CartPoleNoVel(), 2)
    first, _ = env.reset(seed=5)
    second, _ = env.reset()
    assert (first != second).all()
    assert env.get_state()["episode"].tolist() == [1, 1]
    env.reset(seed=5)
    np.testing.assert_array_equal(env.reset()[0], second)
    np.testing.assert_array_equal(env.reset(seed=[None, 6])[0][1], first[1])


def test_environments_that_never_had_a_seed_differ():
    assert (BatchedEnv(CartPoleNoVel(), 2).reset()[0] != BatchedEnv(CartPoleNoVel(), 2).reset()[0]).all()


@pytest.mark.parametrize(
    ("seed", "message"), [([1], "1 seeds for 2"), (-1, "must lie in"), (2**63 - 1, "must lie in"), ([1, -4], "lie in")]
)
def test_seeds_that_do_not_fit_are_refused(seed, message):
    with pytest.raises(ValueError, match=message):
        BatchedEnv(CartPoleNoVel(), 2).reset(seed=seed)


@pytest.mark.parametrize("mask", [[True, False], np.array([1, 0]), np.array([True]), np.array([False, False])])
def test_a_reset_mask_that_does_not_fit_is_refused(mask):
    env = BatchedEnv(CartPoleNoVel(), 2)
    env.reset(seed=0)
    with pytest.raises(ValueError, match="reset_mask"):
        env.reset(options={"reset_mask": mask})


def test_a_masked_reset_leaves_the_other_columns_alone_and_the_options_unchanged():
    env = BatchedEnv(CartPoleNoVel(), 2)
    first, _ = env.reset(seed=0)
    options = {"reset_mask": np.array([False, True])}
    second, _ = env.reset(seed=100, options=options)
    np.testing.assert_array_equal(second[0], first[0])
    np.testing.assert_array_equal(second[1], BatchedEnv(CartPoleNoVel(), 2).reset(seed=100)[0][1])
    assert list(options) == ["reset_mask"]


def test_step_and_get_state_before_reset_are_refused():
    env = BatchedEnv(CartPoleNoVel(), 2)
    with pytest.raises(ResetNeeded):
        env.step(np.zeros(2, int))
    with pytest.raises(ResetNeeded):
        env.get_state()
    with pytest.raises(ResetNeeded):
        env.reset(options={"reset_mask": np.array([True, False])})


def test_the_batched_dynamics_is_the_registered_one():
    assert isinstance(make(IDS[0]).dynamics, CartPoleNoVel)


def test_what_stands_in_the_place_of_an_ignored_action_is_allowed():
    env = gym.make_vec("pomdp_envs/PendulumNoVel-v0", num_envs=2, autoreset_mode="NextStep", max_episode_steps=1)
    env.reset(seed=0)
    env.step(np.zeros((2, 1), np.float32))
    observation, rewards, *_ = env.step(np.full((2, 1), np.nan, np.float32))
    assert np.isfinite(observation).all()
    assert (rewards == 0).all()
    with pytest.raises(ValueError, match="in column 0 is outside"):
        env.step(np.full((2, 1), np.nan, np.float32))


def test_a_world_that_needs_more_random_numbers_than_a_step_has_is_refused():
    with pytest.raises(ValueError, match=r"BernoulliBandit of this size needs .* fewer than 65536"):
        gym.make_vec("pomdp_envs/BernoulliBandit-v0", arms=2**16 + 1)


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("RepeatFirstEasy", {"num_decks": 631}, "num_decks must be an integer from 1 to 630"),
        ("LabyrinthEscapeEasy", {"cells": 91}, "cells must be an integer from 3 to 90"),
        ("MineSweeperEasy", {"rows": 200, "columns": 200}, "counted in int16"),
        ("GaussianBandit", {"arms": "3"}, "arms must be an integer"),
        ("BattleshipEasy", {"ship_sizes": 3}, "ship_sizes must be a sequence"),
        ("DarkRoom", {"ends_at_goal": "no"}, "ends_at_goal must be True or False"),
        ("TMaze", {"corridor_length": True}, "corridor_length must be an integer"),
    ],
)
def test_arguments_that_do_not_fit_are_named(name, arguments, message):
    with pytest.raises(ValueError, match=message):
        gym.make_vec(f"pomdp_envs/{name}-v0", num_envs=2, **arguments)
