"""Show what was there to see some steps ago."""

from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from gymnasium.utils import RecordConstructorArgs
from gymnasium.vector import VectorEnv
from gymnasium.vector.utils import create_empty_array

from pomdp_envs.dynamics import checked_count
from pomdp_envs.observations import map_parts, put, take
from pomdp_envs.wrappers.spaces import with_zero
from pomdp_envs.wrappers.transform import Observation, Transform
from pomdp_envs.wrappers.views import TransformedEnv, VectorTransformedEnv


class Queue(Transform):
    """The last k observations of B columns, which wait to be shown."""

    def __init__(self, space: spaces.Space, num_envs: int, delay: int) -> None:
        self.observation_space = with_zero(space)
        self.delay = checked_count("delay", delay, least=0)

        def room(part: np.ndarray) -> np.ndarray:
            return np.zeros((num_envs, self.delay, *part.shape[1:]), part.dtype)

        self._waiting = map_parts(room, create_empty_array(space, num_envs))  # [B, k, ...], rings
        self._oldest = np.zeros(num_envs, dtype=np.int64)  # a column's place in its ring

    def first(self, observation: Observation, uniforms: np.ndarray, columns: np.ndarray) -> Observation:
        """Forget, and show zeros (the observations themselves where k is 0)."""
        put(self._waiting, columns, map_parts(lambda part: np.zeros((), part.dtype), self._waiting))
        return self._exchange(observation, columns)

    def following(
        self, observation: Observation, uniforms: np.ndarray, columns: np.ndarray, shown: Observation
    ) -> Observation:
        """Show the observations [n, ...] of k steps ago."""
        return self._exchange(observation, columns)

    def _exchange(self, observation: Observation, columns: np.ndarray) -> Observation:
        """Put the observations [n, ...] in the places of the oldest, and return those."""
        if not self.delay:
            return observation
        places = (columns, self._oldest[columns])
        oldest = take(self._waiting, places)
        put(self._waiting, places, observation)
        self._oldest[columns] = (self._oldest[columns] + 1) % self.delay
        return oldest

    def get_state(self) -> dict[str, Any]:
        """Return `waiting` [B, k, ...] and `oldest` [B]."""
        return {"waiting": map_parts(np.copy, self._waiting), "oldest": self._oldest.copy()}

    def set_state(self, state: dict[str, Any]) -> None:
        """Take over copies."""
        put(self._waiting, np.arange(len(self._oldest)), state["waiting"])
        self._oldest = np.array(state["oldest"], dtype=np.int64)


class Delay(TransformedEnv, RecordConstructorArgs):
    """Show the observation of k steps ago; until there is one, zeros, as Gymnasium's DelayObservation does.

    Episodes stand apart: the k last observations of one are never shown. The space is widened where zero lies outside
    of it.

    Args:
        env: See `TransformedEnv`.
        delay: k; 0 changes nothing.

    Raises:
        ValueError: a delay that is no integer or negative, or observations of another kind.

    Source: Katsikopoulos and Engelbrecht (2003), "Markov decision processes with delays and asynchronous cost
        collection".
    """

    def __init__(self, env: gymnasium.Env[Any, Any], delay: int) -> None:
        RecordConstructorArgs.__init__(self, delay=delay)
        TransformedEnv.__init__(self, env, lambda space, num_envs: Queue(space, num_envs, delay))


class VectorDelay(VectorTransformedEnv):
    """`Delay` for vector environments: every column for itself.

    Args:
        env: See `VectorTransformedEnv`.
        delay: k; 0 changes nothing.

    Raises:
        ValueError: as `Delay`, and as `VectorTransformedEnv`.
    """

    def __init__(self, env: VectorEnv[Any, Any, np.ndarray], delay: int) -> None:
        super().__init__(env, lambda space, num_envs: Queue(space, num_envs, delay))
