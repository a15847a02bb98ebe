"""Show nothing now and then."""

from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from gymnasium.utils import RecordConstructorArgs
from gymnasium.vector import VectorEnv

from pomdp_envs.dynamics import checked_probability
from pomdp_envs.observations import map_parts
from pomdp_envs.wrappers.spaces import beside, with_zero
from pomdp_envs.wrappers.transform import Observation, Pointwise
from pomdp_envs.wrappers.views import TransformedEnv, VectorTransformedEnv


class Blanks(Pointwise):
    """Zeros in place of whole observations."""

    draws = 1

    def __init__(self, space: spaces.Space, probability: float) -> None:
        self.observation_space = with_zero(space)
        self.probability = checked_probability("probability", probability)

    def show(self, observation: Observation, uniforms: np.ndarray) -> Observation:
        """Show observations [n, ...] or zeros, by one uniform number each."""
        blank = uniforms[0] < self.probability  # [n]
        return map_parts(lambda part: np.where(beside(blank, part), np.zeros_like(part), part), observation)


class Flicker(TransformedEnv, RecordConstructorArgs):
    """Replace the whole observation by zeros with a probability, each step anew, first and final ones too.

    The space is widened where zero lies outside of it. Of a Discrete observation the zero is one of its values: the
    agent cannot tell it from a true one.

    Args:
        env: See `TransformedEnv`.
        probability: Of zeros.

    Raises:
        ValueError: a probability outside [0, 1], or observations of another kind.

    Source: Hausknecht and Stone (2015), "Deep recurrent Q-learning for partially observable MDPs" (flickering Atari
        games, probability 0.5).
    """

    def __init__(self, env: gymnasium.Env[Any, Any], probability: float) -> None:
        RecordConstructorArgs.__init__(self, probability=probability)
        TransformedEnv.__init__(self, env, lambda space, num_envs: Blanks(space, probability))


class VectorFlicker(VectorTransformedEnv):
    """`Flicker` for vector environments: every column for itself.

    Args:
        env: See `VectorTransformedEnv`.
        probability: Of zeros.

    Raises:
        ValueError: as `Flicker`, and as `VectorTransformedEnv`.
    """

    def __init__(self, env: VectorEnv[Any, Any, np.ndarray], probability: float) -> None:
        super().__init__(env, lambda space, num_envs: Blanks(space, probability))
