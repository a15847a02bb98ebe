"""Show an agent what it did last and what that earned, as part of the observation."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

import gymnasium
import numpy as np
from gymnasium.utils import RecordConstructorArgs
from gymnasium.vector import AutoresetMode, VectorEnv, VectorWrapper
from gymnasium.vector.utils import batch_space
from gymnasium.wrappers import OrderEnforcing, PassiveEnvChecker

from pomdp_envs.wrappers.encoding import Observation, action_width, encode_actions, is_flat, join, joint_space


@runtime_checkable
class Resumable(Protocol):
    """An environment whose state can be taken out and put back."""

    def get_state(self) -> dict[str, Any]:
        """Return everything that the future depends on."""
        ...

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Continue from what `get_state` returned."""
        ...


def _resumable(env: gymnasium.Env | VectorEnv) -> Resumable:
    """Find the state under the two wrappers of `gymnasium.make` that keep none of their own.

    Raises:
        TypeError: there is none; any other wrapper in between might keep a state that would be lost.
    """
    while isinstance(env, OrderEnforcing | PassiveEnvChecker):
        env = env.env
    if not isinstance(env, Resumable):
        raise TypeError(f"{env} has no get_state and set_state")
    return env


class LastStep:
    """The previous actions [B, A] and rewards [B] of a batch, and which columns have ended [B]."""

    def __init__(self, num_envs: int, width: int) -> None:
        self.actions = np.zeros((num_envs, width), dtype=np.float32)
        self.rewards = np.zeros(num_envs, dtype=np.float64)
        self.ended = np.zeros(num_envs, dtype=bool)

    def forget(self, columns: np.ndarray) -> None:
        """Start an episode in the columns, bool [B]."""
        self.actions[columns] = 0.0
        self.rewards[columns] = 0.0
        self.ended[columns] = False

    def get_state(self) -> dict[str, Any]:
        """Return copies."""
        return {
            "previous_action": self.actions.copy(),
            "previous_reward": self.rewards.copy(),
            "previous_ended": self.ended.copy(),
        }

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Take over copies.

        Raises:
            ValueError: missing or unknown keys, or a shape that does not fit.
        """
        expected = self.get_state()
        if set(state) != {*expected, "environment"}:
            raise ValueError(f"the state needs the keys {sorted({*expected, 'environment'})}, got {sorted(state)}")
        for key, like in expected.items():
            if np.shape(state[key]) != like.shape:
                raise ValueError(f"state[{key!r}] has shape {np.shape(state[key])}, expected {like.shape}")
        self.actions = np.array(state["previous_action"], dtype=np.float32)
        self.rewards = np.array(state["previous_reward"], dtype=np.float64)
        self.ended = np.array(state["previous_ended"], dtype=bool)


class PreviousActionReward(gymnasium.Wrapper[Observation, Any, Observation, Any], RecordConstructorArgs):
    """Append the previous action and reward to the observation; both are zero at an episode's start.

    A one-dimensional Box observation becomes one flat float32 Box: [observation, action, reward], where the action is
    one-hot (Discrete), one one-hot per part (MultiDiscrete), its bits (MultiBinary) or its numbers (Box). A Dict keeps
    its keys and gets "previous_action" and "previous_reward". Any other observation becomes a Dict of "observation" and
    these two.

    The reward is what the wrapped environment returned: a reward normaliser outside of this wrapper is not seen.

    Raises:
        ValueError: an action space of another kind, or a Dict observation that has one of the new keys already.
    """

    def __init__(self, env: gymnasium.Env[Any, Any]) -> None:
        RecordConstructorArgs.__init__(self)  # lets `env.spec` make the wrapped environment again
        gymnasium.Wrapper.__init__(self, env)
        self.observation_space = joint_space(env.observation_space, env.action_space)
        self._last = LastStep(1, action_width(env.action_space))

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """Start an episode: the previous action and reward are zero."""
        observation, info = self.env.reset(seed=seed, options=options)
        self._last.forget(np.array([True]))
        return self._join(observation), info

    def step(self, action: Any) -> tuple[Observation, Any, bool, bool, dict[str, Any]]:
        """Advance and append this action and its reward."""
        observation, reward, terminated, truncated, info = self.env.step(action)
        self._last.actions = encode_actions(self.env.action_space, np.asarray(action)[None])  # [1, A]
        self._last.rewards[0] = reward
        self._last.ended[0] = terminated or truncated
        return self._join(observation), reward, terminated, truncated, info

    def _join(self, observation: Observation) -> Observation:
        return join(self.env.observation_space, observation, self._last.actions[0], self._last.rewards[0])

    def get_state(self) -> dict[str, Any]:
        """Return the vector wrapper's keys, with B = 1.

        Raises:
            TypeError: the wrapped environment has no state to give.
        """
        return {"environment": _resumable(self.env).get_state()} | self._last.get_state()

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Continue exactly from what `get_state` returned.

        An environment from `gymnasium.make` refuses to step until it was reset once, with a state or without.
        """
        self._last.set_state(state)
        _resumable(self.env).set_state(state["environment"])


