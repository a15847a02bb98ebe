"""Hide entries of an observation."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import gymnasium
import numpy as np
from gymnasium import spaces
from gymnasium.utils import RecordConstructorArgs
from gymnasium.vector import VectorEnv

from pomdp_envs.observations import map_parts
from pomdp_envs.wrappers.spaces import dtype_of, is_continuous
from pomdp_envs.wrappers.transform import Pointwise, Transform
from pomdp_envs.wrappers.velocities import task_of, velocity_entries
from pomdp_envs.wrappers.views import TransformedEnv, VectorTransformedEnv

Entries = Sequence[int]
Hidden = Entries | Mapping[str, Entries] | Literal["velocities"]


class Mask(Pointwise):
    """Some entries of a one-dimensional Box left out, or a constant in their place."""

    def __init__(self, space: spaces.Space, hidden: Entries, fill: float | None) -> None:
        if not isinstance(space, spaces.Box) or len(space.shape) != 1:
            raise ValueError(f"entries can be hidden in a one-dimensional Box, not in {space}")
        size = space.shape[0]
        if (
            not isinstance(hidden, Sequence | np.ndarray)
            or not len(hidden)
            or not all(_is_index(i, size) for i in hidden)
        ):
            raise ValueError(f"hidden entries must be indices from 0 to {size - 1}, at least one, not {hidden!r}")
        if fill is not None and not _holds(space, fill):
            raise ValueError(f"fill={fill!r} is no number that {space} can hold")
        self._hidden = np.unique(hidden)
        self._kept = np.setdiff1d(np.arange(size), hidden)
        self._fill = fill
        low, high = space.low.copy(), space.high.copy()
        if fill is not None:
            low[self._hidden] = np.minimum(low[self._hidden], fill)
            high[self._hidden] = np.maximum(high[self._hidden], fill)
        elif len(self._kept):
            low, high = low[self._kept], high[self._kept]
        else:
            raise ValueError("nothing would be left to see: keep an entry, or give a fill")
        self.observation_space = spaces.Box(low, high, dtype=dtype_of(space))

    def show(self, observation: np.ndarray, uniforms: np.ndarray) -> np.ndarray:
        """Hide entries of observations [n, S]."""
        if self._fill is None:
            return observation[:, self._kept]  # [n, S - hidden]
        filled = observation.copy()
        filled[:, self._hidden] = self._fill
        return filled


def _holds(space: spaces.Box, fill: float) -> bool:
    """Say whether this is a number of the space's type."""
    if is_continuous(space):
        return bool(np.isfinite(fill))
    limits = np.iinfo(dtype_of(space))
    return limits.min <= fill <= limits.max and int(fill) == fill


def _is_index(index: object, size: int) -> bool:
    """Say whether this is an integer from 0 to size - 1; a list of booleans is not a list of indices."""
    return isinstance(index, int | np.integer) and not isinstance(index, bool) and 0 <= int(index) < size


class PartMasks(Pointwise):
    """A mask for each of some parts of a Dict."""

    def __init__(self, space: spaces.Space, hidden: Mapping[str, Entries], fill: float | None) -> None:
        if not isinstance(space, spaces.Dict) or not hidden.keys() <= space.spaces.keys():
            raise ValueError(f"{sorted(hidden)} must be parts of the observation, which is {space}")
        self._masks = {key: Mask(space[key], entries, fill) for key, entries in hidden.items()}
        masked = {key: mask.observation_space for key, mask in self._masks.items()}
        self.observation_space = spaces.Dict({**space.spaces, **masked})

    def show(self, observation: dict[str, Any], uniforms: np.ndarray) -> dict[str, Any]:
        """Hide entries of the parts."""
        kept = {key: map_parts(np.copy, part) for key, part in observation.items() if key not in self._masks}
        return {**kept, **{key: mask.show(observation[key], uniforms) for key, mask in self._masks.items()}}


def _mask(env: gymnasium.Env | VectorEnv, space: spaces.Space, hidden: Hidden, fill: float | None) -> Transform:
    """Make the transform for observations of `space`."""
    if isinstance(hidden, Mapping):
        return PartMasks(space, hidden, fill)
    if isinstance(hidden, str):
        if hidden != "velocities":
            raise ValueError(f"hidden must be indices, indices by key, or 'velocities', not {hidden!r}")
        hidden = velocity_entries(task_of(env), int(np.prod(space.shape or ())))
    return Mask(space, hidden, fill)


class MaskObservation(TransformedEnv, RecordConstructorArgs):
    """Hide entries of a one-dimensional Box, or of such parts of a Dict.

    Args:
        env: See `TransformedEnv`.
        hidden: The indices of the entries; for a Dict, by key. "velocities": those of the task, which must be one that
            Gymnasium ships, made by its id (the table is `velocities.VELOCITIES`).
        fill: None leaves the entries out; a number stands in their place, and the bounds are widened to hold it.

    Raises:
        ValueError: indices that are not there, nothing left to see, another kind of observation, or a task that is not
            known.

    Source: hiding velocities: RL Baselines3 Zoo (which writes zeros: fill=0.0).
    """

    def __init__(self, env: gymnasium.Env[Any, Any], hidden: Hidden = "velocities", fill: float | None = None) -> None:
        RecordConstructorArgs.__init__(self, hidden=hidden, fill=fill)
        TransformedEnv.__init__(self, env, lambda space, num_envs: _mask(env, space, hidden, fill))


class VectorMaskObservation(VectorTransformedEnv):
    """`MaskObservation` for vector environments.

    Args:
        env: See `VectorTransformedEnv`.
        hidden: See `MaskObservation`.
        fill: See `MaskObservation`.

    Raises:
        ValueError: as `MaskObservation`, and as `VectorTransformedEnv`.
    """

    def __init__(
        self, env: VectorEnv[Any, Any, np.ndarray], hidden: Hidden = "velocities", fill: float | None = None
    ) -> None:
        super().__init__(env, lambda space, num_envs: _mask(env, space, hidden, fill))
