"""What each wrapper shows, by hand and by counting."""

import gymnasium as gym
import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.vector import AutoresetMode
from gymnasium.wrappers import DelayObservation

from pomdp_envs import (
    Delay,
    Flicker,
    FrameDrop,
    MaskObservation,
    ObservationNoise,
    VectorDelay,
    VectorFlicker,
    VectorFrameDrop,
    VectorMaskObservation,
    VectorObservationNoise,
)
from pomdp_envs.wrappers.mask import Mask

B, STEPS = 200, 40


class Clock(gym.Env):
    """Shows [1, 10], [2, 20], ...; five steps."""

    observation_space = spaces.Box(1, 100, (2,), np.float32)
    action_space = spaces.Discrete(2)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.now = 1
        return np.array([1, 10], dtype=np.float32), {}

    def step(self, action):
        self.now += 1
        return np.array([self.now, 10 * self.now], dtype=np.float32), 0.0, self.now == 6, False, {}


class KeyedClock(Clock):
    observation_space = spaces.Dict({"clock": Clock.observation_space, "constant": spaces.Discrete(2)})

    def reset(self, *, seed=None, options=None):
        return {"clock": super().reset(seed=seed)[0], "constant": 1}, {}

    def step(self, action):
        clock, *rest = super().step(action)
        return {"clock": clock, "constant": 1}, *rest


def episode(env: gym.Env, seed: int | None = 0) -> list:
    shown, ended = [env.reset(seed=seed)[0]], False
    while not ended:
        observation, _, terminated, truncated, _ = env.step(0)
        ended = terminated or truncated
        shown.append(observation)
    return shown


def paces(wrapper, *arguments) -> tuple[np.ndarray, np.ndarray]:
    """Observations of many steps of CartPole (positions), raw and as shown: [STEPS, B, 2], and where episodes start."""
    raw = gym.make_vec("pomdp_envs/CartPoleNoVel-v0", num_envs=B)
    env = wrapper(gym.make_vec("pomdp_envs/CartPoleNoVel-v0", num_envs=B), *arguments)
    seen, shown = [raw.reset(seed=0)[0]], [env.reset(seed=0)[0]]
    for _ in range(STEPS - 1):
        seen.append(raw.step(np.arange(B) % 2)[0])
        shown.append(env.step(np.arange(B) % 2)[0])
    return np.array(seen), np.array(shown)


def test_a_delay_shows_zeros_and_then_what_was_there_k_steps_ago_in_each_episode():
    env = Delay(Clock(), 2)
    for _ in range(2):
        assert [row.tolist() for row in episode(env)] == [[0, 0], [0, 0], [1, 10], [2, 20], [3, 30], [4, 40]]
    assert env.observation_space == spaces.Box(0, 100, (2,), np.float32)


@pytest.mark.parametrize("delay", [0, 1, 3, 9])
@pytest.mark.parametrize("env_id", ["CartPole-v1", "Blackjack-v1", "FrozenLake-v1"])
def test_a_delay_is_gymnasiums(env_id, delay):
    ours, theirs = Delay(gym.make(env_id), delay), DelayObservation(gym.make(env_id), delay)
    for seed in (0, None, None):
        for left, right in zip(episode(ours, seed), episode(theirs, seed), strict=True):
            np.testing.assert_array_equal(left, right)


def test_a_vector_delay_with_same_step_resets_delays_the_final_observation_too():
    env = VectorDelay(gym.vector.SyncVectorEnv([Clock], autoreset_mode=AutoresetMode.SAME_STEP), 2)
    env.reset(seed=0)
    for _ in range(4):
        env.step([0])
    observation, _, _, _, infos = env.step([0])
    assert infos["final_obs"][0].tolist() == [4, 40]
    assert observation.tolist() == [[0, 0]]
    assert [env.step([0])[0][0].tolist() for _ in range(2)] == [[0, 0], [1, 10]]


def test_flicker_blanks_whole_observations_as_often_as_stated_and_independently():
    seen, shown = paces(VectorFlicker, 0.3)
    blank = (shown == 0).all(axis=2)
    assert ((shown == seen) | blank[:, :, None]).all()
    tolerance = 4 * np.sqrt(0.21 / blank.size)
    assert blank.mean() == pytest.approx(0.3, abs=tolerance)
    assert (blank[1:] & blank[:-1]).mean() == pytest.approx(0.09, abs=tolerance)
    assert (blank[:, 1:] & blank[:, :-1]).mean() == pytest.approx(0.09, abs=tolerance)
    assert blank[0].any()  # first observations too
    assert all((row == 0).all() for row in episode(Flicker(Clock(), 1)))
    assert [row.tolist() for row in episode(Flicker(Clock(), 0))] == [[i, 10 * i] for i in range(1, 7)]


