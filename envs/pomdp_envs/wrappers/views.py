"""The single and the vector wrapper around one `Transform`."""

import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from gymnasium.vector import AsyncVectorEnv, AutoresetMode, SyncVectorEnv, VectorEnv, VectorWrapper
from gymnasium.vector.utils import batch_space, create_empty_array
from gymnasium.wrappers import Autoreset

from pomdp_envs.observations import map_parts, put, row, scatter, take
from pomdp_envs.resets import column_seeds, reset_mask
from pomdp_envs.wrappers.resumable import check_state, resumable
from pomdp_envs.wrappers.shown import Shown
from pomdp_envs.wrappers.spaces import batched, leaves
from pomdp_envs.wrappers.transform import Observation, Transform

MakeTransform = Callable[[spaces.Space, int], Transform]  # from the space of one observation and B
_FIRST = np.array([0])  # the only column


class TransformedEnv(gymnasium.Wrapper[Observation, Any, Observation, Any]):
    """Show the agent of one environment what a `Transform` makes of its observations.

    With seed s it is shown what column i of a vector environment with seed s - i is shown. A class of this kind derives
    from Gymnasium's RecordConstructorArgs too, so that `env.spec` can make it again.

    Args:
        env: With Box, Discrete, MultiDiscrete or MultiBinary observations, or a Dict or Tuple of these.
        make: The transform.

    Raises:
        ValueError: observations of another kind, what the transform refuses, or Gymnasium's Autoreset below.
    """

    def __init__(self, env: gymnasium.Env[Any, Any], make: MakeTransform) -> None:
        super().__init__(env)
        _refuse_autoreset(env)
        leaves(env.observation_space)  # refuses other kinds
        transform = make(env.observation_space, 1)
        self.observation_space = transform.observation_space
        self._shown = Shown(transform, 1, _stream(transform, env))
        self._ended = False

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """Start an episode: number 0 of this seed, or without a seed the next one."""
        observation, info = self.env.reset(seed=seed, options=options)
        self._shown.reseed(column_seeds(seed, 1), _FIRST)
        self._shown.begin(batched(self.env.observation_space, [observation]), _FIRST)
        self._ended = False
        return row(self._shown.now(), 0), info

    def step(self, action: Any) -> tuple[Observation, Any, bool, bool, dict[str, Any]]:
        """Advance by one step."""
        observation, reward, terminated, truncated, info = self.env.step(action)
        self._shown.transform.note(np.asarray(action)[None], np.array([reward]))
        self._shown.go_on(batched(self.env.observation_space, [observation]))
        self._ended = bool(terminated or truncated)
        return row(self._shown.now(), 0), reward, terminated, truncated, info

    def get_state(self) -> dict[str, Any]:
        """Return the vector wrapper's keys, with B = 1.

        Raises:
            TypeError: the wrapped environment has no state to give.
        """
        return _get_state(self.env, self._shown, np.array([self._ended]))

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Continue exactly from what `get_state` returned.

        An environment from `gymnasium.make` refuses to step until it was reset once, with a state or without.

        Raises:
            ValueError: missing or unknown keys, or a shape that does not fit.
        """
        self._ended = bool(_set_state(self.env, self._shown, state)[0])


class VectorTransformedEnv(VectorWrapper[Observation, Any, Observation, Any, np.ndarray]):
    """Show the agents of a vector environment what a `Transform` makes of their observations.

    It is exact in all three autoreset modes: a final observation (in `infos["final_obs"]` with SAME_STEP) is shown as
    the episode's next observation would have been, and what follows a reset (with NEXT_STEP the row that only resets)
    as an episode's first.

    Args:
        env: With Box, Discrete, MultiDiscrete or MultiBinary observations, or a Dict or Tuple of these.
        make: The transform.

    Raises:
        ValueError: observations of another kind, what the transform refuses, or an environment that does not name its
            autoreset mode.
    """

    def __init__(self, env: VectorEnv[Any, Any, np.ndarray], make: MakeTransform) -> None:
        super().__init__(env)
        self._mode = autoreset_mode(env)
        leaves(env.single_observation_space)  # refuses other kinds
        transform = make(env.single_observation_space, env.num_envs)
        self.single_observation_space = transform.observation_space
        self.observation_space = batch_space(transform.observation_space, env.num_envs)
        self._shown = Shown(transform, env.num_envs, _stream(transform, env))
        self._ended = np.zeros(env.num_envs, dtype=bool)  # waits for a reset
        self._like = create_empty_array(env.single_observation_space, 1)

    def reset(
        self,
        *,
        seed: int | Sequence[int | None] | None = None,  # pyright: ignore[reportIncompatibleMethodOverride]
        options: dict[str, Any] | None = None,
    ) -> tuple[Observation, dict[str, Any]]:
        """Start episodes, in the columns that `options["reset_mask"]` marks or in all."""
        seeds = column_seeds(seed, self.num_envs)
        mask = reset_mask(options, self.num_envs)  # read first: SyncVectorEnv takes the key out of the dict
        observations, infos = self.env.reset(seed=seed, options=options)  # pyright: ignore[reportArgumentType]
        columns = np.flatnonzero(mask)
        self._shown.reseed(seeds[columns], columns)
        self._shown.begin(take(self._typed(observations), columns), columns)
        self._ended[columns] = False
        return self._shown.now(), infos

    def step(self, actions: Any) -> tuple[Observation, np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]:
        """Advance every column by one step."""
        observations, rewards, terminated, truncated, infos = self.env.step(actions)
        self._shown.transform.note(actions, rewards)
        starting, self._ended = self._ended, np.logical_or(terminated, truncated)
        if self._mode is AutoresetMode.SAME_STEP and self._ended.any():
            starting, self._ended = self._ended, np.zeros_like(self._ended)
            infos = {**infos, "final_obs": self._show_final(observations, infos["final_obs"], np.flatnonzero(starting))}
        else:
            self._shown.go_on(self._typed(observations))
        if starting.any():
            columns = np.flatnonzero(starting)
            self._shown.begin(take(self._typed(observations), columns), columns)
        return self._shown.now(), rewards, terminated, truncated, infos

    def _show_final(self, observations: Observation, final_obs: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """Go on, to the final observations where episodes end (in columns [n]), and return those: object array [B]."""
        following = map_parts(np.copy, self._typed(observations))
        put(following, columns, batched(self.env.single_observation_space, list(final_obs[columns])))
        self._shown.go_on(following)
        return scatter(self._shown.now(columns), columns, self.num_envs)

    def _typed(self, observations: Observation) -> Observation:
        """Return observations as arrays of the space's dtypes, in its order: some environments begin with integers."""
        return map_parts(lambda like, part: np.asarray(part, like.dtype), self._like, observations)

    def get_state(self) -> dict[str, Any]:
        """Return the inner state as `environment`, the wrapper's own as `wrapper`, and `ended` bool [B].

        Raises:
            TypeError: the wrapped environment has no state to give.
        """
        return _get_state(self.env, self._shown, self._ended)

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Continue exactly from what `get_state` returned.

        Raises:
            ValueError: missing or unknown keys, or a shape that does not fit.
        """
        self._ended = _set_state(self.env, self._shown, state)


def autoreset_mode(env: VectorEnv) -> AutoresetMode:
    """Return how a vector environment resets.

    Raises:
        ValueError: it does not say.
    """
    mode = env.metadata.get("autoreset_mode")
    if not isinstance(mode, AutoresetMode):
        raise ValueError(f"{env} must name its AutoresetMode in metadata['autoreset_mode']")
    return mode


def _get_state(env: gymnasium.Env | VectorEnv, shown: Shown, ended: np.ndarray) -> dict[str, Any]:
    return {"environment": resumable(env).get_state(), "wrapper": shown.get_state(), "ended": ended.copy()}


def _set_state(env: gymnasium.Env | VectorEnv, shown: Shown, state: Mapping[str, Any]) -> np.ndarray:
    """Put a state back, and return which columns have ended, bool [B]."""
    check_state(state, {"environment": None, "wrapper": None, "ended": np.zeros(shown.num_envs)})
    shown.set_state(state["wrapper"])
    resumable(env).set_state(state["environment"])
    return np.array(state["ended"], dtype=bool)


def _stream(transform: Transform, env: gymnasium.Env | VectorEnv) -> int:
    """Number the random numbers of a transform: by its class, and by how many of its class stand below it."""
    kind = type(transform)
    below = sum(isinstance(layer, _VIEWS) and type(layer._shown.transform) is kind for layer in _layers(env))
    return zlib.crc32(kind.__name__.encode()) + (below << 32)


def _refuse_autoreset(env: gymnasium.Env) -> None:
    """Raise ValueError where episodes begin below without a `reset` that a wrapper above could see."""
    if any(isinstance(layer, Autoreset) for layer in _layers(env)):
        raise ValueError("Gymnasium's Autoreset hides where episodes begin: put it around this wrapper, not inside it")


_VIEWS = TransformedEnv | VectorTransformedEnv


def _layers(env: gymnasium.Env | VectorEnv) -> Iterator[gymnasium.Env | VectorEnv]:
    """Go down through the wrappers of an environment, of the first column's where columns are objects."""
    yield env
    if isinstance(env, gymnasium.Wrapper | VectorWrapper):
        yield from _layers(env.env)
    elif isinstance(env, SyncVectorEnv):
        yield from _layers(env.envs[0])
    elif isinstance(env, AsyncVectorEnv):  # its columns are in other processes
        alike = env.env_fns[0]()
        yield from _layers(alike)
        alike.close()
