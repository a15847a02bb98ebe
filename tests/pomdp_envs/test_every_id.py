"""What holds for every id of the package."""

import warnings

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from gymnasium.vector import AutoresetMode
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import pomdp_envs
from pomdp_envs import BatchedEnv

IDS = pomdp_envs.ids()
NATIVE = [env_id for env_id in IDS if isinstance(gym.make_vec(env_id, num_envs=1).unwrapped, BatchedEnv)]
MODES = list(AutoresetMode)
B, STEPS = 4, 150


def make(env_id: str, num_envs: int = B, mode: AutoresetMode = AutoresetMode.SAME_STEP) -> BatchedEnv:
    return gym.make_vec(env_id, num_envs=num_envs, autoreset_mode=mode).unwrapped


def parts(observation) -> tuple:
    return observation if isinstance(observation, tuple) else (observation,)


def assert_same_observation(left, right):
    for a, b in zip(parts(left), parts(right), strict=True):
        np.testing.assert_array_equal(a, b)
        assert np.asarray(a).dtype == np.asarray(b).dtype


def assert_same_step(left, right):
    assert_same_observation(left[0], right[0])
    for a, b in zip(left[1:4], right[1:4], strict=True):
        np.testing.assert_array_equal(a, b)
    assert ("final_obs" in left[4]) == ("final_obs" in right[4])
    for a, b in zip(left[4].get("final_obs", ()), right[4].get("final_obs", ()), strict=True):
        assert (a is None) == (b is None)
        if a is not None:
            assert_same_observation(a, b)


def advance(env, actions, ended):
    """One step; in DISABLED mode the columns that have ended are reset first."""
    if ended.any() and env.metadata["autoreset_mode"] is AutoresetMode.DISABLED:
        env.reset(options={"reset_mask": ended})
    return env.step(actions)


@pytest.mark.parametrize("env_id", IDS)
def test_gymnasiums_checker_passes_without_warnings(env_id):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for harmless in (".*symmetric and normalized.*", ".*Box observation space m.* value is .*infinity.*"):
            warnings.filterwarnings("ignore", message=harmless)
        # Simulators of others open windows, for which there may be no display.
        check_env(gym.make(env_id).unwrapped, skip_render_check=env_id not in NATIVE)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("env_id", NATIVE)
def test_a_batch_equals_its_stacked_columns_in_every_autoreset_mode(env_id, mode):
    native = make(env_id, mode=mode)
    sync = gym.make_vec(env_id, num_envs=B, vectorization_mode="sync", vector_kwargs={"autoreset_mode": mode})
    assert_same_observation(native.reset(seed=11)[0], sync.reset(seed=11)[0])
    assert native.observation_space == sync.observation_space
    assert native.action_space == sync.action_space
    native.action_space.seed(0)
    ended = np.zeros(B, dtype=bool)
    for _ in range(STEPS):
        actions = native.action_space.sample()
        result = advance(native, actions, ended)
        assert_same_step(result, advance(sync, actions, ended))
        ended = result[2] | result[3]


@pytest.mark.parametrize("env_id", NATIVE)
def test_two_copies_with_one_seed_are_the_same_and_other_seeds_differ(env_id):
    one, two, other = make(env_id), make(env_id), make(env_id)
    one.action_space.seed(1)
    assert_same_observation(one.reset(seed=5)[0], two.reset(seed=5)[0])
    other.reset(seed=5000)
    assert not np.array_equal(one.hidden_state(), other.hidden_state())
    for _ in range(STEPS):
        actions = one.action_space.sample()
        assert_same_step(one.step(actions), two.step(actions))


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@pytest.mark.parametrize("env_id", NATIVE)
@given(seed=st.integers(0, 2**62), num_envs=st.integers(1, 9), action_seed=st.integers(0, 2**31), draw=st.data())
def test_any_seed_batch_size_and_actions_stay_within_the_spaces_and_columns_stand_alone(
    env_id, seed, num_envs, action_seed, draw
):
    env, alone = make(env_id, num_envs), make(env_id, 1)
    column = draw.draw(st.integers(0, num_envs - 1))
    env.action_space.seed(action_seed)
    observation, _ = env.reset(seed=seed)
    alone.reset(seed=seed + column)
    for _ in range(40):
        assert env.observation_space.contains(observation)
        actions = env.action_space.sample()
        given_actions = actions.copy()
        observation, rewards, terminated, truncated, _ = env.step(actions)
        np.testing.assert_array_equal(actions, given_actions)
        assert np.isfinite(rewards).all()
        assert terminated.shape == truncated.shape == rewards.shape == (num_envs,)
        expected = alone.step(actions[column : column + 1])
        for part, part_alone in zip(parts(observation), parts(expected[0]), strict=True):
            np.testing.assert_array_equal(part[column], part_alone[0])
        assert (rewards[column], terminated[column], truncated[column]) == tuple(value[0] for value in expected[1:4])


