"""CartPole whose episodes end when the benchmark says so, never because of what the policy does.

A policy that learns would change the lengths of its episodes, and with them the number of resets that both libraries
have to handle. Here the lengths are given: 22 steps on average, 500 (longer than the rollouts' 128), or no end at all.
"""

import numpy as np
from gymnasium import spaces
from stable_baselines3.common.vec_env import VecEnv

from pomdp_envs.batched import BatchedEnv
from pomdp_envs.control import CartPoleNoVel
from recurrent_rl.vector import as_vec_env

SHORT, LONG = 22, 500  # mean lengths
LIMITS = np.array([[4.8], [10.0], [np.pi], [10.0]])  # of position, velocity, angle, angular velocity


class EndlessEpisodes(CartPoleNoVel):
    """CartPole with all four numbers seen, in which nothing ends: position and angle wrap, velocities are clipped."""

    observation_space = spaces.Box(-LIMITS[:, 0].astype(np.float32), LIMITS[:, 0].astype(np.float32))
    time_limit = 10**6

    def transition(
        self, state: np.ndarray, action: np.ndarray, uniforms: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        following, rewards, terminated = super().transition(state, action, uniforms)
        following[0::2] = np.remainder(following[0::2] + LIMITS[0::2], 2 * LIMITS[0::2]) - LIMITS[0::2]
        following[1::2] = np.clip(following[1::2], -LIMITS[1::2], LIMITS[1::2])
        return following, rewards, np.zeros_like(terminated)

    def observe(self, state: np.ndarray) -> np.ndarray:
        return state.T.astype(np.float32, order="C")  # [B, 4]


class EndingEpisodes(EndlessEpisodes):
    """The same, but each step is the last with probability 1 / mean_length, drawn from the column's seed."""

    transition_draws = 1

    def __init__(self, mean_length: int) -> None:
        self.mean_length = mean_length

    def transition(
        self, state: np.ndarray, action: np.ndarray, uniforms: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        following, rewards, _ = super().transition(state, action, uniforms)
        return following, rewards, uniforms[0] < 1 / self.mean_length


EPISODES = {
    "short": lambda: EndingEpisodes(SHORT),
    "long": lambda: EndingEpisodes(LONG),
    "endless": EndlessEpisodes,
}


def make_env(episodes: str, n_envs: int) -> VecEnv:
    """Return the natively batched environment, as the VecEnv that both libraries train in."""
    return as_vec_env(BatchedEnv(EPISODES[episodes](), n_envs, "SameStep"), seed=0)