class VectorPreviousActionReward(VectorWrapper[Observation, Any, Observation, Any, np.ndarray]):
    """`PreviousActionReward` for vector environments, in all three autoreset modes.

    Where a column starts an episode, its previous action and reward are zero; the final observation in
    `infos["final_obs"]` carries the true last ones.

    Raises:
        ValueError: an action space of another kind, a Dict observation that has one of the new keys already, or an
            environment that does not name its autoreset mode.
    """

    def __init__(self, env: VectorEnv[Any, Any, np.ndarray]) -> None:
        super().__init__(env)
        mode = env.metadata.get("autoreset_mode")
        if not isinstance(mode, AutoresetMode):
            raise ValueError(f"{env} must name its AutoresetMode in metadata['autoreset_mode']")
        self._mode = mode
        self.single_observation_space = joint_space(env.single_observation_space, env.single_action_space)
        self.observation_space = batch_space(self.single_observation_space, env.num_envs)
        self._last = LastStep(env.num_envs, action_width(env.single_action_space))

    def reset(
        self,
        *,
        seed: int | Sequence[int | None] | None = None,  # pyright: ignore[reportIncompatibleMethodOverride]
        options: dict[str, Any] | None = None,
    ) -> tuple[Observation, dict[str, Any]]:
        """Start episodes, in the columns that `options["reset_mask"]` marks or in all."""
        mask = np.ones(self.num_envs, dtype=bool)
        if options is not None and "reset_mask" in options:
            mask = np.array(options["reset_mask"])  # read first: SyncVectorEnv takes the key out of the dict
        observations, infos = self.env.reset(seed=seed, options=options)  # pyright: ignore[reportArgumentType]
        self._last.forget(mask)
        return self._join(observations), infos

    def step(self, actions: Any) -> tuple[Observation, np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]:
        """Advance and append these actions and their rewards."""
        observations, rewards, terminated, truncated, infos = self.env.step(actions)
        restarted = self._last.ended
        self._last.actions = encode_actions(self.env.single_action_space, np.asarray(actions))  # [B, A]
        self._last.rewards = np.array(rewards, dtype=np.float64)
        self._last.ended = np.logical_or(terminated, truncated)
        if self._mode is AutoresetMode.NEXT_STEP and restarted.any():
            self._last.forget(restarted)
        if self._mode is AutoresetMode.SAME_STEP and self._last.ended.any():
            infos = {**infos, "final_obs": self._join_final(infos["final_obs"])}
            self._last.forget(self._last.ended)
        return self._join(observations), rewards, terminated, truncated, infos

    def _join(self, observations: Observation) -> Observation:
        return join(self.env.single_observation_space, observations, self._last.actions, self._last.rewards)

    def _join_final(self, final_obs: np.ndarray) -> np.ndarray:
        """Append to the final observations of the columns that ended: object array [B]."""
        space, columns = self.env.single_observation_space, np.flatnonzero(self._last.ended)
        actions, rewards = self._last.actions[columns], self._last.rewards[columns]
        if is_flat(space):
            finals = join(space, np.stack(list(final_obs[columns])), actions, rewards)  # at once: [n, O + A + 1]
        else:
            finals = [join(space, *one) for one in zip(final_obs[columns], actions, rewards, strict=True)]
        joined = np.full(self.num_envs, None, dtype=object)
        for column, final in zip(columns.tolist(), finals, strict=True):
            joined[column] = final
        return joined

    def get_state(self) -> dict[str, Any]:
        """Return `previous_action` [B, A], `previous_reward`, `previous_ended` [B]; the inner state is `environment`.

        Raises:
            TypeError: the wrapped environment has no state to give.
        """
        return {"environment": _resumable(self.env).get_state()} | self._last.get_state()

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Continue exactly from what `get_state` returned."""
        self._last.set_state(state)
        _resumable(self.env).set_state(state["environment"])
