"""Returns and lengths of episodes, for a VecEnv that keeps none itself."""

import time
from typing import Any

import numpy as np
from stable_baselines3.common.monitor import Monitor
from stable_baselines3.common.vec_env import VecEnv, VecMonitor, is_vecenv_wrapped, unwrap_vec_normalize


class EpisodeStatistics:
    """Writes `info["episode"]` where an episode ends, as SB3's Monitor does, from raw rewards.

    It serves a normaliser over environments without Monitor: a VecMonitor above would report scaled rewards, and one
    below would stand in the way of callbacks that go through two chains of wrappers side by side.

    Args:
        vec_env: Whose episodes are counted, from the next step on.
    """

    def __init__(self, vec_env: VecEnv) -> None:
        self._normaliser = unwrap_vec_normalize(vec_env)
        self._returns, self._lengths = np.zeros(vec_env.num_envs), np.zeros(vec_env.num_envs, dtype=np.int64)
        self._started = time.time()

    @classmethod
    def where_missing(cls, vec_env: VecEnv | None) -> "EpisodeStatistics | None":
        """Return statistics for an environment that keeps none, otherwise None."""
        if vec_env is None or is_vecenv_wrapped(vec_env, VecMonitor) or all(vec_env.env_is_wrapped(Monitor)):
            return None
        return cls(vec_env)

    def update(self, rewards: np.ndarray, dones: np.ndarray, infos: list[dict[str, Any]]) -> None:
        """Count one step: rewards [B], as the algorithm sees them, dones [B] and infos, which are written to."""
        self._returns += rewards if self._normaliser is None else self._normaliser.old_reward
        self._lengths += 1
        for column in np.flatnonzero(dones).tolist():
            elapsed = round(time.time() - self._started, 6)
            result = {"r": round(float(self._returns[column]), 6), "l": int(self._lengths[column]), "t": elapsed}
            infos[column].setdefault("episode", result)
            self._returns[column], self._lengths[column] = 0.0, 0
