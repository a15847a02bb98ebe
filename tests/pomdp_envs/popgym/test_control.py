"""POPGym's cart-poles and pendulums."""

from collections import Counter

import numpy as np
import pytest

from pomdp_envs import BatchedEnv, SingleEnv, dynamics_of
from pomdp_envs.popgym import (
    NoisyPositionOnlyCartPole,
    NoisyPositionOnlyPendulum,
    PositionOnlyCartPole,
    PositionOnlyPendulum,
    VelocityOnlyCartPole,
)
from pomdp_envs.popgym.position_only_pendulum import scaled_reward

DIFFICULTIES = ("Easy", "Medium", "Hard")
CARTPOLES = ("PositionOnlyCartPole", "VelocityOnlyCartPole", "NoisyPositionOnlyCartPole")
PENDULUMS = ("PositionOnlyPendulum", "NoisyPositionOnlyPendulum")
GAINS = np.array([0.1, 0.2, 1.0, 0.3])  # position, velocity, angle, angular velocity
FALLS = 0  # the column that acts at random; the others balance
NO_NUMBERS = np.empty((0, 1))


class GivenNumbers:
    """Stands in for NumPy's generator: gives the start and the normal numbers that it was told."""

    def __init__(self, start: np.ndarray, normals: np.ndarray) -> None:
        self.start, self.normals = start, normals

    def uniform(self, low, high, size=None):
        assert (self.start >= low).all()
        assert (self.start < high).all()
        return self.start

    def normal(self, mean, deviation):
        return mean + deviation * self.normals


def counting(step, ends: Counter):
    def counted(action):
        result = step(action)
        ends.update(terminated=result[2], truncated=result[3])
        return result

    return counted


def injection(state_size: int, ends: Counter):
    """popgym's own reset, with our numbers drawn by its generator; its ends are counted."""

    def inject(theirs, hidden):
        if "step" not in vars(theirs):
            theirs.step = counting(theirs.step, ends)
        theirs._np_random = GivenNumbers(hidden[:state_size], hidden[state_size:])
        return theirs.reset()[0]

    return inject


def give_noise(state_size: int):
    def before_step(theirs, hidden):
        theirs._np_random.normals = hidden[state_size:]

    return before_step


@pytest.mark.parametrize("difficulty", DIFFICULTIES)
@pytest.mark.parametrize("world", CARTPOLES)
def test_every_step_of_the_cartpoles_equals_popgyms(assert_agrees_with_popgym, world, difficulty, episodes):
    rng, ends = np.random.default_rng(0), Counter()

    def policy(hidden, space):
        actions = (hidden[:, :4] @ GAINS > 0).astype(np.int64)
        actions[FALLS] = rng.random() < 0.5
        return actions

    assert_agrees_with_popgym(world + difficulty, injection(4, ends), episodes, give_noise(4), policy)
    assert ends["terminated"] + ends["truncated"] >= episodes
    assert ends["terminated"] >= episodes / 10
    assert ends["truncated"] >= episodes / 5


@pytest.mark.parametrize("difficulty", DIFFICULTIES)
@pytest.mark.parametrize("world", PENDULUMS)
def test_every_step_of_the_pendulums_equals_popgyms(assert_agrees_with_popgym, world, difficulty, episodes):
    rng, ends = np.random.default_rng(0), Counter()

    def policy(hidden, space):
        spin = np.sign(hidden[:, 1]) * (np.arange(len(hidden)) % 2)  # every other one is driven up to the speed limit
        return (rng.uniform(-3, 3, len(hidden)) + 3 * spin)[:, None].astype(np.float32)

    steps = assert_agrees_with_popgym(world + difficulty, injection(2, ends), episodes, give_noise(2), policy)
    assert ends["terminated"] == 0
    assert ends["truncated"] >= episodes
    assert steps == ends["truncated"] * dynamics_of(f"pomdp_envs/{world}{difficulty}-v0").time_limit


