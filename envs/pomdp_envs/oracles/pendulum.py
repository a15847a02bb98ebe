"""Players of the pendulums."""

import numpy as np

from pomdp_envs.control.pendulum import GRAVITY_GAIN, MAX_TORQUE, TIME_STEP, advance
from pomdp_envs.oracles.filtering import clipped_normal, corrected
from pomdp_envs.oracles.linear import Lever
from pomdp_envs.players import Player

MODEL_VARIANCE = np.diag([1e-6, 1e-5])  # of one step, for what the linear model leaves out


def swing_up(angle: np.ndarray, velocity: np.ndarray) -> np.ndarray:
    """Return a torque, float32 [B, 1]: along the velocity until the energy is that of the top, and hold there.

    Args:
        angle: in [-pi, pi), 0 upright, [B].
        velocity: [B].
    """
    energy = velocity**2 / 6 + 5 * (np.cos(angle) - 1)  # zero at rest at the top
    pump = np.where(energy < 0, MAX_TORQUE, -MAX_TORQUE) * np.where(velocity >= 0, 1, -1)
    near = (np.abs(angle) < 0.5) & (np.abs(velocity) < 3)
    torque = np.where(near, -10 * angle - 2 * velocity, pump)
    return np.clip(torque, -MAX_TORQUE, MAX_TORQUE)[:, None].astype(np.float32)  # [B, 1]


def wrapped(angle: np.ndarray) -> np.ndarray:
    """Return the angle within [-pi, pi)."""
    return (angle + np.pi) % (2 * np.pi) - np.pi


class PendulumOracle(Player):
    """Take the last two angles' difference for the velocity, and swing up."""

    def begin(self) -> None:
        """Remember the last angle."""
        self.before = np.zeros(self.num_envs)

    def act(self, observation: np.ndarray, starts: np.ndarray) -> np.ndarray:
        """At the start, act as if at rest."""
        angle = np.arctan2(observation[:, 1], observation[:, 0]).astype(np.float64)
        velocity = np.where(starts, 0.0, wrapped(angle - self.before) / TIME_STEP)
        self.before = angle
        return swing_up(angle, velocity)


class NoisyPendulumOracle(Player):
    """Track angle and velocity by an extended Kalman filter, and swing up what it believes."""

    def begin(self) -> None:
        """Remember the belief (a normal distribution per column) and the last torque."""
        self.mean = np.zeros((self.num_envs, 2))
        self.covariance = np.zeros((self.num_envs, 2, 2))
        self.torque = np.zeros((self.num_envs, 1), dtype=np.float32)

    def act(self, observation: np.ndarray, starts: np.ndarray) -> np.ndarray:
        """Move the belief on, correct it by both numbers, and act."""
        self._move()
        self._start(observation[starts], starts)
        going = ~starts[:, None]
        for k in range(2):
            mean, covariance = self._corrected(k, observation[:, k])
            self.mean = np.where(going, mean, self.mean)
            self.covariance = np.where(going[:, None], covariance, self.covariance)
        self.torque = swing_up(wrapped(self.mean[:, 0]), self.mean[:, 1])
        return self.torque

    def _move(self) -> None:
        """Take the step that the world has taken."""
        pull = GRAVITY_GAIN * np.cos(self.mean[:, 0]) * TIME_STEP  # [B], of the velocity by the angle
        jacobian = np.empty((self.num_envs, 2, 2))
        jacobian[:, 0, 0], jacobian[:, 0, 1] = 1 + pull * TIME_STEP, TIME_STEP
        jacobian[:, 1, 0], jacobian[:, 1, 1] = pull, 1
        self.covariance = jacobian @ self.covariance @ jacobian.transpose(0, 2, 1) + MODEL_VARIANCE
        self.mean = advance(self.mean.T, self.torque)[0].T

    def _start(self, seen: np.ndarray, starts: np.ndarray) -> None:
        """Believe an episode's first direction [n, 2], which is as uncertain as its noise; the velocity is within +-1."""
        self.mean[starts, 0], self.mean[starts, 1] = np.arctan2(seen[:, 1], seen[:, 0]), 0.0
        self.covariance[starts] = np.diag([self.dynamics.noise_sigma**2, 1 / 3])

    def _corrected(self, k: int, seen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Take in the noisy cosine (k = 0) or sine (k = 1) [B], clipped to +-1."""
        cos, sin = np.cos(self.mean[:, 0]), np.sin(self.mean[:, 0])
        shown, change = ((cos, -sin), (sin, cos))[k]
        expected, slope, variance = clipped_normal(shown, self.dynamics.noise_sigma, -1, 1)
        direction = np.stack([slope * change, np.zeros(self.num_envs)], axis=1)  # [B, 2]
        return corrected(self.mean, self.covariance, seen - expected, direction, variance)


class PendulumMemoryless(Lever):
    """The best linear policy of cosine and sine, of 216 (24 directions with 9 gains)."""

    weights = np.array([0.0, -8.0])
