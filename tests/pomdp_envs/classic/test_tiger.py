import itertools
from functools import cache

import numpy as np
import pytest

from pomdp_envs import SingleEnv
from pomdp_envs.classic import Tiger
from pomdp_envs.classic.tiger import (
    HEARD_LEFT,
    HEARD_RIGHT,
    LISTEN,
    OPEN_LEFT,
    OPEN_RIGHT,
    SILENCE,
    best_plan,
)

HORIZON_20 = 20.390826254498343  # the stated optimum of the default


def step(tiger: int, action: int, uniform: float):
    state = np.array([[tiger], [SILENCE], [0]])
    state, reward, ended = Tiger().transition(state, np.array([action]), np.array([[uniform]]))
    return state[:, 0].tolist(), reward[0], bool(ended[0])


@pytest.mark.parametrize(("tiger", "right", "wrong"), [(0, HEARD_LEFT, HEARD_RIGHT), (1, HEARD_RIGHT, HEARD_LEFT)])
def test_listening_costs_one_and_is_right_for_uniform_numbers_below_the_accuracy(tiger, right, wrong):
    assert step(tiger, LISTEN, 0.8499) == ([tiger, right, 1], -1.0, False)
    assert step(tiger, LISTEN, 0.85) == ([tiger, wrong, 1], -1.0, False)


@pytest.mark.parametrize("tiger", [0, 1])
def test_opening_a_door_pays_by_what_is_behind_and_places_the_tiger_anew_in_silence(tiger):
    for uniform, placed in ((0.49, 0), (0.5, 1)):
        assert step(tiger, OPEN_LEFT, uniform) == ([placed, SILENCE, 1], (-100.0, 10.0)[tiger], False)
        assert step(tiger, OPEN_RIGHT, uniform) == ([placed, SILENCE, 1], (10.0, -100.0)[tiger], False)


def test_the_episode_ends_at_the_horizon_and_starts_in_silence():
    env = SingleEnv(Tiger(horizon=3))
    assert env.reset(seed=0)[0] == SILENCE
    assert [env.step(LISTEN)[2:4] for _ in range(3)] == [(False, False), (False, False), (True, False)]
    start = Tiger().initial(np.linspace(0, 1, 100, endpoint=False)[None])
    assert start[0].sum() == 50


def test_the_tiger_is_heard_on_its_side_with_the_stated_frequency():
    rng, columns = np.random.default_rng(0), 20_000
    dynamics = Tiger()
    state = dynamics.initial(rng.random((1, columns)))
    tiger = state[0].copy()
    state, *_ = dynamics.transition(state, np.full(columns, LISTEN), rng.random((1, columns)))
    assert abs((dynamics.observe(state) == tiger).mean() - 0.85) < 4 * np.sqrt(0.85 * 0.15 / columns)


def branches(dynamics: Tiger, joint: np.ndarray, action: int):
    """From P(history, tiger) [2], the expected reward and the joint after each observation, out of the transition."""
    low, high = 0.425, 0.925  # uniform numbers for right and wrong, or for both places; their chances below
    state = np.array([[0, 0, 1, 1], [SILENCE] * 4, [0] * 4])
    uniforms = np.array([[low, high, low, high]])
    state, reward, _ = dynamics.transition(state, np.full(4, action), uniforms)
    chance = np.array([0.85, 0.15]) if action == LISTEN else np.array([0.5, 0.5])
    weight = joint.repeat(2) * np.tile(chance, 2)
    following = {}
    for seen in set(state[1].tolist()):
        following[seen] = np.array([weight[(state[1] == seen) & (state[0] == tiger)].sum() for tiger in (0, 1)])
    return weight @ reward, following


def best(dynamics: Tiger, joint: np.ndarray, left: int) -> float:
    """The best expected return over all policies that remember everything, by going through all histories."""
    if left == 0:
        return 0.0
    values = []
    for action in range(3):
        reward, following = branches(dynamics, joint, action)
        values.append(reward + sum(best(dynamics, after, left - 1) for after in following.values()))
    return max(values)


