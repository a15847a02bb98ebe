"""In the games whose cards do not depend on the answers, no answers without memory beat the stated return."""

import numpy as np
import pytest

from pomdp_envs.dynamics import Dynamics
from pomdp_envs.popgym import Autoencode, CountRecall, HigherLower, RepeatFirst, RepeatPrevious

EPISODES = 2000


def worth_of_answers(world: Dynamics, seed: int) -> np.ndarray:
    """Return what every answer to every observation earns in an episode: [episodes, kinds of observations, answers]."""
    state, no_numbers = (
        world.initial(np.random.default_rng(seed).random((world.initial_draws, EPISODES))),
        np.empty((0, 0)),
    )
    worth = np.zeros((EPISODES, 200, world.action_space.n))
    for _ in range(world.episode_length):
        observation = world.observe(state)
        parts = observation if isinstance(observation, tuple) else observation.reshape(EPISODES, -1).T
        kind = sum(13**i * part for i, part in enumerate(parts))  # [B]
        for answer in range(world.action_space.n):
            following, reward, _ = world.transition(state.copy(), np.full(EPISODES, answer), no_numbers)
            worth[np.arange(EPISODES), kind, answer] += reward
        state = following
    return worth


@pytest.mark.parametrize("world", [Autoencode(), CountRecall(), HigherLower(), RepeatFirst(), RepeatPrevious()])
def test_the_best_answers_to_observations_earn_the_stated_memoryless_return(world):
    best = worth_of_answers(world, seed=0).mean(axis=0).argmax(axis=1)  # [kinds of observations]
    returns = worth_of_answers(world, seed=1)[:, np.arange(len(best)), best].sum(
        axis=1
    )  # [episodes], not those of the choice
    assert returns.mean() == pytest.approx(world.memoryless_return, abs=4 * returns.std() / np.sqrt(EPISODES) + 0.005)
