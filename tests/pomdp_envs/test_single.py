import warnings

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.error import ResetNeeded
from gymnasium.utils.env_checker import check_env

from pomdp_envs import SingleEnv
from pomdp_envs.control import CartPoleNoVel, PendulumNoVel

IDS = [f"pomdp_envs/{name}-v0" for name in ("CartPoleNoVel", "PendulumNoVel", "MountainCarContinuousNoVel", "TMaze")]


@pytest.mark.parametrize("env_id", IDS)
def test_gymnasiums_checker_passes_without_warnings(env_id):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        # Pendulum's torque lies in [-2, 2], as in Gymnasium's own, which is warned about too.
        warnings.filterwarnings("ignore", message=".*symmetric and normalized.*")
        check_env(gym.make(env_id).unwrapped)


@pytest.mark.parametrize("env_id", IDS)
def test_rewards_and_ends_are_plain_python_values(env_id):
    env = gym.make(env_id)
    env.reset(seed=0)
    _, reward, terminated, truncated, _ = env.step(env.action_space.sample())
    assert (type(reward), type(terminated), type(truncated)) == (float, bool, bool)


def test_a_state_resumes_exactly():
    env, twin = SingleEnv(CartPoleNoVel()), SingleEnv(CartPoleNoVel())
    env.reset(seed=1)
    env.step(1)
    twin.set_state(env.get_state())
    for _ in range(200):
        left, right = env.step(0), twin.step(0)
        np.testing.assert_array_equal(left[0], right[0])
        assert left[1:] == right[1:]
        if left[2]:
            np.testing.assert_array_equal(env.reset()[0], twin.reset()[0])


def test_an_ended_episode_needs_a_reset():
    env = SingleEnv(CartPoleNoVel())
    env.reset(seed=1)
    while not env.step(0)[2]:
        pass
    with pytest.raises(ResetNeeded):
        env.step(0)
    env.reset()
    env.step(0)


def test_an_action_outside_the_space_is_refused():
    env = SingleEnv(CartPoleNoVel())
    env.reset(seed=1)
    with pytest.raises(ValueError, match=r"action 2 in column 0 is outside Discrete\(2\)"):
        env.step(2)


def test_a_torque_may_be_a_plain_list():
    env: SingleEnv = SingleEnv(PendulumNoVel())
    env.reset(seed=1)
    assert env.step([0.5])[0].shape == (2,)
