import itertools

import numpy as np
import pytest

from pomdp_envs import BatchedEnv, SingleEnv
from pomdp_envs.classic import TMaze
from pomdp_envs.classic.tmaze import CODES, CORRIDOR, EAST, JUNCTION, NORTH, SIGN_NORTH, SIGN_SOUTH, SOUTH, WEST

BEST_WITH_MEMORY, BEST_WITHOUT = 4.0, 1.95


def seen(observations: np.ndarray) -> np.ndarray:
    """The number of the code that each column shows, [B]."""
    return (observations[:, None] == CODES).all(axis=-1).argmax(axis=1)


@pytest.mark.parametrize("length", [1, 2, 10])
@pytest.mark.parametrize(("goal", "sign", "right"), [(0, [0, 1, 1], NORTH), (1, [1, 1, 0], SOUTH)])
def test_the_walk_shows_sign_corridor_junction_and_pays_at_the_right_turn(length, goal, sign, right):
    env = SingleEnv(TMaze(corridor_length=length))
    env.reset(seed=0)
    state = env.get_state()
    state["hidden"][0, 1] = goal
    env.set_state(state)
    assert env.dynamics.observe(state["hidden"].T).tolist() == [sign]
    for place in range(1, length + 1):
        observation, reward, terminated, _, _ = env.step(EAST)
        assert observation.tolist() == ([0, 1, 0] if place == length else [1, 0, 1])
        assert (reward, terminated) == (0.0, False)
    for action, expected in [(EAST, (-0.1, False)), (right, (4.0, True))]:
        assert env.step(action)[1:3] == expected


def test_a_wrong_turn_costs_a_tenth_and_ends_the_episode():
    dynamics = TMaze(corridor_length=3)
    state = np.array([[3, 3], [0, 1]])
    _, reward, terminated = dynamics.transition(state, np.array([SOUTH, NORTH]), np.empty((0, 2)))
    assert reward.tolist() == [-0.1, -0.1]
    assert terminated.all()


@pytest.mark.parametrize(("place", "action"), [(0, WEST), (0, NORTH), (2, SOUTH), (3, EAST)])
def test_walking_into_a_wall_is_standing_still_and_costs_a_tenth(place, action):
    state = np.array([[place], [0]])
    following, reward, terminated = TMaze(3).transition(state, np.array([action]), np.empty((0, 1)))
    assert following[0] == place
    assert reward == -0.1
    assert not terminated


def test_both_goals_are_equally_likely():
    env = BatchedEnv(TMaze(), 4000)
    signs = seen(env.reset(seed=0)[0])
    assert set(signs) == {SIGN_NORTH, SIGN_SOUTH}
    assert abs((signs == SIGN_NORTH).mean() - 0.5) < 0.04


@pytest.mark.parametrize("length", [1, 4, 10, 30])
def test_an_oracle_with_memory_reaches_the_stated_optimum(length, mean_return):
    def oracle(history):
        turn = np.where(seen(history[0]) == SIGN_NORTH, NORTH, SOUTH)
        return np.where(seen(history[-1]) == JUNCTION, turn, EAST)

    assert (mean_return(BatchedEnv(TMaze(length), 64), oracle) == BEST_WITH_MEMORY).all()


@pytest.mark.parametrize("length", [1, 2, 5])
def test_the_best_of_all_deterministic_memoryless_policies_is_the_stated_one(length):
    policies = np.array(list(itertools.product(range(4), repeat=4)))  # [256, code]
    env = BatchedEnv(TMaze(length), 512)
    observations, _ = env.reset(seed=0)
    state = env.get_state()
    state["hidden"][:, 1] = np.repeat([0, 1], 256)
    env.set_state(state)
    observations = env.dynamics.observe(state["hidden"].T)
    returns, alive, table = np.zeros(512), np.ones(512, dtype=bool), np.tile(policies, (2, 1))
    while alive.any():
        actions = table[np.arange(512), seen(observations)]
        observations, rewards, terminated, truncated, _ = env.step(actions)
        returns += rewards * alive
        alive &= ~(terminated | truncated)
    assert returns.reshape(2, 256).mean(axis=0).max() == pytest.approx(BEST_WITHOUT, abs=1e-12)


def value(dynamics: TMaze, policy: np.ndarray) -> float:
    """The exact expected return of a stochastic memoryless policy [code, action], backwards in time."""
    places = dynamics.corridor_length + 1
    place, goal, action = (axis.ravel() for axis in np.mgrid[:places, :2, :4])
    following, reward, terminated = dynamics.transition(np.stack([place, goal]), action, np.empty((0, len(place))))
    chance = policy[seen(dynamics.observe(np.stack([place, goal]))), action]
    values = np.zeros((places, 2))
    for _ in range(dynamics.time_limit):
        backed_up = chance * (reward + ~terminated * values[following[0], following[1]])
        values = backed_up.reshape(places, 2, 4).sum(axis=-1)
    return values[0].mean()


def test_no_stochastic_memoryless_policy_beats_the_stated_one():
    rng = np.random.default_rng(0)
    dynamics = TMaze(corridor_length=3)
    for sharpness in (0.05, 0.3, 1.0):
        for policy in rng.dirichlet(np.full(4, sharpness), size=(100, 4)):
            assert value(dynamics, policy) <= BEST_WITHOUT + 1e-12
    best = np.eye(4)[[EAST, EAST, EAST, NORTH]]
    assert value(dynamics, best) == pytest.approx(BEST_WITHOUT, abs=1e-12)
    assert [SIGN_NORTH, SIGN_SOUTH, CORRIDOR, JUNCTION] == [0, 1, 2, 3]


def test_the_time_limit_cuts_an_episode_that_goes_nowhere():
    env = SingleEnv(TMaze(corridor_length=2, time_limit=5))
    env.reset(seed=0)
    cut = [env.step(EAST)[3] for _ in range(5)]
    assert cut == [False] * 4 + [True]
    assert TMaze(corridor_length=10).time_limit == 110


def test_impossible_mazes_are_refused():
    with pytest.raises(ValueError, match="corridor_length"):
        TMaze(corridor_length=0)
    with pytest.raises(ValueError, match="time_limit"):
        TMaze(corridor_length=5, time_limit=5)
    for wrong in ({"corridor_length": 2.5}, {"time_limit": 2.5}, {"corridor_length": 2, "time_limit": 7.5}):
        with pytest.raises(ValueError, match=r"must be an integer of at least 1, not \d.5"):
            TMaze(**wrong)
    with pytest.raises(ValueError, match="num_envs must be an integer"):
        BatchedEnv(TMaze(), 2.5)
    assert TMaze(corridor_length=np.int64(3)).time_limit == 40