@pytest.mark.parametrize("world", [NoisyPositionOnlyCartPole(), NoisyPositionOnlyPendulum()])
def test_starts_are_uniform_and_the_noise_is_standard_normal_and_fresh_in_every_step(world):
    env = BatchedEnv(world, 20_000)
    env.reset(seed=0)
    env.action_space.seed(0)
    first = env.hidden_state().T
    env.step(env.action_space.sample())
    second = env.hidden_state().T
    start, noise = first[:-2], np.concatenate([first[-2:], second[-2:]])
    spread = np.abs(start).max(axis=1, keepdims=True)
    np.testing.assert_allclose(spread.ravel(), [0.05] * 4 if len(start) == 4 else [np.pi, 1], rtol=0.002)
    observed = np.stack([np.histogram(row, bins=20, range=(-1, 1))[0] for row in start / spread])
    assert (((observed - 1000) ** 2 / 1000).sum(axis=1) < 19 + 5 * np.sqrt(38)).all()
    assert np.abs(noise.mean(axis=1)).max() < 5 / np.sqrt(20_000)
    assert np.abs(noise.var(axis=1) - 1).max() < 5 * np.sqrt(2 / 20_000)
    together = np.corrcoef(np.concatenate([start, noise]))
    assert np.abs(together - np.eye(len(together))).max() < 5 / np.sqrt(20_000)


def test_the_noise_is_added_to_the_first_observation_too_and_clipped_to_the_space():
    world = NoisyPositionOnlyCartPole(noise_sigma=0.2)
    state = np.array([[0.01, 0.0, 0.02, 0.0, 1.5, -0.5], [0.0, 0.0, 0.0, 0.0, -30.0, 3.0]]).T
    seen = world.observe(state)
    np.testing.assert_allclose(seen[0], [0.31, -0.08], rtol=1e-6)
    np.testing.assert_array_equal(seen[1], [world.observation_space.low[0], world.observation_space.high[1]])
    assert "seen: +0.310 m" in world.text(state[:, 0])
    upright = np.array([[0.0, 0.0, 1.0, -1.0]]).T
    np.testing.assert_allclose(NoisyPositionOnlyPendulum(0.1).observe(upright), [[1.0, -0.1]], rtol=1e-6)


def test_without_noise_the_noisy_worlds_show_what_the_others_show():
    for noisy, plain in (
        (NoisyPositionOnlyCartPole(0), PositionOnlyCartPole()),
        (NoisyPositionOnlyPendulum(0), PositionOnlyPendulum()),
    ):
        state = noisy.initial(np.random.default_rng(0).random((noisy.initial_draws, 9)))
        np.testing.assert_array_equal(noisy.observe(state), plain.observe(state[:-2]))


def test_the_velocity_only_cartpole_first_shows_positions_and_then_velocities():
    env = SingleEnv(VelocityOnlyCartPole())
    first, _ = env.reset(seed=0)
    hidden = env.hidden_state()
    np.testing.assert_array_equal(first, hidden[[0, 2]].astype(np.float32))
    for action in (0, 1):
        seen = env.step(action)[0]
        np.testing.assert_array_equal(seen, env.hidden_state()[[1, 3]].astype(np.float32))


@pytest.mark.parametrize("world", [PositionOnlyCartPole(5), VelocityOnlyCartPole(5), NoisyPositionOnlyCartPole(0.1, 5)])
def test_each_step_pays_one_over_the_time_limit_even_the_one_in_which_the_pole_falls(world):
    state = world.initial(np.full((world.initial_draws, 2), 0.5))
    state[2] = [0.0, 0.3]
    _, reward, terminated = world.transition(state, np.array([1, 1]), np.full((world.transition_draws, 2), 0.5))
    assert reward.tolist() == [0.2, 0.2]
    assert terminated.tolist() == [False, True]


def test_the_pendulums_reward_runs_from_plus_to_minus_one_over_the_time_limit():
    assert scaled_reward(np.array([0.0, 8.1368022, 16.2736044]), 100) == pytest.approx([0.01, 0.0, -0.01])
    hanging, still = np.array([[np.pi], [8.0]]), np.array([[2.0]], dtype=np.float32)
    _, reward, terminated = PositionOnlyPendulum(150).transition(hanging, still, NO_NUMBERS)
    assert reward * 150 == pytest.approx(-1, abs=1e-7)
    assert not terminated.any()


def test_bad_arguments_are_refused():
    for world in (PositionOnlyCartPole, VelocityOnlyCartPole, PositionOnlyPendulum):
        with pytest.raises(ValueError, match="time_limit must be an integer of at least 1, not 0"):
            world(0)
    for world in (NoisyPositionOnlyCartPole, NoisyPositionOnlyPendulum):
        for wrong in (-0.1, np.nan, np.inf, "0.1"):
            with pytest.raises(ValueError, match="noise_sigma must be a finite number of at least 0"):
                world(wrong)
        with pytest.raises(ValueError, match="time_limit must be an integer of at least 1"):
            world(0.1, 2.5)
