"""Show an agent what it did last and what that earned, as part of the observation."""

from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from gymnasium.utils import RecordConstructorArgs
from gymnasium.vector import VectorEnv

from pomdp_envs.observations import map_parts
from pomdp_envs.wrappers.encoding import action_width, encode_actions, is_flat, join, joint_space
from pomdp_envs.wrappers.transform import Observation, Transform
from pomdp_envs.wrappers.views import TransformedEnv, VectorTransformedEnv


class Past(Transform):
    """The previous action and reward beside the observation."""

    def __init__(self, space: spaces.Space, action_space: spaces.Space, num_envs: int) -> None:
        self.observation_space = joint_space(space, action_space)
        self._space, self._action_space = space, action_space
        self._actions = np.zeros((num_envs, action_width(action_space)), dtype=np.float32)
        self._rewards = np.zeros(num_envs, dtype=np.float64)

    def note(self, actions: Any, rewards: Any) -> None:
        """Take in what comes with the next observations."""
        self._actions = encode_actions(self._action_space, np.asarray(actions))  # [B, A]
        self._rewards = np.array(rewards, dtype=np.float64)

    def first(self, observation: Observation, uniforms: np.ndarray, columns: np.ndarray) -> Observation:
        """Append zeros: there is no past."""
        none = np.zeros((len(columns), self._actions.shape[1]), dtype=np.float32)
        return self._join(observation, none, np.zeros(len(columns)))

    def following(self, observation: Observation, uniforms: np.ndarray, shown: Observation) -> Observation:
        """Append the actions and rewards of the step."""
        return self._join(observation, self._actions, self._rewards)

    def _join(self, observation: Observation, actions: np.ndarray, rewards: np.ndarray) -> Observation:
        parts = observation if is_flat(self._space) else map_parts(np.copy, observation)
        return join(self._space, parts, actions, rewards)


class PreviousActionReward(TransformedEnv, RecordConstructorArgs):
    """Append the previous action and reward to the observation; both are zero at an episode's start.

    A one-dimensional Box observation becomes one flat float32 Box: [observation, action, reward], where the action is
    one-hot (Discrete), one one-hot per part (MultiDiscrete), its bits (MultiBinary) or its numbers (Box). A Dict keeps
    its keys and gets "previous_action" and "previous_reward". Any other observation becomes a Dict of "observation" and
    these two.

    The reward is what the wrapped environment returned: a reward normaliser outside of this wrapper is not seen.

    Args:
        env: See `TransformedEnv`; with Discrete, MultiDiscrete, MultiBinary or Box actions.

    Raises:
        ValueError: an observation or action space of another kind, or a Dict observation that has one of the new keys
            already.
    """

    def __init__(self, env: gymnasium.Env[Any, Any]) -> None:
        RecordConstructorArgs.__init__(self)  # lets `env.spec` make the wrapped environment again
        TransformedEnv.__init__(self, env, lambda space, num_envs: Past(space, env.action_space, num_envs))


class VectorPreviousActionReward(VectorTransformedEnv):
    """`PreviousActionReward` for vector environments, in all three autoreset modes.

    Where a column starts an episode, its previous action and reward are zero; the final observation in
    `infos["final_obs"]` carries the true last ones.

    Args:
        env: See `VectorTransformedEnv`.

    Raises:
        ValueError: as `PreviousActionReward`, and as `VectorTransformedEnv`.
    """

    def __init__(self, env: VectorEnv[Any, Any, np.ndarray]) -> None:
        super().__init__(env, lambda space, num_envs: Past(space, env.single_action_space, num_envs))
