"""What holds for every wrapper that shows other observations, in both views and all autoreset modes."""

from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.utils.env_checker import check_env
from gymnasium.vector import AsyncVectorEnv, AutoresetMode, SyncVectorEnv, VectorEnv
from gymnasium.wrappers import Autoreset, TimeAwareObservation
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import pomdp_envs
from pomdp_envs import (
    Delay,
    Flicker,
    FrameDrop,
    MaskObservation,
    ObservationNoise,
    PreviousActionReward,
    VectorDelay,
    VectorFlicker,
    VectorFrameDrop,
    VectorMaskObservation,
    VectorObservationNoise,
    VectorPreviousActionReward,
)

MODES = list(AutoresetMode)
WRAPPERS = {
    "flicker": (Flicker, VectorFlicker, {"probability": 0.4}),
    "always blank": (Flicker, VectorFlicker, {"probability": 1.0}),
    "delay": (Delay, VectorDelay, {"delay": 3}),
    "no delay": (Delay, VectorDelay, {"delay": 0}),
    "frame drop": (FrameDrop, VectorFrameDrop, {"probability": 0.5}),
    "noise": (ObservationNoise, VectorObservationNoise, {"std": 0.1}),
    "mask": (MaskObservation, VectorMaskObservation, {"hidden": (1,)}),
    "previous": (PreviousActionReward, VectorPreviousActionReward, {}),
    "filled mask": (MaskObservation, VectorMaskObservation, {"hidden": (0,), "fill": -7.0}),
}
KEYED = {"hidden": {"numbers": (1,)}}  # masks of a Dict


class Parts(gym.Env):
    """Short episodes of both kinds; a Dict with every kind of part, in which zero is not always a value."""

    observation_space = spaces.Dict(
        {
            "numbers": spaces.Box(0.5, 100, (3,), np.float32),
            "choice": spaces.Discrete(200, start=1),
            "picture": spaces.Box(1, 255, (2, 2), np.uint8),
            "pair": spaces.Tuple([spaces.MultiDiscrete([200, 2], start=[1, 0]), spaces.MultiBinary(2)]),
        }
    )
    action_space = spaces.Discrete(2)
    clock = episode = 0

    def observe(self):
        now = 1 + self.clock + 10 * self.episode % 90
        return {
            "numbers": np.array([now, 0.5, 1], dtype=np.float32),
            "choice": now,
            "picture": np.full((2, 2), now, dtype=np.uint8),
            "pair": (np.array([now, 1]), np.array([1, 0], dtype=np.int8)),
        }

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.clock, self.episode = 0, 1 if seed is not None else self.episode + 1
        self.length = int(self.np_random.integers(1, 7))
        return self.observe(), {}

    def step(self, action):
        self.clock += 1
        ended = self.clock >= self.length
        return self.observe(), float(self.clock), ended and action == 0, ended and action == 1, {"clock": self.clock}


class Numbers(Parts):
    """The numbers of it."""

    observation_space = Parts.observation_space["numbers"]

    def observe(self):
        return super().observe()["numbers"]


def pole():
    return gym.make("pomdp_envs/CartPoleNoVel-v0")


BASES = {
    "numbers": lambda num_envs, mode: SyncVectorEnv([Numbers] * num_envs, autoreset_mode=mode, copy=False),
    "parts": lambda num_envs, mode: SyncVectorEnv([Parts] * num_envs, autoreset_mode=mode, copy=False),
    "pole": lambda num_envs, mode: gym.make_vec("pomdp_envs/CartPoleNoVel-v0", num_envs, autoreset_mode=mode),
}
SINGLES = {"numbers": Numbers, "parts": Parts, "pole": pole}


def views(wrapper: str, base: str, mode: AutoresetMode, num_envs: int) -> tuple[VectorEnv, VectorEnv]:
    """Return the wrapped batch and the batch of wrapped columns."""
    single, vector, arguments = WRAPPERS[wrapper]
    if base == "parts" and "hidden" in arguments:
        arguments = arguments | KEYED
    columns = SyncVectorEnv([lambda: single(SINGLES[base](), **arguments)] * num_envs, autoreset_mode=mode)
    return vector(BASES[base](num_envs, mode), **arguments), columns


def flat(observation: Any) -> list[np.ndarray]:
    if isinstance(observation, dict):
        return [leaf for key in sorted(observation) for leaf in flat(observation[key])]
    if isinstance(observation, tuple):
        return [leaf for part in observation for leaf in flat(part)]
    return [np.asarray(observation)]


