"""Blur what is seen."""

from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from gymnasium.utils import RecordConstructorArgs
from gymnasium.vector import VectorEnv

from pomdp_envs.dynamics import checked_deviation
from pomdp_envs.observations import map_parts
from pomdp_envs.random import MOST_DRAWS, normals
from pomdp_envs.wrappers.spaces import is_continuous, leaves, unbounded
from pomdp_envs.wrappers.transform import Observation, Pointwise
from pomdp_envs.wrappers.views import TransformedEnv, VectorTransformedEnv


class Noise(Pointwise):
    """Gaussian noise on every floating-point number."""

    def __init__(self, space: spaces.Space, std: float) -> None:
        self.std = checked_deviation("std", std)
        sizes = [int(np.prod(leaf.shape)) for leaf in leaves(space) if is_continuous(leaf)]
        if not sizes:
            raise ValueError(f"noise needs observations with floating-point numbers, not {space}")
        self.draws = 2 * -(-sum(sizes) // 2)  # normal numbers come in pairs
        if self.draws >= MOST_DRAWS:
            raise ValueError(f"noise is drawn for fewer than {MOST_DRAWS} numbers per observation, not {sum(sizes)}")
        self.observation_space = unbounded(space)

    def show(self, observation: Observation, uniforms: np.ndarray) -> Observation:
        """Add noise to observations [n, ...]."""
        noise = self.std * normals(uniforms).T  # [n, draws]
        used = 0

        def blur(part: np.ndarray) -> np.ndarray:
            nonlocal used
            if part.dtype.kind != "f":
                return part.copy()
            begin, used = used, used + part[0].size
            return (part + noise[:, begin:used].reshape(part.shape)).astype(part.dtype)

        return map_parts(blur, observation)


class ObservationNoise(TransformedEnv, RecordConstructorArgs):
    """Add independent Gaussian noise to every floating-point number of the observation, first and final ones too.

    The other parts of a Dict or Tuple (choices, bits, pixels of integers) stay as they are. Nothing is clipped, so
    floating-point bounds become infinite.

    Args:
        env: See `TransformedEnv`.
        std: Standard deviation, in the observation's own units.

    Raises:
        ValueError: a negative or infinite std, observations without any floating-point number or of another kind, or
            2**16 numbers and more.
    """

    def __init__(self, env: gymnasium.Env[Any, Any], std: float) -> None:
        RecordConstructorArgs.__init__(self, std=std)
        TransformedEnv.__init__(self, env, lambda space, num_envs: Noise(space, std))


class VectorObservationNoise(VectorTransformedEnv):
    """`ObservationNoise` for vector environments: every column for itself.

    Args:
        env: See `VectorTransformedEnv`.
        std: Standard deviation, in the observation's own units.

    Raises:
        ValueError: as `ObservationNoise`, and as `VectorTransformedEnv`.
    """

    def __init__(self, env: VectorEnv[Any, Any, np.ndarray], std: float) -> None:
        super().__init__(env, lambda space, num_envs: Noise(space, std))
