"""Players of the Bernoulli bandit."""

import functools

import numpy as np

from pomdp_envs.oracles.bandit_memory import BanditPlayer, StayOrGo, refuse_other_than_two_arms


@functools.cache
def best_return(pulls: int) -> float:
    """Return the best mean return of two arms with independent uniform probabilities."""
    return solve(pulls)[0]


def solve(pulls: int) -> tuple[float, list[np.ndarray]]:
    """Compute the best return and policy of two arms by dynamic programming, backwards in time.

    After s ones in n pulls an arm pays 1 with probability (s + 1) / (n + 2). With V_pulls = 0,

        V_t(n_0, s_0, s_1) = max over arms i of p_i (1 + V_{t+1}(one more pull and one of i)) + (1 - p_i) V_{t+1}(one more
        pull of i),    n_1 = t - n_0.

    Returns:
        V_0, and for t = 0 .. pulls - 1 whether to pull arm 0, bool [t + 1, t + 1, t + 1] over (n_0, s_0, s_1).
    """
    value, policy = np.zeros((pulls + 1,) * 3), []
    for t in reversed(range(pulls)):
        n_0, s_0, s_1 = np.ogrid[: t + 1, : t + 1, : t + 1]
        p_0, p_1 = (s_0 + 1) / (n_0 + 2), (s_1 + 1) / (t - n_0 + 2)
        arm_0 = p_0 * (1 + value[1:, 1:, :-1]) + (1 - p_0) * value[1:, :-1, :-1]
        arm_1 = p_1 * (1 + value[:-1, :-1, 1:]) + (1 - p_1) * value[:-1, :-1, :-1]
        policy.append(arm_0 >= arm_1)
        value = np.maximum(arm_0, arm_1)
    return float(value[0, 0, 0]), policy[::-1]


class BernoulliBanditOracle(BanditPlayer):
    """Play the exact best policy of two arms.

    Raises:
        ValueError: another number of arms.
    """

    def begin(self) -> None:
        """Look the policy up in one flat table."""
        super().begin()
        refuse_other_than_two_arms(self.dynamics.arms, "BernoulliBanditThompson")
        self.policy = np.concatenate([table.ravel() for table in solve(self.dynamics.pulls)[1]])
        self.offset = np.cumsum([0, *(t**3 for t in range(1, self.dynamics.pulls))])

    def act(self, observation: np.ndarray, starts: np.ndarray) -> np.ndarray:
        """Count, and look up."""
        self.look(observation, starts)
        t = self.pulls.sum(axis=1)
        ones = self.sums.astype(np.int64)
        place = (self.pulls[:, 0] * (t + 1) + ones[:, 0]) * (t + 1) + ones[:, 1]
        return np.where(self.policy[self.offset[t] + place], 0, 1)


class BernoulliBanditThompson(BanditPlayer):
    """Draw every arm's probability from its posterior and pull the highest, for any number of arms.

    Source: Thompson (1933), "On the likelihood that one unknown probability exceeds another".
    """

    def begin(self) -> None:
        """Draw from a stream of its own."""
        super().begin()
        self.rng = np.random.default_rng(0)

    def act(self, observation: np.ndarray, starts: np.ndarray) -> np.ndarray:
        """Count, and draw."""
        self.look(observation, starts)
        return self.rng.beta(1 + self.sums, 1 + self.pulls - self.sums).argmax(axis=1)


class BernoulliBanditMemoryless(StayOrGo):
    """Stay with an arm until it fails."""
