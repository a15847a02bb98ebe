import itertools

import numpy as np
import pytest

from pomdp_envs import SingleEnv
from pomdp_envs.classic import TMaze, TMazeDeadline
from pomdp_envs.classic.tmaze_deadline import EAST, NORTH, SOUTH, WEST

BEST_WITH_MEMORY, BEST_WITHOUT = 1.0, 0.5
SEEN = np.array([[0, 0], [0, 1], [0, -1], [1, 0], [1, 1], [1, -1]])


def number(observations: np.ndarray) -> np.ndarray:
    """Which row of SEEN each column shows, [B]."""
    return (observations[:, None] == SEEN).all(axis=-1).argmax(axis=1)


def env_with_goal(dynamics: TMazeDeadline, goal: int) -> SingleEnv:
    env = SingleEnv(dynamics)
    env.reset(seed=0)
    state = env.get_state()
    state["hidden"][0, 2] = goal
    env.set_state(state)
    return env


@pytest.mark.parametrize(("goal", "turn"), [(1, NORTH), (-1, SOUTH)])
def test_the_passive_walk_shows_the_sign_first_and_has_no_step_to_spare(goal, turn):
    env = env_with_goal(TMazeDeadline(corridor_length=3), goal)
    assert env.dynamics.observe(env.hidden_state()[:, None]).tolist() == [[0, goal]]
    steps = [env.step(action) for action in (EAST, EAST, EAST, turn)]
    assert [step[0].tolist() for step in steps] == [[0, 0], [0, 0], [1, 0], [1, goal]]
    assert [step[1:4] for step in steps] == [(0.0, False, False)] * 3 + [(1.0, True, False)]


@pytest.mark.parametrize(("goal", "turn"), [(1, NORTH), (-1, SOUTH)])
def test_in_the_active_form_the_sign_must_be_fetched_and_is_shown_once(goal, turn):
    env = env_with_goal(TMazeDeadline(corridor_length=2, sign_distance=1), goal)
    assert env.dynamics.observe(env.hidden_state()[:, None]).tolist() == [[0, 0]]
    steps = [env.step(action) for action in (WEST, EAST, EAST, EAST, turn)]
    assert [step[0].tolist() for step in steps] == [[0, goal], [0, 0], [0, 0], [1, 0], [1, goal]]
    assert [step[1] for step in steps] == [0, 0, 0, 0, 1]
    assert [step[2] for step in steps] == [False] * 4 + [True]

    env = env_with_goal(TMazeDeadline(corridor_length=2, sign_distance=1), goal)
    seen = [env.step(action)[0].tolist() for action in (WEST, WEST, EAST, WEST)]
    assert seen == [[0, goal], [0, 0], [0, 0], [0, 0]]


def test_one_may_walk_on_without_the_sign_wait_in_an_arm_and_change_it():
    env = env_with_goal(TMazeDeadline(corridor_length=1, sign_distance=1), -1)
    steps = [env.step(action) for action in (EAST, NORTH, SOUTH, SOUTH)]
    assert [step[0].tolist() for step in steps] == [[1, 0], [1, 1], [1, 0], [1, -1]]
    assert [step[1] for step in steps] == [0, 0, 0, 1]


def test_each_step_behind_the_pace_costs_a_corridors_share_and_the_wrong_arm_nothing():
    env = env_with_goal(TMazeDeadline(corridor_length=4), 1)
    rewards = [env.step(action)[1] for action in (NORTH, EAST, EAST, EAST, SOUTH)]
    assert rewards == [-0.25] * 4 + [0.0]
    env = env_with_goal(TMazeDeadline(corridor_length=2), 1)
    assert [env.step(action)[1] for action in (EAST, EAST, SOUTH)] == [0.0, 0.0, 0.0]


@pytest.mark.parametrize(("distance", "action", "place"), [(0, WEST, 0), (1, NORTH, 1), (1, SOUTH, 1)])
def test_walking_into_a_wall_is_standing_still(distance, action, place):
    env = env_with_goal(TMazeDeadline(3, distance), 1)
    env.step(action)
    assert env.hidden_state()[:2].tolist() == [place, 0]


def test_no_wall_of_an_arm_can_be_passed():
    state = np.array([[4] * 4, [1] * 4, [1] * 4, [1] * 4, [5] * 4])
    following, *_ = TMazeDeadline(4).transition(state, np.array([NORTH, EAST, SOUTH, WEST]), np.empty((0, 4)))
    assert following[:2].tolist() == [[4] * 4, [1, 1, 0, 1]]


def test_both_goals_are_equally_likely():
    start = TMazeDeadline().initial(np.linspace(0, 1, 1000, endpoint=False)[None])
    assert (start[2] == 1).sum() == (start[2] == -1).sum() == 500


