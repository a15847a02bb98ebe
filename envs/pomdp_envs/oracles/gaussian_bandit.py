"""Players of the Gaussian bandit."""

import functools

import numpy as np

from pomdp_envs.oracles.bandit_memory import BanditPlayer, StayOrGo, refuse_other_than_two_arms

REACH = 7.0  # differences of posterior means beyond it have a probability below 1e-6
SPACING = 0.01


@functools.cache
def best_return(pulls: int, spacing: float = SPACING) -> float:
    """Return the best mean return of two arms with independent standard normal means and unit noise."""
    return solve(pulls, spacing)[0]


def solve(pulls: int, spacing: float = SPACING) -> tuple[float, np.ndarray]:
    """Compute the best return and policy of two arms by dynamic programming over the posterior, backwards in time.

    After n pulls that paid x in sum, an arm's mean is normal around m = x / (n + 1) with variance 1 / (n + 1), and one
    more pull moves m by a normal step with variance 1 / ((n + 1) (n + 2)). Since moving both means moves all returns, the
    value is (pulls - t) m_1 + W_t(n_0, d) with d = m_0 - m_1, and W_pulls = 0,

        W_t(n_0, d) = max(d + E W_{t+1}(n_0 + 1, d + step of arm 0), E W_{t+1}(n_0, d - step of arm 1)),    n_1 = t - n_0.

    Expectations are sums over the grid of d, whose error falls faster than any power of spacing / (a step's deviation);
    where d leaves the grid, W is what pulling the better arm forever is worth.

    Returns:
        W_0(0, 0), and the limits [pulls, pulls] over (t, n_0): pull arm 0 where d exceeds the limit.
    """
    half = round(REACH / spacing)
    d = np.arange(-half, half + 1) * spacing
    steps = [_step_weights(1 / np.sqrt((n + 1) * (n + 2)), spacing) for n in range(pulls)]
    value, limits = np.zeros((pulls + 1, len(d))), np.zeros((pulls, pulls))
    for t in reversed(range(pulls)):
        slope, following = (pulls - t - 1) * spacing, value
        value = np.empty((t + 1, len(d)))
        for n_0 in range(t + 1):
            arm_0 = d + _expected(following[n_0 + 1], steps[n_0], slope)
            arm_1 = _expected(following[n_0], steps[t - n_0], slope)
            value[n_0] = np.maximum(arm_0, arm_1)
            limits[t, n_0] = _crossing(d, arm_0 - arm_1)
    return float(value[0, half]), limits


def _step_weights(deviation: float, spacing: float) -> np.ndarray:
    """Return the probabilities of steps on the grid, [2 k + 1], up to 7 deviations on both sides."""
    k = int(np.ceil(7 * deviation / spacing))
    weights = np.exp(-0.5 * (np.arange(-k, k + 1) * spacing / deviation) ** 2)
    return weights / weights.sum()


def _expected(value: np.ndarray, weights: np.ndarray, slope: float) -> np.ndarray:
    """Average values over the grid [D] after a step; to the left they go on as they are, to the right with the slope."""
    k = len(weights) // 2
    right = value[-1] + slope * np.arange(1, k + 1)
    return np.convolve(np.concatenate([np.full(k, value[0]), value, right]), weights, mode="valid")


def _crossing(d: np.ndarray, advantage: np.ndarray) -> float:
    """Return where a rising advantage [D] becomes positive, by linear interpolation."""
    i = max(int((advantage > 0).argmax()), 1)
    return float(d[i] - (d[i] - d[i - 1]) * advantage[i] / (advantage[i] - advantage[i - 1]))


class GaussianBanditOracle(BanditPlayer):
    """Play the best policy of two arms: compare the difference of the posterior means with its limit.

    Raises:
        ValueError: another number of arms.
    """

    def begin(self) -> None:
        """Compute the limits."""
        super().begin()
        refuse_other_than_two_arms(self.dynamics.arms, "GaussianBanditThompson")
        self.limits = solve(self.dynamics.pulls)[1]

    def act(self, observation: np.ndarray, starts: np.ndarray) -> np.ndarray:
        """Count, and compare."""
        self.look(observation, starts)
        means = self.sums / (1 + self.pulls)
        limit = self.limits[self.pulls.sum(axis=1), self.pulls[:, 0]]
        return np.where(means[:, 0] - means[:, 1] > limit, 0, 1)


class GaussianBanditThompson(BanditPlayer):
    """Draw every arm's mean from its posterior and pull the highest, for any number of arms."""

    def begin(self) -> None:
        """Draw from a stream of its own."""
        super().begin()
        self.rng = np.random.default_rng(0)

    def act(self, observation: np.ndarray, starts: np.ndarray) -> np.ndarray:
        """Count, and draw."""
        self.look(observation, starts)
        precision = 1 + self.pulls
        return self.rng.normal(self.sums / precision, precision**-0.5).argmax(axis=1)


class GaussianBanditMemoryless(StayOrGo):
    """Stay with an arm as long as it pays more than nothing."""
