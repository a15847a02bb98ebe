"""Environments whose state can be taken out and put back."""

from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

import gymnasium
import numpy as np
from gymnasium.vector import VectorEnv
from gymnasium.wrappers import OrderEnforcing, PassiveEnvChecker


@runtime_checkable
class Resumable(Protocol):
    """An environment whose state can be taken out and put back."""

    def get_state(self) -> dict[str, Any]:
        """Return everything that the future depends on."""
        ...

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Continue from what `get_state` returned."""
        ...


def resumable(env: gymnasium.Env | VectorEnv) -> Resumable:
    """Find the state under the two wrappers of `gymnasium.make` that keep none of their own.

    Raises:
        TypeError: there is none; any other wrapper in between might keep a state that would be lost.
    """
    while isinstance(env, OrderEnforcing | PassiveEnvChecker):
        env = env.env
    if not isinstance(env, Resumable):
        raise TypeError(f"{env} has no get_state and set_state")
    return env


def check_state(state: Mapping[str, Any], expected: Mapping[str, Any]) -> None:
    """Compare the keys and shapes of a state with those of a state that fits.

    Raises:
        ValueError: missing or unknown keys, or a shape that does not fit.
    """
    if set(state) != set(expected):
        raise ValueError(f"the state needs the keys {sorted(expected)}, got {sorted(state)}")
    for key, like in expected.items():
        if isinstance(like, np.ndarray) and np.shape(state[key]) != like.shape:
            raise ValueError(f"state[{key!r}] has shape {np.shape(state[key])}, expected {like.shape}")
