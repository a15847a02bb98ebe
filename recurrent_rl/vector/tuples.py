"""Tuple observations, which Stable-Baselines3 does not know, as MultiDiscrete or Dict observations.

    Tuple(Discrete(2), Discrete(4))          MultiDiscrete([2, 4])
    Tuple(Box(3), Discrete(4))               Dict("0": Box(3), "1": Discrete(4))
    Dict("a": Box(3), "b": Tuple(...))       Dict("a": Box(3), "b": MultiDiscrete) or Dict("a": ..., "b/0": ..., "b/1": ...)

Choices count from 0 in a MultiDiscrete that is made here. Spaces without a Tuple stay as they are.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces


def has_tuple(space: spaces.Space) -> bool:
    """Return whether an observation space is or contains a Tuple."""
    if isinstance(space, spaces.Dict):
        return any(has_tuple(part) for part in space.values())
    return isinstance(space, spaces.Tuple)


def space_without_tuples(space: spaces.Space) -> spaces.Space:
    """Return the space of what `without_tuples` returns."""
    if not has_tuple(space):
        return space
    if _is_choices(space):
        return spaces.MultiDiscrete(np.concatenate([_counts(part) for _, part in _parts(space)]))
    return spaces.Dict(_spread({name: space_without_tuples(part) for name, part in _parts(space)}))


def without_tuples(space: spaces.Space, observation: Any) -> Any:
    """Turn an observation of `space`, or a batch [B, ...] of them, into what a policy takes."""
    if not has_tuple(space):
        return observation
    if _is_choices(space):
        return np.concatenate([_numbers(part, observation[i]) for i, (_, part) in enumerate(_parts(space))], axis=-1)
    values = observation if isinstance(observation, tuple) else [observation[name] for name, _ in _parts(space)]
    return _spread({name: without_tuples(part, value) for (name, part), value in zip(_parts(space), values)})


class WithoutTuples(gym.ObservationWrapper):
    """An environment whose Tuple observations are turned into MultiDiscrete or Dict observations."""

    def __init__(self, env: gym.Env) -> None:
        super().__init__(env)
        self.observation_space = space_without_tuples(env.observation_space)

    def observation(self, observation: Any) -> Any:
        """Turn one observation."""
        return without_tuples(self.env.observation_space, observation)


def _parts(space: spaces.Space) -> Iterator[tuple[str, spaces.Space]]:
    """Name the parts of a Dict or Tuple, in order."""
    if isinstance(space, spaces.Dict):
        yield from space.items()
    elif isinstance(space, spaces.Tuple):
        yield from ((str(i), part) for i, part in enumerate(space.spaces))


def _spread(parts: Mapping[str, Any]) -> dict[str, Any]:
    """Put the entries of Dicts among the parts in their place, "name/entry": a Dict in a Dict cannot be batched.

    (A dot would stand for a module within a module in torch.)
    """
    spread = {}
    for name, part in parts.items():
        spread |= {f"{name}/{key}": entry for key, entry in part.items()} if isinstance(part, Mapping) else {name: part}
    return spread


def _is_choices(space: spaces.Space) -> bool:
    """Return whether a space is a Tuple of choices only."""
    choice = spaces.Discrete | spaces.MultiDiscrete
    return isinstance(space, spaces.Tuple) and all(isinstance(p, choice) or _is_choices(p) for p in space.spaces)


def _counts(space: Any) -> np.ndarray:
    """Return the number of choices of each part, int64 [K]."""
    return np.ravel(space.n if isinstance(space, spaces.Discrete) else space_without_tuples(space).nvec)  # type: ignore


def _numbers(space: Any, value: Any) -> np.ndarray:
    """Return choices from 0, int64 [..., K]."""
    if isinstance(space, spaces.Tuple):
        return without_tuples(space, value)
    numbers = np.asarray(value, dtype=np.int64) - space.start
    leading = numbers.shape[: numbers.ndim - len(space.shape)]  # () or (B,)
    return numbers.reshape(*leading, -1)  # [..., K]