@pytest.mark.parametrize("env_id", NATIVE)
def test_an_action_outside_the_space_is_refused_with_the_environments_id_and_the_column(env_id):
    env, single = make(env_id, 3), gym.make(env_id).unwrapped
    env.reset(seed=0)
    single.reset(seed=0)
    space = single.action_space
    wrong = np.stack([space.sample() for _ in range(3)])
    if isinstance(space, gym.spaces.Box):
        wrong[1] = np.nan
    else:
        wrong[1] = np.ravel(space.n if isinstance(space, gym.spaces.Discrete) else space.nvec).max()
    with pytest.raises(ValueError, match=f"{env_id}.*column 1"):
        env.step(wrong)
    with pytest.raises(ValueError, match=f"{env_id}.*column 0"):
        single.step(wrong[1])


@pytest.mark.parametrize("env_id", NATIVE)
def test_a_state_resumes_exactly_even_in_another_batch(env_id):
    env, twin = make(env_id), make(env_id)
    env.reset(seed=3)
    env.action_space.seed(2)
    for _ in range(30):
        env.step(env.action_space.sample())
    twin.set_state(env.get_state())
    np.testing.assert_array_equal(twin.hidden_state(), env.hidden_state())
    for _ in range(60):
        actions = env.action_space.sample()
        assert_same_step(env.step(actions), twin.step(actions))


@pytest.mark.parametrize("env_id", NATIVE)
def test_observations_and_states_are_not_written_to_by_later_steps(env_id):
    env = make(env_id)
    observation, _ = env.reset(seed=0)
    hidden = env.hidden_state()
    kept = [part.copy() for part in (*parts(observation), hidden)]
    for _ in range(10):
        env.step(env.action_space.sample())
    for part, before in zip((*parts(observation), hidden), kept, strict=True):
        np.testing.assert_array_equal(part, before)


@pytest.mark.parametrize("env_id", NATIVE)
def test_every_world_renders_as_text_and_those_that_say_so_as_pictures(env_id):
    for mode in gym.make(env_id).metadata["render_modes"]:
        single, batch = gym.make(env_id, render_mode=mode), gym.make_vec(env_id, num_envs=2, render_mode=mode)
        single.reset(seed=0)
        batch.reset(seed=0)
        for frame in (single.render(), *batch.render()):
            if mode == "ansi":
                assert isinstance(frame, str)
                assert frame
            else:
                assert frame.dtype == np.uint8
                assert frame.ndim == 3
                assert frame.shape[2] == 3
                assert frame.min() < frame.max()


@pytest.mark.parametrize("env_id", NATIVE)
def test_every_world_documents_itself_and_says_how_far_back_to_look(env_id):
    dynamics = pomdp_envs.dynamics_of(env_id)
    text = type(dynamics).__doc__
    for heading in (
        "Action space",
        "Observation space",
        "Start",
        "Reward",
        "End",
        "Hidden state",
        "Source:",
        "Versions",
    ):
        assert heading in text, heading
    assert dynamics.memory_span


@pytest.mark.parametrize("env_id", NATIVE)
def test_no_episode_outlasts_the_stated_length(env_id):
    env = make(env_id)
    longest = env.dynamics.episode_length or env.dynamics.time_limit
    assert longest is not None
    env.reset(seed=0)
    env.action_space.seed(0)
    lengths = np.zeros(B, dtype=int)
    for _ in range(min(longest, 1100) + 1):
        _, _, terminated, truncated, _ = env.step(env.action_space.sample())
        lengths = np.where(terminated | truncated, 0, lengths + 1)
        assert (lengths < longest).all()


@pytest.mark.parametrize("env_id", IDS)
def test_two_environments_sample_from_spaces_of_their_own(env_id):
    for space in ("action_space", "observation_space"):
        one, other = (getattr(gym.make(env_id), space) for _ in range(2))
        one.seed(0)
        other.seed(0)
        assert_same_observation(*([space.sample() for _ in range(5)] for space in (one, other)))
    batches = [make(env_id, 32).action_space.sample() for _ in range(3)]
    assert any(not np.array_equal(batches[0], batch) for batch in batches[1:])


@pytest.mark.parametrize("env_id", NATIVE)
def test_a_shorter_time_limit_is_the_one_of_gymnasiums_wrapper(env_id):
    batch, single = gym.make_vec(env_id, num_envs=1, max_episode_steps=3), gym.make(env_id, max_episode_steps=3)
    batch.reset(seed=0)
    single.reset(seed=0)
    for _ in range(3):
        action = batch.action_space.sample()
        left, right = batch.step(action), single.step(action[0])
        assert [bool(left[2][0]), bool(left[3][0])] == [right[2], right[3]]
        if right[2] or right[3]:
            break
    assert right[2] or right[3]
