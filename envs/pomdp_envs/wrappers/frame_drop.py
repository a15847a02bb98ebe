"""Show the last observation again now and then."""

from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from gymnasium.utils import RecordConstructorArgs
from gymnasium.vector import VectorEnv

from pomdp_envs.dynamics import checked_probability
from pomdp_envs.observations import map_parts
from pomdp_envs.wrappers.spaces import beside
from pomdp_envs.wrappers.transform import Observation, Transform
from pomdp_envs.wrappers.views import TransformedEnv, VectorTransformedEnv


class Repeats(Transform):
    """What was shown last in place of whole observations."""

    draws = 1

    def __init__(self, space: spaces.Space, probability: float) -> None:
        self.observation_space = space
        self.probability = checked_probability("probability", probability)

    def first(self, observation: Observation, uniforms: np.ndarray, columns: np.ndarray) -> Observation:
        """Show what there is: nothing came before."""
        return map_parts(np.copy, observation)

    def following(self, observation: Observation, uniforms: np.ndarray, shown: Observation) -> Observation:
        """Show observations [B, ...] or what was shown before, by one uniform number each."""
        dropped = uniforms[0] < self.probability  # [B]
        return map_parts(lambda new, old: np.where(beside(dropped, new), old, new), observation, shown)


class FrameDrop(TransformedEnv, RecordConstructorArgs):
    """Lose an observation with a probability: the one shown last is shown again.

    An episode's first observation is never lost. Several in a row may be, and the final one too.

    Args:
        env: See `TransformedEnv`.
        probability: Of a loss.

    Raises:
        ValueError: a probability outside [0, 1], or observations of another kind.
    """

    def __init__(self, env: gymnasium.Env[Any, Any], probability: float) -> None:
        RecordConstructorArgs.__init__(self, probability=probability)
        TransformedEnv.__init__(self, env, lambda space, num_envs: Repeats(space, probability))


class VectorFrameDrop(VectorTransformedEnv):
    """`FrameDrop` for vector environments: every column for itself.

    Args:
        env: See `VectorTransformedEnv`.
        probability: Of a loss.

    Raises:
        ValueError: as `FrameDrop`, and as `VectorTransformedEnv`.
    """

    def __init__(self, env: VectorEnv[Any, Any, np.ndarray], probability: float) -> None:
        super().__init__(env, lambda space, num_envs: Repeats(space, probability))
