import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode

import pomdp_envs
from pomdp_envs import BatchedEnv
from pomdp_envs.classic import TMaze
from pomdp_envs.classic.tmaze import EAST, NORTH, SOUTH
from pomdp_envs.meta import SameStart


def test_with_one_start_a_maze_keeps_its_goal_for_all_episodes_and_memory_of_the_first_turn_suffices():
    env = BatchedEnv(SameStart(TMaze(corridor_length=2), episodes=3), 16)
    observation, _ = env.reset(seed=0)
    north = observation[:, 0] == 0  # the sign is 011 if the goal is north
    assert 0 < north.sum() < 16
    for episode in range(3):
        np.testing.assert_array_equal(observation[:, 0] == 0, north)  # the same sign at every start
        for _ in range(2):
            env.step(np.full(16, EAST))
        observation, rewards, terminated, _, _ = env.step(np.where(north, NORTH, SOUTH))
        assert (rewards == 4).all()
        assert (terminated == (episode == 2)).all()


WORLDS = ["AutoencodeEasy", "ConcentrationEasy", "CountRecallEasy", "PendulumNoVel"]  # whose steps draw no numbers


@pytest.mark.parametrize("env_id", WORLDS)
def test_any_world_can_be_played_in_trials(env_id):
    world = pomdp_envs.dynamics_of(f"pomdp_envs/{env_id}-v0")
    env = BatchedEnv(SameStart(world, episodes=2), 3, AutoresetMode.DISABLED)
    plain = gym.make_vec(f"pomdp_envs/{env_id}-v0", num_envs=3, autoreset_mode="Disabled").unwrapped
    observation, _ = env.reset(seed=0)
    plain.reset(seed=0)
    start = plain.get_state()
    env.action_space.seed(0)
    ends, terminated = 0, np.zeros(3, dtype=bool)
    while not terminated.all():
        assert env.observation_space.contains(observation)
        actions = env.action_space.sample()
        observation, rewards, terminated, _, _ = env.step(actions)
        _, expected, over, cut, _ = plain.step(actions)
        np.testing.assert_array_equal(rewards, expected)
        np.testing.assert_array_equal(observation[:, -1] == 1, over | cut)
        if (over | cut).any():
            ends += 1
            plain.set_state(start)  # these worlds' episodes have one length
    assert ends == 2