def assert_same(left: Any, right: Any) -> None:
    for a, b in zip(flat(left), flat(right), strict=True):
        np.testing.assert_array_equal(a, b)
        assert a.dtype == b.dtype


def advance(env: VectorEnv, actions: np.ndarray, ended: np.ndarray):
    """One step, with the reset that DISABLED mode asks for; returns that reset's observations too."""
    first = ()
    if ended.any() and env.metadata["autoreset_mode"] is AutoresetMode.DISABLED:
        first, _ = env.reset(options={"reset_mask": ended.copy()})
    return first, *env.step(actions)


def assert_same_steps(left: VectorEnv, right: VectorEnv, actions: np.ndarray, ended: np.ndarray) -> np.ndarray:
    ours, theirs = advance(left, actions, ended), advance(right, actions, ended)
    assert_same(ours[:5], theirs[:5])
    finals = ours[5].get("final_obs", ())
    assert len(finals) == len(theirs[5].get("final_obs", ()))
    for a, b in zip(finals, theirs[5].get("final_obs", ()), strict=True):
        assert (a is None) == (b is None)
        if a is not None:
            assert_same(a, b)
            assert left.single_observation_space.contains(a)
    assert left.observation_space.contains(ours[1])
    return ours[3] | ours[4]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("wrapper", WRAPPERS)
@given(
    base=st.sampled_from(list(BASES)),
    num_envs=st.integers(1, 4),
    seed=st.integers(0, 2**40),
    action_seed=st.integers(0, 2**31),
    again=st.sampled_from(["", "seeded", "unseeded"]),
)
def test_a_wrapped_batch_equals_its_wrapped_columns(wrapper, mode, base, num_envs, seed, action_seed, again):
    left, right = views(wrapper, base, mode, num_envs)
    assert left.observation_space == right.observation_space
    assert left.single_observation_space == right.single_observation_space
    assert_same(left.reset(seed=seed)[0], right.reset(seed=seed)[0])
    rng = np.random.default_rng(action_seed)
    ended = np.zeros(num_envs, dtype=bool)
    for step in range(25):
        ended = assert_same_steps(left, right, rng.integers(0, 2, num_envs), ended)
        if again and step == 12:
            seeds = [None if i % 2 else int(seed) + 5 for i in range(num_envs)] if again == "seeded" else None
            assert_same(left.reset(seed=seeds)[0], right.reset(seed=seeds)[0])
            ended[:] = False


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("wrapper", WRAPPERS)
def test_every_mode_shows_the_same_episodes(wrapper, mode):
    """Each column's stream of (shown, ended), without the rows that only reset, is that of the wrapped column alone."""
    env, _ = views(wrapper, "numbers", mode, 3)
    streams = [[row] for row in env.reset(seed=4)[0].tolist()]
    ended = np.zeros(3, dtype=bool)
    for _ in range(40):
        first, shown, _, terminated, truncated, infos = advance(env, np.zeros(3, dtype=int), ended)
        for i in range(3):
            if ended[i] and mode is AutoresetMode.DISABLED:
                streams[i].append(first[i].tolist())
            if "final_obs" in infos and infos["final_obs"][i] is not None:
                streams[i].append(infos["final_obs"][i].tolist())
            streams[i].append(shown[i].tolist())
        ended = terminated | truncated
    single, _, arguments = WRAPPERS[wrapper]
    for i in range(3):
        alone, expected = single(Numbers(), **arguments), []
        expected.append(alone.reset(seed=4 + i)[0].tolist())
        while len(expected) < len(streams[i]):
            shown, _, terminated, truncated, _ = alone.step(0)
            expected.append(shown.tolist())
            if terminated or truncated:
                expected.append(alone.reset()[0].tolist())
        assert streams[i] == expected[: len(streams[i])]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("wrapper", WRAPPERS)
def test_a_masked_reset_leaves_the_other_columns_as_they_were(wrapper, mode):
    left, right = views(wrapper, "pole", mode, 3)
    for env in (left, right):
        env.reset(seed=0)
        for _ in range(4):
            before = env.step(np.zeros(3, dtype=int))[0]
        mask = np.array([False, True, False])
        after, _ = env.reset(options={"reset_mask": mask.copy()}, seed=[9, 8, 7])
        np.testing.assert_array_equal(after[~mask], before[~mask])
    assert_same(after, left.reset(options={"reset_mask": mask.copy()}, seed=[9, 8, 7])[0])
    assert_same_steps(left, right, np.ones(3, dtype=int), np.zeros(3, dtype=bool))


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("wrapper", WRAPPERS)
def test_a_wrapped_batch_resumes_exactly(wrapper, mode):
    env, twin = views(wrapper, "pole", mode, 3)[0], views(wrapper, "pole", mode, 3)[0]
    env.reset(seed=0)
    ended = np.zeros(3, dtype=bool)
    rng = np.random.default_rng(0)
    for _ in range(80):
        actions = rng.integers(0, 2, 3)
        twin.set_state(env.get_state())
        ended = assert_same_steps(env, twin, actions, ended)
        actions = rng.integers(0, 2, 3)
        ended = assert_same_steps(env, twin, actions, ended)


