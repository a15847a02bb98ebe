"""Players of the cart-poles."""

import numpy as np

from pomdp_envs.control.cartpole import SEEN_LIMITS, TIME_STEP, advance
from pomdp_envs.oracles.filtering import clipped_normal, corrected
from pomdp_envs.oracles.linear import Switch
from pomdp_envs.players import Player

GAINS = np.array([0.1, 0.2, 1.0, 0.3])  # position, velocity, angle, angular velocity: balances from every start
CALM_GAINS = np.array([0.05, 0.07, 1.0, 0.22])  # better where the variables are uncertain
START_VARIANCE = 0.1**2 / 12
MODEL_VARIANCE = np.diag([1e-8, 1e-6, 1e-8, 1e-6])  # of one step, for what the linear model leaves out


def push(moving: np.ndarray, gains: np.ndarray = GAINS) -> np.ndarray:
    """Return 1 (right) where the weighted sum of the four variables [B, 4] is positive, otherwise 0: int64 [B]."""
    return (moving @ gains > 0).astype(np.int64)


class CartPoleOracle(Player):
    """Take the last two positions' difference for the velocity, and balance."""

    def begin(self) -> None:
        """Remember the last positions."""
        self.before = np.zeros((self.num_envs, 2))

    def act(self, observation: np.ndarray, starts: np.ndarray) -> np.ndarray:
        """Push to where the pole falls; at the start as if at rest."""
        self.before[starts] = observation[starts]
        velocity = (observation - self.before) / TIME_STEP
        self.before = observation.astype(np.float64)
        return push(np.stack([self.before, velocity], axis=2).reshape(self.num_envs, 4))  # [B, 4]: as in the state


class VelocityCartPoleOracle(Player):
    """Sum up the velocities from the positions that an episode starts with, and balance."""

    def begin(self) -> None:
        """Remember the estimate, and what was done."""
        self.position = np.zeros((self.num_envs, 2))
        self.velocity = np.zeros((self.num_envs, 2))
        self.second = np.zeros(self.num_envs, dtype=bool)  # whether the next observation is an episode's second
        self.action = np.zeros(self.num_envs, dtype=np.int64)

    def act(self, observation: np.ndarray, starts: np.ndarray) -> np.ndarray:
        """Move the positions on by the velocities that were seen before."""
        seen = observation.astype(np.float64)
        second = self.second & ~starts
        self.velocity[second] = seen[second] - self._gained()[second]  # what it was at the start, when it was not shown
        self.position += TIME_STEP * self.velocity
        self.velocity = np.where(starts[:, None], 0.0, seen)
        self.position[starts] = seen[starts]
        self.second = starts.copy()
        self.action = push(np.stack([self.position, self.velocity], axis=2).reshape(self.num_envs, 4))
        return self.action

    def _gained(self) -> np.ndarray:
        """Return the velocities [B, 2] that the last action gave to a pole at rest at the estimated positions."""
        rest = np.zeros((4, self.num_envs))
        rest[0::2] = self.position.T
        return advance(rest, self.action)[0][1::2].T


class NoisyCartPoleOracle(Player):
    """Track all four variables by an extended Kalman filter, and balance what it believes."""

    def begin(self) -> None:
        """Remember the belief (a normal distribution per column) and the last action."""
        self.mean = np.zeros((self.num_envs, 4))
        self.covariance = np.zeros((self.num_envs, 4, 4))
        self.action = np.zeros(self.num_envs, dtype=np.int64)
        self.jacobian = jacobian()

    def act(self, observation: np.ndarray, starts: np.ndarray) -> np.ndarray:
        """Move the belief on, correct it by both numbers, and push."""
        self.mean = advance(np.ascontiguousarray(self.mean.T), self.action)[0].T
        self.covariance = self.jacobian @ self.covariance @ self.jacobian.T + MODEL_VARIANCE
        self.mean[starts] = 0.0
        self.covariance[starts] = START_VARIANCE * np.eye(4)
        for k, limit in enumerate(SEEN_LIMITS.tolist()):
            self._correct(2 * k, observation[:, k], limit)
        self.action = push(self.mean, CALM_GAINS)
        return self.action

    def _correct(self, variable: int, seen: np.ndarray, limit: float) -> None:
        """Take in one noisy variable [B], clipped to +-limit."""
        expected, slope, variance = clipped_normal(self.mean[:, variable], self.dynamics.noise_sigma, -limit, limit)
        direction = np.zeros((self.num_envs, 4))
        direction[:, variable] = slope
        self.mean, self.covariance = corrected(self.mean, self.covariance, seen - expected, direction, variance)


def jacobian() -> np.ndarray:
    """Return the derivative [4, 4] of the next state by the state, upright and at rest; the mean of both pushes."""
    small = 1e-6
    states = np.concatenate([small * np.eye(4), -small * np.eye(4)], axis=1)  # [4, 8]
    following = (advance(states, np.zeros(8, dtype=np.int64))[0] + advance(states, np.ones(8, dtype=np.int64))[0]) / 2
    return (following[:, :4] - following[:, 4:]) / (2 * small)


class CartPoleMemoryless(Switch):
    """The best linear policy of position and angle, of 64 directions: push right where 2.4 angle > position."""

    weights = np.array([np.cos(1.963), np.sin(1.963)])


class VelocityCartPoleMemoryless(Switch):
    """The best linear policy of the two velocities: it balances for 200 steps, and 400 almost always."""

    weights = np.array([np.cos(1.465), np.sin(1.465)])