def returns(dynamics: TMazeDeadline, tables: np.ndarray) -> np.ndarray:
    """The mean return of deterministic memoryless policies [policy, observation] over both goals, exactly."""
    count = len(tables)
    state = dynamics.initial(np.repeat([0.0, 0.9], count)[None])
    tables, total = np.tile(tables, (2, 1)), np.zeros(2 * count)
    for _ in range(dynamics.episode_length):
        action = tables[np.arange(2 * count), number(dynamics.observe(state))]
        state, reward, ended = dynamics.transition(state, action, np.empty((0, 2 * count)))
        total += reward
    assert ended.all()
    return total.reshape(2, count).mean(axis=0)


@pytest.mark.parametrize(("length", "distance"), [(1, 0), (3, 0), (1, 1), (3, 1), (2, 2)])
def test_the_best_of_all_deterministic_memoryless_policies_is_the_stated_one(length, distance):
    policies = np.array(list(itertools.product(range(4), repeat=len(SEEN))))  # [4096, observation]
    assert returns(TMazeDeadline(length, distance), policies).max() == pytest.approx(BEST_WITHOUT, abs=1e-12)
    assert TMazeDeadline(length, distance).memoryless_return == BEST_WITHOUT


def value(dynamics: TMazeDeadline, policy: np.ndarray) -> float:
    """The exact expected return of a stochastic memoryless policy [observation, action], forwards in time."""
    state = dynamics.initial(np.array([[0.0, 0.9]]))
    chance, total = np.array([0.5, 0.5]), 0.0
    for _ in range(dynamics.episode_length):
        branches = policy[number(dynamics.observe(state))] * chance[:, None]  # [B, 4]
        action = np.tile(np.arange(4), len(chance))
        state, reward, _ = dynamics.transition(state.repeat(4, axis=1), action, np.empty((0, len(action))))
        total += branches.ravel() @ reward
        state, where = np.unique(state, axis=1, return_inverse=True)
        chance = np.bincount(where.ravel(), weights=branches.ravel())
    assert chance.sum() == pytest.approx(1.0)
    return total


@pytest.mark.parametrize("distance", [0, 1])
def test_no_stochastic_memoryless_policy_beats_the_stated_one(distance):
    rng = np.random.default_rng(0)
    dynamics = TMazeDeadline(2, distance)
    for sharpness in (0.05, 0.3, 1.0):
        for policy in rng.dirichlet(np.full(4, sharpness), size=(60, len(SEEN))):
            assert value(dynamics, policy) <= BEST_WITHOUT + 1e-12
    east_then_north = np.eye(4)[[EAST, EAST, EAST, NORTH, NORTH, NORTH]]
    assert value(dynamics, east_then_north) == pytest.approx(BEST_WITHOUT, abs=1e-12)


@pytest.mark.parametrize("distance", [0, 1, 2])
def test_the_best_of_all_action_sequences_given_the_goal_is_the_stated_optimum(distance):
    dynamics = TMazeDeadline(2, distance)
    actions = np.array(list(itertools.product((NORTH, EAST, WEST), repeat=dynamics.episode_length))).T
    state, total = dynamics.initial(np.zeros((1, actions.shape[1]))), np.zeros(actions.shape[1])
    told = np.zeros(actions.shape[1], dtype=bool)
    for action in actions:
        told |= number(dynamics.observe(state)) == 1  # the goal of all is north
        state, reward, _ = dynamics.transition(state, action, np.empty((0, len(action))))
        total += reward
    assert total.max() == BEST_WITH_MEMORY == dynamics.optimal_return
    assert (told & (total == BEST_WITH_MEMORY)).sum() == 1  # there is one way to be told the goal and still reach it


def test_the_episode_has_the_lengths_of_the_paper():
    assert TMazeDeadline(10).episode_length == 11
    assert TMazeDeadline(10, sign_distance=1).episode_length == 13


def test_impossible_mazes_are_refused():
    for wrong in ({"corridor_length": 0}, {"corridor_length": 2.5}, {"sign_distance": -1}, {"sign_distance": 0.5}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            TMazeDeadline(**wrong)


@pytest.mark.parametrize("dynamics", [TMaze(4), TMazeDeadline(4), TMazeDeadline(3, 1), TMaze(300)])
def test_the_picture_has_one_agent_at_its_place_and_one_goal(dynamics):
    state = dynamics.initial(np.array([[0.9]]))
    state, *_ = dynamics.transition(state, np.array([EAST]), np.empty((0, 1)))
    picture = dynamics.picture(state[:, 0])
    side = len(picture) // 5
    cells = picture[::side, ::side]
    assert picture.shape == (5 * side, cells.shape[1] * side, 3)
    assert picture.shape[1] > 200
    np.testing.assert_array_equal(cells.repeat(side, axis=0).repeat(side, axis=1), picture)
    assert np.argwhere((cells == [50, 100, 200]).all(axis=-1)).tolist() == [[2, state[0, 0] + 1]]
    assert np.argwhere((cells == [70, 170, 90]).all(axis=-1)).tolist() == [[3, cells.shape[1] - 2]]  # south