@pytest.mark.parametrize("wrapper", WRAPPERS)
def test_a_wrapped_single_environment_resumes_exactly(wrapper):
    single, _, arguments = WRAPPERS[wrapper]
    env, twin = single(pole(), **arguments), single(pole(), **arguments)
    twin.reset(seed=9)
    env.reset(seed=0)
    for _ in range(5):
        env.step(1)
    twin.set_state(env.get_state())
    for _ in range(3):
        assert_same(env.step(0), twin.step(0))
    assert_same(env.reset()[0], twin.reset()[0])


def test_a_state_that_does_not_fit_is_refused():
    env = views("delay", "pole", AutoresetMode.SAME_STEP, 3)[0]
    env.reset(seed=0)
    state = env.get_state()
    with pytest.raises(ValueError, match="waiting"):
        env.set_state(state | {"wrapper": state["wrapper"] | {"waiting": np.zeros((4, 3, 2))}})
    with pytest.raises(ValueError, match="ended"):
        env.set_state(state | {"ended": np.zeros(4)})
    with pytest.raises(ValueError, match="needs the keys"):
        env.set_state({"wrapper": state["wrapper"]})


def test_a_wrapper_between_that_may_keep_a_state_is_refused():
    env = Delay(TimeAwareObservation(gym.make("CartPole-v1")), 1)
    env.reset(seed=0)
    with pytest.raises(TypeError, match="no get_state"):
        env.get_state()


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("wrapper", WRAPPERS)
def test_what_was_returned_does_not_change_later_and_may_be_written_to(wrapper, mode):
    env, twin = views(wrapper, "numbers", mode, 2)
    twin.reset(seed=0)
    kept = [(env.reset(seed=0)[0], None)]
    kept[0] = (kept[0][0], kept[0][0].copy())
    ended = np.zeros(2, dtype=bool)
    for _ in range(12):
        _, shown, _, terminated, truncated, infos = advance(env, np.zeros(2, dtype=int), ended)
        expected = advance(twin, np.zeros(2, dtype=int), ended)
        np.testing.assert_array_equal(shown, expected[1])
        for array, copy in kept:
            np.testing.assert_array_equal(array, copy)
        for final in infos.get("final_obs", ()):
            if final is not None:
                final[:] = -1
        shown[:] = -1
        kept.append((shown, shown.copy()))
        ended = terminated | truncated


@pytest.mark.parametrize("wrapper", WRAPPERS)
@pytest.mark.filterwarnings("ignore::UserWarning")  # the checker dislikes any wrapper, and infinite bounds
def test_gymnasiums_checker_passes_and_the_spec_makes_the_wrapped_environment_again(wrapper):
    single, _, arguments = WRAPPERS[wrapper]
    env = single(pole(), **arguments)
    check_env(env)
    again = gym.make(env.spec)
    assert type(again) is single
    assert_same(again.reset(seed=3)[0], env.reset(seed=3)[0])


def test_without_a_seed_columns_and_environments_differ():
    one, two = (views("noise", "pole", AutoresetMode.SAME_STEP, 4)[0] for _ in range(2))
    shown = np.concatenate([one.reset()[0] - one.env.reset()[0], two.reset()[0] - two.env.reset()[0]])
    assert len(np.unique(shown)) == shown.size


def test_two_of_a_kind_draw_numbers_of_their_own_alike_in_both_views():
    def twice(env):
        return ObservationNoise(ObservationNoise(env, 1.0), 1.0)

    columns = SyncVectorEnv([lambda: twice(pole())] * 2)
    between = VectorObservationNoise(SyncVectorEnv([lambda: ObservationNoise(pole(), 1.0)] * 2), 1.0)
    batch = VectorObservationNoise(VectorObservationNoise(gym.make_vec("pomdp_envs/CartPoleNoVel-v0", 2), 1.0), 1.0)
    shown = [env.reset(seed=0)[0] for env in (columns, between, batch)]
    np.testing.assert_array_equal(shown[0], shown[1])
    np.testing.assert_array_equal(shown[0], shown[2])
    once = ObservationNoise(pole(), 1.0).reset(seed=0)[0]
    seen = pole().reset(seed=0)[0]
    assert not np.allclose(shown[0][0] - once, once - seen)


