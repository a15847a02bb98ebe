"""What the columns of a batch are shown, and where their random numbers are."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from gymnasium.vector.utils import create_empty_array

from pomdp_envs.observations import map_parts, put, take
from pomdp_envs.random import episode_keys, mix, numbers_at
from pomdp_envs.wrappers.resumable import check_state
from pomdp_envs.wrappers.transform import Observation, Transform


class Shown:
    """A transform at work on B columns.

    The random numbers of an observation depend on (stream, the column's seed, its episode, the step) and on nothing
    else, so a column is shown the same alone and in any batch.

    Args:
        transform: For B columns.
        num_envs: B.
        stream: Tells these random numbers from those of the environment and of other wrappers.
    """

    def __init__(self, transform: Transform, num_envs: int, stream: int) -> None:
        self.transform = transform
        self.num_envs = num_envs
        self._stream = np.uint64(stream)
        self._seed = np.full(num_envs, -1, dtype=np.int64)  # -1: never had one
        self._episode = np.full(num_envs, -1, dtype=np.int64)
        self._step = np.zeros(num_envs, dtype=np.int64)
        self._key = np.zeros(num_envs, dtype=np.uint64)
        self._shown = create_empty_array(transform.observation_space, num_envs)  # never given away

    def begin(self, observation: Observation, columns: np.ndarray) -> None:
        """Start the next episodes of columns [n] with their first observations [n, ...]."""
        self._episode[columns] += 1
        self._step[columns] = 0
        if self.transform.draws:
            self._key[columns] = self._keys(columns)
        numbers = self._uniforms(self._key[columns], self._step[columns])
        put(self._shown, columns, self.transform.first(observation, numbers, columns))

    def go_on(self, observation: Observation) -> None:
        """Go on by one step in all columns, to observations [B, ...]."""
        self._step += 1
        numbers = self._uniforms(self._key, self._step)
        self._shown = self.transform.following(observation, numbers, self._shown)

    def reseed(self, seeds: np.ndarray, columns: np.ndarray) -> None:
        """Give seeds [n] to columns [n], whose next episode is number 0; -1 leaves a column as it is.

        A column that never had a seed gets one from the operating system.
        """
        given = seeds >= 0
        self._seed[columns[given]] = seeds[given]
        self._episode[columns[given]] = -1
        without = columns[self._seed[columns] < 0]
        if len(without):
            self._seed[without] = np.random.default_rng().integers(2**62, size=len(without))

    def now(self, columns: np.ndarray | None = None) -> Observation:
        """Return copies of what columns [n], or all, are shown: [n, ...]."""
        return map_parts(np.copy, self._shown) if columns is None else take(self._shown, columns)

    def _keys(self, columns: np.ndarray) -> np.ndarray:
        return mix(episode_keys(self._seed[columns], self._episode[columns]) ^ self._stream)

    def _uniforms(self, key: np.ndarray, step: np.ndarray) -> np.ndarray:
        """Draw [draws, n] numbers for columns with these keys and steps [n]."""
        return numbers_at(key, step, self.transform.draws) if self.transform.draws else np.empty((0, len(key)))

    def get_state(self) -> dict[str, Any]:
        """Return copies: `shown`, `seed`, `episode`, `step`, and what the transform keeps."""
        counters = {"seed": self._seed.copy(), "episode": self._episode.copy(), "step": self._step.copy()}
        return {"shown": self.now(), **counters, **self.transform.get_state()}

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Take over copies of what `get_state` returned.

        Raises:
            ValueError: missing or unknown keys, or a shape that does not fit.
        """
        check_state(state, self.get_state())
        self._shown = map_parts(lambda part, like: np.array(part, like.dtype), state["shown"], self._shown)
        self._seed = np.array(state["seed"], dtype=np.int64)
        self._episode = np.array(state["episode"], dtype=np.int64)
        self._step = np.array(state["step"], dtype=np.int64)
        self._key = self._keys(np.arange(self.num_envs))
        self.transform.set_state(dict(state))
