"""Every world's oracle reaches the stated optimum, and the best player without memory does not."""

import gymnasium as gym
import numpy as np
import pytest

import pomdp_envs
from pomdp_envs.oracles import PLAYERS
from pomdp_envs.players import play

EPISODES = 256
IDS = [env_id for env_id in pomdp_envs.ids() if type(pomdp_envs.dynamics_of(env_id)) in PLAYERS]


def mean_and_error(env_id: str, kind: str) -> tuple[float, float]:
    env = gym.make_vec(env_id, num_envs=EPISODES).unwrapped
    player = getattr(PLAYERS[type(env.dynamics)], kind)(env.dynamics, EPISODES)
    returns = play(env, player, seed=1)
    return returns.mean(), returns.std() / np.sqrt(EPISODES)


@pytest.mark.parametrize("env_id", IDS)
def test_the_oracle_reaches_the_stated_optimum_and_the_memoryless_player_only_its_own(env_id):
    dynamics = pomdp_envs.dynamics_of(env_id)
    best, best_error = mean_and_error(env_id, "oracle")
    without, without_error = mean_and_error(env_id, "memoryless")
    if dynamics.optimal_return is not None:
        assert best == pytest.approx(dynamics.optimal_return, abs=4 * best_error + 1e-9)
    if dynamics.memoryless_return is not None:
        assert without == pytest.approx(dynamics.memoryless_return, abs=4 * without_error + 1e-9)
    assert best - without > 4 * np.hypot(best_error, without_error)
