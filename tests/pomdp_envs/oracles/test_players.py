"""Every world's oracle reaches the stated optimum, and the best player without memory does not."""

import gymnasium as gym
import numpy as np
import pytest

import pomdp_envs
from pomdp_envs.oracles import PLAYERS
from pomdp_envs.players import play

EPISODES = 512
MORE_EPISODES = {
    f"pomdp_envs/LabyrinthExplore{name}-v0": 4096 for name in ("Easy", "Medium")
}  # memory gains little there
# The velocities of the moment are enough for 200 steps, and almost always for 400.
MEMORYLESS_SUFFICES = [f"pomdp_envs/VelocityOnlyCartPole{difficulty}-v0" for difficulty in ("Easy", "Medium")]
NATIVE = [env_id for env_id in pomdp_envs.ids() if "dynamics" in gym.spec(env_id).kwargs]
IDS = [env_id for env_id in NATIVE if type(pomdp_envs.dynamics_of(env_id)) in PLAYERS]


def returns_of(env_id: str, kind: str) -> np.ndarray:
    env = gym.make_vec(env_id, num_envs=MORE_EPISODES.get(env_id, EPISODES)).unwrapped
    player = getattr(PLAYERS[type(env.dynamics)], kind)(env.dynamics, env.num_envs)
    return play(env, player, seed=1)


def error(returns: np.ndarray) -> float:
    return returns.std() / np.sqrt(len(returns))


@pytest.mark.parametrize("env_id", IDS)
def test_the_oracle_reaches_the_stated_optimum_and_the_memoryless_player_only_its_own(env_id):
    dynamics = pomdp_envs.dynamics_of(env_id)
    best, without = returns_of(env_id, "oracle"), returns_of(env_id, "memoryless")
    for returns, stated in ((best, dynamics.optimal_return), (without, dynamics.memoryless_return)):
        if stated is not None:
            assert returns.mean() == pytest.approx(stated, abs=4 * error(returns) + 1e-9)
    if env_id in MEMORYLESS_SUFFICES:
        assert best.mean() >= without.mean() > 0.99
    else:
        assert (best - without).mean() > 4 * error(best - without)  # both play the same episodes