def test_a_dropped_frame_shows_the_last_shown_one_again_as_often_as_stated():
    seen, shown = paces(VectorFrameDrop, 0.4)
    new = (shown == seen).all(axis=2)
    again = (shown[1:] == shown[:-1]).all(axis=2)
    assert new[0].all()
    assert (new[1:] | again).all()
    starts = 1 / 20  # of the steps, about: never dropped
    assert again.mean() == pytest.approx(0.4 * (1 - starts), abs=0.02)
    assert [row.tolist() for row in episode(FrameDrop(Clock(), 1.0))] == [[1, 10]] * 6


def test_noise_has_the_stated_deviation_is_independent_and_unbounded():
    seen, shown = paces(VectorObservationNoise, 0.5)
    noise = (shown.astype(float) - seen) / 0.5
    n = noise.size
    assert abs(noise.mean()) < 4 / np.sqrt(n)
    assert noise.std() == pytest.approx(1, abs=4 / np.sqrt(2 * n))
    assert (noise**4).mean() == pytest.approx(3, abs=4 * np.sqrt(96 / n))
    for left, right in ((noise[1:], noise[:-1]), (noise[:, 1:], noise[:, :-1]), (noise[..., 0], noise[..., 1])):
        assert abs((left * right).mean()) < 4 / np.sqrt(left.size)
    env = ObservationNoise(Clock(), 0.5)
    assert env.observation_space == spaces.Box(-np.inf, np.inf, (2,), np.float32)
    assert [row.tolist() for row in episode(ObservationNoise(Clock(), 0))] == [[i, 10 * i] for i in range(1, 7)]


def test_noise_leaves_choices_alone():
    shown = episode(ObservationNoise(KeyedClock(), 3.0))
    assert all(row["constant"] == 1 for row in shown)
    assert all(row["clock"][0] != i + 1 for i, row in enumerate(shown))


def test_a_mask_leaves_entries_out_or_fills_them():
    assert [row.tolist() for row in episode(MaskObservation(Clock(), [0]))] == [[10 * i] for i in range(1, 7)]
    env = MaskObservation(Clock(), np.array([1]), fill=0.0)
    assert [row.tolist() for row in episode(env)] == [[i, 0] for i in range(1, 7)]
    assert env.observation_space == spaces.Box(np.array([1, 0]), np.array([100, 100]), dtype=np.float32)


def test_a_mask_of_a_part_leaves_the_others():
    env = MaskObservation(KeyedClock(), {"clock": [1]})
    assert env.observation_space == spaces.Dict({"clock": spaces.Box(1, 100, (1,)), "constant": spaces.Discrete(2)})
    assert episode(env)[2] == {"clock": [3], "constant": 1}


@pytest.mark.parametrize("hidden", [[], [2], [-1], [0.5], [True, False]])
def test_entries_that_are_not_there_are_refused(hidden):
    with pytest.raises(ValueError, match="indices from 0 to 1"):
        MaskObservation(Clock(), hidden)


def test_masks_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="nothing would be left"):
        MaskObservation(Clock(), [0, 1])
    with pytest.raises(ValueError, match="one-dimensional Box, not in Dict"):
        MaskObservation(KeyedClock(), [0])
    with pytest.raises(ValueError, match=r"\['tower'\] must be parts"):
        MaskObservation(KeyedClock(), {"tower": [0]})
    with pytest.raises(ValueError, match="one-dimensional Box, not in Discrete"):
        MaskObservation(KeyedClock(), {"constant": [0]})
    with pytest.raises(ValueError, match="not 'speeds'"):
        MaskObservation(Clock(), "speeds")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="nothing would be left"):
        VectorMaskObservation(gym.vector.SyncVectorEnv([Clock]), [0, 1])


@pytest.mark.parametrize("wrapper", [Flicker, FrameDrop])
@pytest.mark.parametrize("probability", [-0.1, 1.1, "often", None])
def test_what_is_no_probability_is_refused(wrapper, probability):
    with pytest.raises(ValueError, match="probability must be a number within"):
        wrapper(Clock(), probability)


def test_what_is_no_delay_or_no_deviation_is_refused():
    for delay in (-1, 1.5, "long"):
        with pytest.raises(ValueError, match="delay must be an integer"):
            Delay(Clock(), delay)
    for std in (-1, np.inf, np.nan, "much"):
        with pytest.raises(ValueError, match="std must be a finite number"):
            ObservationNoise(Clock(), std)
    with pytest.raises(ValueError, match="noise needs observations with floating-point"):
        ObservationNoise(gym.make("FrozenLake-v1"), 1.0)


def test_too_many_numbers_for_the_noise_are_refused():
    class Wide(Clock):
        observation_space = spaces.Box(0, 1, (2**16,), np.float32)

    with pytest.raises(ValueError, match="fewer than 65536"):
        ObservationNoise(Wide(), 1.0)


@pytest.mark.parametrize("fill", [0.5, 300, np.nan, -1])
def test_a_fill_that_the_observation_cannot_hold_is_refused(fill):
    space = spaces.Box(0, 255, (3,), np.uint8)
    with pytest.raises(ValueError, match="is no number that Box"):
        Mask(space, (1,), fill)