def test_noise_is_not_the_environments_own_randomness():
    env = pole()
    raw, _ = env.reset(seed=0)
    numbers = pomdp_envs.random.uniforms(np.array([0]), np.array([0]), np.array([0]), 2)
    blurred, _ = ObservationNoise(env, 1.0).reset(seed=0)
    assert not np.allclose(blurred - raw, pomdp_envs.random.normals(numbers)[:, 0])


@pytest.mark.parametrize("single", [Delay, Flicker, FrameDrop, ObservationNoise])
def test_other_observations_are_refused(single):
    class Words(Numbers):
        observation_space = spaces.Dict({"word": spaces.Text(5)})

    with pytest.raises(ValueError, match="must be Box"):
        single(Words(), 0)


def test_a_vector_environment_must_name_its_autoreset_mode():
    env = SyncVectorEnv([Numbers])
    env.metadata = {}
    with pytest.raises(ValueError, match="must name its AutoresetMode"):
        VectorDelay(env, 1)


@pytest.mark.parametrize("wrapper", ["delay", "flicker", "frame drop"])
@pytest.mark.parametrize("env_id", ["pomdp_envs/RepeatPreviousEasy-v0", "pomdp_envs/AutoencodeEasy-v0"])
def test_discrete_and_tuple_observations_work_in_both_views(wrapper, env_id):
    single, vector, arguments = WRAPPERS[wrapper]
    left = vector(gym.make_vec(env_id, num_envs=3), **arguments)
    right = SyncVectorEnv([lambda: single(gym.make(env_id), **arguments)] * 3, autoreset_mode=AutoresetMode.SAME_STEP)
    assert left.observation_space == right.observation_space
    assert_same(left.reset(seed=1)[0], right.reset(seed=1)[0])
    left.action_space.seed(0)
    ended = np.zeros(3, dtype=bool)
    for _ in range(120):
        ended = assert_same_steps(left, right, left.action_space.sample(), ended)


class Unsorted(gym.Env):
    """A Dict whose keys do not come in order, and numbers without a dimension."""

    observation_space = spaces.Dict(z=spaces.Box(-5, 5, (1,), np.float32), a=spaces.Box(1, 5, (), np.float32))
    action_space = spaces.Discrete(2)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        return {"a": np.array(1.0, np.float32), "z": np.zeros(1, np.float32)}, {}

    def step(self, action):
        return {"z": np.ones(1, np.float32), "a": np.array(2.0, np.float32)}, 0.0, False, False, {}


def test_stacked_wrappers_agree_on_the_order_of_a_dict_and_on_numbers_without_a_dimension():
    single = ObservationNoise(Delay(Unsorted(), 1), 1.0)
    vector = VectorObservationNoise(VectorDelay(SyncVectorEnv([Unsorted], autoreset_mode="SameStep"), 1), 1.0)
    left, right = single.reset(seed=0)[0], vector.reset(seed=0)[0]
    for _ in range(3):
        for key in ("a", "z"):
            np.testing.assert_array_equal(left[key], right[key][0])
        left, right = single.step(0)[0], vector.step(np.array([0]))[0]
    assert single.observation_space["a"].shape == ()


def test_gymnasiums_autoreset_below_is_refused():
    with pytest.raises(ValueError, match="Autoreset hides where episodes begin"):
        Delay(Autoreset(gym.make("CartPole-v1")), 2)


def flickering() -> gym.Env:
    return Flicker(gym.make("CartPole-v1"), 0.5)


def test_two_flickers_draw_different_numbers_also_where_the_lower_one_is_in_another_process():
    shown = {}
    for kind in (SyncVectorEnv, AsyncVectorEnv):
        env = VectorFlicker(kind([flickering] * 2, autoreset_mode="SameStep"), 0.5)
        rows = [env.reset(seed=0)[0], *(env.step(np.array([t % 2] * 2))[0] for t in range(60))]
        shown[kind] = np.array(rows)
        env.close()
    np.testing.assert_array_equal(shown[SyncVectorEnv], shown[AsyncVectorEnv])


def test_a_previous_action_is_the_one_that_acts():
    env = PreviousActionReward(gym.make("pomdp_envs/PendulumNoVel-v0"))
    env.reset(seed=0)
    observation = env.step(np.array([5.0], np.float32))[0]
    assert observation[-2] == 2.0
    assert env.observation_space.contains(observation)
