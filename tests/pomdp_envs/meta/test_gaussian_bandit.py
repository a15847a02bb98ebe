import numpy as np
import pytest

from pomdp_envs import BatchedEnv
from pomdp_envs.meta import GaussianBandit
from pomdp_envs.oracles.gaussian_bandit import (
    GaussianBanditOracle,
    GaussianBanditThompson,
    best_return,
    solve,
)
from pomdp_envs.players import play

N = 4096


def test_means_are_standard_normal_and_rewards_normal_around_them():
    env = BatchedEnv(GaussianBandit(arms=3, pulls=200), N)
    env.reset(seed=0)
    means = env.hidden_state()[:, :3]
    assert means.mean(axis=0) == pytest.approx(0, abs=0.06)
    np.testing.assert_allclose(np.cov(means.T), np.eye(3), atol=0.08)
    for arm in range(3):
        noise = np.stack([env.step(np.full(N, arm))[1] for _ in range(50)]) - means[:, arm]
        assert noise.mean() == pytest.approx(0, abs=0.01)
        assert noise.std() == pytest.approx(1, abs=0.01)
        assert (noise**4).mean() == pytest.approx(3, abs=0.1)
        assert np.corrcoef(noise[:-1].ravel(), noise[1:].ravel())[0, 1] == pytest.approx(0, abs=0.01)


def test_two_pulls_by_hand():
    """The first pays 0 in the mean; then the better of the posterior mean, N(0, 1/2), and 0: E max = sqrt(1 / (4 pi))."""
    assert best_return(2) == pytest.approx(np.sqrt(1 / (4 * np.pi)), abs=1e-5)


def test_three_pulls_by_quadrature():
    """After the first pull, m ~ N(0, 1/2). Second: the same arm, or the other, then the better of both."""

    def expected_positive(mean, deviation):
        from math import erf, exp, pi, sqrt

        z = mean / deviation
        return mean * 0.5 * (1 + erf(z / sqrt(2))) + deviation * exp(-(z**2) / 2) / sqrt(2 * pi)

    grid = np.linspace(-5, 5, 20_001)
    density = np.exp(-(grid**2)) / np.sqrt(np.pi)
    same = [m + expected_positive(m, np.sqrt(1 / 6)) for m in grid]  # the other arm pays 0 in the mean
    other = [m + expected_positive(-m, np.sqrt(1 / 2)) for m in grid]  # max(m, m') = m + max(m' - m, 0)
    expected = (np.maximum(same, other) * density).sum() * (grid[1] - grid[0])
    assert best_return(3) == pytest.approx(expected, abs=2e-5)


@pytest.mark.parametrize("pulls", [10, 100])
def test_the_stated_optima_are_those_of_the_recursion(pulls):
    assert best_return(pulls) == pytest.approx(GaussianBandit(pulls=pulls).optimal_return, abs=2e-5)


def test_a_finer_grid_changes_nothing():
    assert best_return(10, spacing=0.004) == pytest.approx(best_return(10), abs=1e-5)


def test_the_limit_favours_the_arm_that_was_pulled_less():
    _, limits = solve(20)
    for t in range(1, 20):
        np.testing.assert_allclose(limits[t, : t + 1], -limits[t, t::-1], atol=1e-6)  # both arms alike
        assert (np.diff(limits[t, : t + 1]) > -1e-9).all()
    assert limits[5, 0] < -0.1
    np.testing.assert_allclose(limits[19, :20], 0, atol=1e-6)  # the last pull takes the better mean


@pytest.mark.parametrize("tasks", ["all", "train", "held-out"])
def test_the_oracle_reaches_the_optimum_within_ten_pulls_on_every_set_of_tasks(tasks):
    dynamics = GaussianBandit(pulls=10, tasks=tasks)
    returns = play(BatchedEnv(dynamics, N), GaussianBanditOracle(dynamics, N), seed=1)
    assert returns.mean() == pytest.approx(dynamics.optimal_return, abs=4 * returns.std() / np.sqrt(N))


def test_thompson_sampling_is_worse_than_the_oracle():
    dynamics = GaussianBandit()
    best, sampled = (
        play(BatchedEnv(dynamics, N), player(dynamics, N), seed=1)
        for player in (GaussianBanditOracle, GaussianBanditThompson)
    )
    assert 1 < (best - sampled).mean() < 6


def test_training_means_are_never_held_out():
    sets = []
    for tasks in ("train", "held-out"):
        env = BatchedEnv(GaussianBandit(arms=3, tasks=tasks), N)
        env.reset(seed=0)
        sets.append(env.hidden_state()[:, :3])
    for mean, other in zip(sets[0].T, sets[1].T):
        assert np.intersect1d(mean, other).size == 0
        assert abs(np.corrcoef(mean, other)[0, 1]) < 0.06  # one seed, unrelated tasks


def test_wrong_arguments_are_refused():
    for wrong in ({"arms": 0}, {"pulls": 2.5}):
        with pytest.raises(ValueError, match="must be an integer of at least 1"):
            GaussianBandit(**wrong)
    with pytest.raises(ValueError, match="use GaussianBanditThompson"):
        GaussianBanditOracle(GaussianBandit(arms=3), 1)
