import functools
from fractions import Fraction

import numpy as np
import pytest

from pomdp_envs import BatchedEnv
from pomdp_envs.meta import BernoulliBandit
from pomdp_envs.oracles.bernoulli_bandit import BernoulliBanditOracle, BernoulliBanditThompson, best_return
from pomdp_envs.players import play

N = 4096


@functools.cache
def value(left: int, ones: tuple[int, ...], zeros: tuple[int, ...]) -> Fraction:
    """The best expected return of the pulls that are left, exactly, by recursion over all futures."""
    if left == 0:
        return Fraction(0)
    values = []
    for arm in range(len(ones)):
        chance = Fraction(ones[arm] + 1, ones[arm] + zeros[arm] + 2)
        one = (*ones[:arm], ones[arm] + 1, *ones[arm + 1 :])
        zero = (*zeros[:arm], zeros[arm] + 1, *zeros[arm + 1 :])
        values.append(chance * (1 + value(left - 1, one, zeros)) + (1 - chance) * value(left - 1, ones, zero))
    return max(values)


def test_probabilities_are_uniform_and_arms_pay_as_often_as_they_say():
    env = BatchedEnv(BernoulliBandit(arms=3, pulls=200), N)
    env.reset(seed=0)
    chances = env.hidden_state()[:, :3]
    assert np.abs(np.sort(chances, axis=0) - (np.arange(N)[:, None] + 0.5) / N).max() < 0.035  # Kolmogorov-Smirnov
    assert np.abs(np.corrcoef(chances.T) - np.eye(3)).max() < 0.06
    for arm in range(3):
        paid = np.mean([env.step(np.full(N, arm))[1] for _ in range(50)], axis=0)
        assert (paid - chances[:, arm]).mean() == pytest.approx(0, abs=0.005)
        assert ((paid - chances[:, arm]) ** 2).mean() == pytest.approx(1 / 6 / 50, rel=0.1)  # E p (1 - p) / 50


def test_a_trial_ends_after_its_pulls_and_the_next_has_other_arms():
    env = BatchedEnv(BernoulliBandit(pulls=3), 4)
    env.reset(seed=0)
    before = env.hidden_state()[:, :2]
    ends = [env.step(np.zeros(4, dtype=int))[2].tolist() for _ in range(3)]
    assert ends == [[False] * 4, [False] * 4, [True] * 4]
    assert (env.hidden_state()[:, :2] != before).all()


def test_an_observation_shows_the_pull_and_what_it_paid():
    env = BatchedEnv(BernoulliBandit(arms=3, pulls=10), 2)
    observation, _ = env.reset(seed=0)
    assert observation.tolist() == [[0] * 5] * 2
    observation, rewards, *_ = env.step(np.array([2, 0]))
    assert observation.tolist() == [[0, 0, 1, rewards[0], 1], [1, 0, 0, rewards[1], 1]]


def test_the_stated_optima_are_those_of_the_exact_recursion():
    assert float(value(10, (0, 0), (0, 0))) == pytest.approx(BernoulliBandit(pulls=10).optimal_return, abs=1e-12)
    assert best_return(10) == pytest.approx(BernoulliBandit(pulls=10).optimal_return, abs=1e-12)
    assert best_return(100) == pytest.approx(BernoulliBandit().optimal_return, abs=1e-9)
    assert best_return(2) == pytest.approx(13 / 12)
    assert BernoulliBandit(arms=3).optimal_return is None


@pytest.mark.parametrize("tasks", ["all", "train", "held-out"])
def test_the_oracle_reaches_the_optimum_within_ten_pulls_on_every_set_of_tasks(tasks):
    dynamics = BernoulliBandit(pulls=10, tasks=tasks)
    returns = play(BatchedEnv(dynamics, N), BernoulliBanditOracle(dynamics, N), seed=1)
    assert returns.mean() == pytest.approx(dynamics.optimal_return, abs=4 * returns.std() / np.sqrt(N))


def test_thompson_sampling_is_a_little_worse_than_the_oracle():
    dynamics = BernoulliBandit()
    best, sampled = (
        play(BatchedEnv(dynamics, N), player(dynamics, N), seed=1)
        for player in (BernoulliBanditOracle, BernoulliBanditThompson)
    )
    assert 0 < (best - sampled).mean() < 2


def test_training_arms_are_never_held_out():
    sets = []
    for tasks, odd in (("train", 0), ("held-out", 1)):
        env = BatchedEnv(BernoulliBandit(tasks=tasks), N)
        env.reset(seed=0)
        chances = env.hidden_state()[:, :2]
        assert (chances[:, 0] * 2**53 % 2 == odd).all()
        sets.append(chances)
    assert np.intersect1d(sets[0][:, 0], sets[1][:, 0]).size == 0
    assert np.abs(np.corrcoef(np.hstack(sets).T) - np.eye(4)).max() < 0.06  # one seed, unrelated tasks


def test_wrong_arguments_are_refused():
    for wrong in ({"arms": 0}, {"pulls": 2.5}):
        with pytest.raises(ValueError, match="must be an integer of at least 1"):
            BernoulliBandit(**wrong)
    with pytest.raises(ValueError, match="use BernoulliBanditThompson"):
        BernoulliBanditOracle(BernoulliBandit(arms=3), 1)