@pytest.mark.parametrize("horizon", [1, 2, 3, 4, 5])
def test_the_stated_optimum_is_that_over_all_histories(horizon):
    dynamics = Tiger(horizon)
    assert dynamics.optimal_return == pytest.approx(best(dynamics, np.array([0.5, 0.5]), horizon), abs=1e-12)


def test_the_stated_optimum_of_the_default_is_that_of_a_program_over_beliefs():
    @cache
    def value(belief: float, left: int) -> float:
        if left == 0:
            return 0.0
        hear = 0.85 * belief + 0.15 * (1 - belief)
        after = (round(0.85 * belief / hear, 13), round(0.15 * belief / (1 - hear), 13))
        listen = -1 + hear * value(after[0], left - 1) + (1 - hear) * value(after[1], left - 1)
        afresh = value(0.5, left - 1)
        return max(listen, 10 - 110 * belief + afresh, 10 - 110 * (1 - belief) + afresh)

    assert Tiger().optimal_return == pytest.approx(value(0.5, 20), abs=1e-8)
    assert Tiger().optimal_return == pytest.approx(HORIZON_20, abs=1e-9)


def test_the_plan_listens_without_evidence_and_opens_the_other_door_on_much():
    plan = best_plan(20)
    assert plan.action[20, 20] == LISTEN
    assert plan.action[10, 20 + 5] == OPEN_RIGHT
    assert plan.action[10, 20 - 5] == OPEN_LEFT
    np.testing.assert_allclose(plan.value, plan.value[:, ::-1], atol=1e-9)


def value_without_memory(horizon: int, policy: np.ndarray) -> float:
    """The exact expected return of a memoryless policy [observation, action], forwards in time."""
    dynamics, total = Tiger(), 0.0
    joint = {SILENCE: np.array([0.5, 0.5])}
    for _ in range(horizon):
        following = {seen: np.zeros(2) for seen in range(3)}
        for seen, here in joint.items():
            for action in range(3):
                reward, after = branches(dynamics, here * policy[seen, action], action)
                total += reward
                for heard, there in after.items():
                    following[heard] += there
        joint = following
    return total


def test_the_best_of_all_deterministic_memoryless_policies_is_to_listen_always():
    for horizon in (1, 2, 3, 7, 20):
        values = {
            table: value_without_memory(horizon, np.eye(3)[list(table)])
            for table in itertools.product(range(3), repeat=3)
        }
        assert max(values.values()) == pytest.approx(-horizon) == Tiger(horizon).memoryless_return
        assert values[LISTEN, LISTEN, LISTEN] == pytest.approx(-horizon)


def test_no_stochastic_memoryless_policy_beats_listening():
    rng = np.random.default_rng(0)
    for sharpness in (0.05, 0.3, 1.0):
        for policy in rng.dirichlet(np.full(3, sharpness), size=(30, 3)):
            assert value_without_memory(8, policy) <= -8 + 1e-12


def test_opening_after_a_hearing_is_never_worth_more_than_listening_whatever_the_odds_of_opening():
    """The step of the argument: with a and b the chances to open on a hearing of the left and of the right.

    Given the tiger's side, a side is heard and the door stays closed with the chance s_left or s_right. What the k-th
    hearing gives beyond listening is the bracket below; it is never above 0, for a grid of a, b and k.
    """
    a, b = np.mgrid[0:1:101j, 0:1:101j]
    s_left, s_right = 1 - 0.85 * a - 0.15 * b, 1 - 0.15 * a - 0.85 * b
    for k in range(1, 40):
        gain = s_left ** (k - 1) * (0.85 * a * (10 + 1) + 0.15 * b * (-100 + 1))
        gain += s_right ** (k - 1) * (0.85 * b * (10 + 1) + 0.15 * a * (-100 + 1))
        assert gain.max() <= 1e-12


def test_a_horizon_that_is_no_count_is_refused():
    for wrong in (0, 2.5, None):
        with pytest.raises(ValueError, match="horizon"):
            Tiger(wrong)
