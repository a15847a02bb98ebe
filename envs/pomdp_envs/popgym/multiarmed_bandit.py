"""Find the best of several slot machines within an episode."""

import numpy as np
from gymnasium import spaces

from pomdp_envs.dynamics import Dynamics, checked_count

PROBABILITY_STEP = np.float32(2.0**-24)


class MultiarmedBandit(Dynamics):
    """POPGym's MultiarmedBandit: each arm pays out with its own probability, drawn anew for every episode.

    Action space: Discrete(num_bandits): the arm to pull.
    Observation space: Discrete(2): whether the last pull paid out; 0 at the start. The arm that was pulled is not shown: a
        policy has to remember it, or to get it from the `PreviousActionReward` wrapper.
    Start: the probabilities are independent and uniform in [0, 1) (multiples of 2^-24, as popgym's).
    Reward: 1 / time_limit for a payout, -1 / time_limit otherwise. The return is thus in [-1, 1].
    End: never terminated; truncated after `time_limit` steps.
    Hidden state: [probability of each arm, the last outcome], float32 [num_bandits + 1].

    The optimal return, that of the Bayes-optimal policy, has no closed form. It is below (num_bandits - 1) /
    (num_bandits + 1): 0.82, 0.90 and 0.94 in the three difficulties, the mean return of a policy that is told the best
    arm. (An index policy reaches 0.74, 0.82 and 0.85.) The best memoryless return is not known either: every deterministic
    policy has a mean of at most 0 (with arm i after nothing, arm j after a payout and d = p_j - p_i, the chance that pull
    t pays is p_i (1 + d + ... + d^(t-1)), whose mean is 1/2 for odd t and 1/2 - E[d^t] / 2 for even t); one that stays
    with one arm after a payout and pulls any other one at random after none reaches 0.08.

    popgym puts the probabilities into `info`; here, they are in the hidden state only.

    Args:
        num_bandits: 10 (Easy), 20 (Medium) or 30 (Hard) arms.
        time_limit: 200, 400 or 600.

    Raises:
        ValueError: fewer than 2 arms or 1 step, or no integers.

    Source: popgym 1.0.7; bandits as a test of memory: Duan, Schulman, Chen, Bartlett, Sutskever and Abbeel (2016),
        "RL^2: Fast Reinforcement Learning via Slow Reinforcement Learning", section 3.1.

    Versions: v0, the first.
    """

    observation_space = spaces.Discrete(2)
    transition_draws = 1
    memory_span = "the whole episode"

    def __init__(self, num_bandits: int = 10, time_limit: int = 200) -> None:
        self.num_bandits = checked_count("num_bandits", num_bandits, least=2)
        steps = self.time_limit = checked_count("time_limit", time_limit)
        self.unit = 1 / steps  # of reward
        self.action_space = spaces.Discrete(self.num_bandits)
        self.initial_draws = self.num_bandits

    def initial(self, uniforms: np.ndarray) -> np.ndarray:
        """Draw the probabilities: float32 [num_bandits + 1, B]."""
        state = np.zeros((self.num_bandits + 1, uniforms.shape[1]), dtype=np.float32)
        state[:-1] = np.floor(uniforms / PROBABILITY_STEP) * PROBABILITY_STEP
        return state

    def transition(
        self, state: np.ndarray, action: np.ndarray, uniforms: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Pull an arm each."""
        chance = state[action, np.arange(len(action))]  # [B]
        pays = uniforms[0].astype(np.float32) < chance  # in single precision, as popgym's comparison is
        state[-1] = pays
        return state, np.where(pays, self.unit, -self.unit), np.zeros(len(action), dtype=bool)

    def observe(self, state: np.ndarray) -> np.ndarray:
        """Show whether the last pull paid out, int64 [B]."""
        return state[-1].astype(np.int64)

    def text(self, state: np.ndarray) -> str:
        """List the probabilities in percent, and the last outcome."""
        chances = " ".join(f"{100 * chance:.0f}" for chance in state[:-1])
        return f"{chances}; {'paid out' if state[-1] else 'nothing'}"
