"""Show what was there to see some steps ago."""

from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from gymnasium.utils import RecordConstructorArgs
from gymnasium.vector import VectorEnv
from gymnasium.vector.utils import create_empty_array

from pomdp_envs.dynamics import checked_count
from pomdp_envs.observations import map_parts, put
from pomdp_envs.wrappers.spaces import with_zero
from pomdp_envs.wrappers.transform import Observation, Transform
from pomdp_envs.wrappers.views import TransformedEnv, VectorTransformedEnv


class Queue(Transform):
    """The last k observations of B columns, which wait to be shown."""

    def __init__(self, space: spaces.Space, num_envs: int, delay: int) -> None:
        self.observation_space = with_zero(space)
        self.delay = checked_count("delay", delay, least=0)
        self._waiting = [create_empty_array(space, num_envs) for _ in range(self.delay)]  # a ring
        self._oldest = 0  # its place in the ring

    def first(self, observation: Observation, uniforms: np.ndarray, columns: np.ndarray) -> Observation:
        """Forget, and show zeros (the observations themselves where k is 0)."""
        if not self.delay:
            return map_parts(np.copy, observation)
        zeros = map_parts(np.zeros_like, observation)
        for waiting in self._waiting:
            put(waiting, columns, zeros)
        put(self._waiting[self._oldest - 1], columns, observation)  # the newest
        return zeros

    def following(self, observation: Observation, uniforms: np.ndarray, shown: Observation) -> Observation:
        """Show the observations of k steps ago."""
        new = map_parts(np.copy, observation)
        if not self.delay:
            return new
        oldest, self._waiting[self._oldest] = self._waiting[self._oldest], new
        self._oldest = (self._oldest + 1) % self.delay
        return oldest

    def get_state(self) -> dict[str, Any]:
        """Return `waiting` [k, B, ...], the oldest first; nothing where k is 0."""
        if not self.delay:
            return {}
        ordered = self._waiting[self._oldest :] + self._waiting[: self._oldest]
        return {"waiting": map_parts(lambda *parts: np.stack(parts), *ordered)}

    def set_state(self, state: dict[str, Any]) -> None:
        """Take over copies."""
        self._oldest = 0
        for place, like in enumerate(self._waiting):
            self._waiting[place] = map_parts(
                lambda part, old, place=place: np.array(part[place], old.dtype), state["waiting"], like
            )


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
