"""The whole state of a VecEnv as plain data: wrappers, statistics, environments. It makes an exact resume possible.

A state is nested dicts and lists of arrays, numbers, booleans and strings; nothing is pickled.
"""

import copy
import time
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.vector import SyncVectorEnv, VectorEnv, VectorWrapper
from gymnasium.wrappers import OrderEnforcing, PassiveEnvChecker, TimeLimit
from stable_baselines3.common.monitor import Monitor
from stable_baselines3.common.running_mean_std import RunningMeanStd
from stable_baselines3.common.vec_env import (
    DummyVecEnv,
    VecCheckNan,
    VecEnv,
    VecEnvWrapper,
    VecMonitor,
    VecNormalize,
    VecTransposeImage,
    unwrap_vec_normalize,
)

from recurrent_rl.vector.gym_vec_env import GymVecEnv
from recurrent_rl.vector.tuples import WithoutTuples

EnvState = dict[str, Any]


class NotResumableError(ValueError):
    """A layer of the environment cannot give its state; the message names it."""


def why_not_resumable(vec_env: VecEnv) -> str | None:
    """Return which layer cannot give its state, or None where all can. The environment must have been reset once."""
    try:
        _get(vec_env)
    except NotResumableError as error:
        return str(error)
    return None


def get_env_state(vec_env: VecEnv) -> EnvState | None:
    """Return the state of all layers (copies), or None where one has no get_state."""
    try:
        return {"layers": _layers(vec_env), **copy.deepcopy(_get(vec_env))}
    except NotResumableError:
        return None


def why_not_settable(vec_env: VecEnv, state: EnvState) -> str | None:
    """Return how `vec_env` differs from the one whose state this is (wrappers, environment), or None where it fits."""
    here, there = _layers(vec_env), state["layers"]
    if here == there:
        return None
    return f"the checkpoint's environment is {' over '.join(there)}, the one here is {' over '.join(here)}"


def _layers(vec_env: VecEnv) -> list[str]:
    """Return the names of all layers, outermost first; columns that are built alike count once."""
    names = []
    while isinstance(vec_env, VecEnvWrapper):
        names.append(type(vec_env).__name__)
        vec_env = vec_env.venv
    names.append(type(vec_env).__name__)
    if isinstance(vec_env, GymVecEnv):
        base = vec_env.env.unwrapped
        names += _env_layers(vec_env.env)
        columns = base.envs if isinstance(base, SyncVectorEnv) else []
    else:
        columns = vec_env.envs if isinstance(vec_env, DummyVecEnv) else []
    return names + sorted({" over ".join(_env_layers(column)) for column in columns})


def _env_layers(env: Any) -> list[str]:
    """Return the names of Gymnasium's layers; the last with its id and plain arguments, where it was made by an id."""
    names = []
    while isinstance(env, gym.Wrapper | VectorWrapper):
        names.append(type(env).__name__)
        env = env.env
    given = {} if env.spec is None else {**env.spec.kwargs}
    plain = ", ".join(f"{name}={value}" for name, value in given.items() if isinstance(value, bool | int | float | str))
    return [*names, type(env).__name__ + (f" {env.spec.id}({plain})" if env.spec is not None else "")]


def set_env_state(vec_env: VecEnv, state: EnvState) -> None:
    """Put every layer where `get_env_state` found it.

    Args:
        vec_env: Built like the one that the state is from, and reset once.
        state: From `get_env_state`.

    Raises:
        ValueError: The layers or the number of columns differ.
    """
    _set(vec_env, copy.deepcopy(state))


def _set(vec_env: VecEnv, state: EnvState) -> None:
    kind = type(vec_env).__name__
    if state["kind"] != kind:
        raise ValueError(f"The state is of a {state['kind']}, the environment here is a {kind}; wrap it the same way.")
    if state["columns"] != vec_env.num_envs:
        raise ValueError(f"The state has {state['columns']} columns, the environment {vec_env.num_envs}.")
    if isinstance(vec_env, VecEnvWrapper):
        _set(vec_env.venv, state["inner"])
    _SETTERS[_known(vec_env)](vec_env, state["own"])


def get_normaliser(vec_env: VecEnv) -> EnvState | None:
    """Return the statistics of the VecNormalize among the wrappers (copies), or None where there is none."""
    normaliser = unwrap_vec_normalize(vec_env)
    return None if normaliser is None else copy.deepcopy(_get_normalize(normaliser))


def set_normaliser(normaliser: VecNormalize, state: EnvState) -> None:
    """Give a normaliser the statistics that `get_normaliser` returned.

    Args:
        normaliser: Over an environment with the same observations; any number of columns.
        state: From `get_normaliser`; running returns are left alone where the number of columns differs.
    """
    state = copy.deepcopy(state)
    if state["returns"].shape != normaliser.returns.shape:
        state["returns"] = normaliser.returns
    _set_normalize(normaliser, state)


def _get(vec_env: VecEnv) -> EnvState:
    state: EnvState = {"kind": type(vec_env).__name__, "columns": vec_env.num_envs}
    state["own"] = _GETTERS[_known(vec_env)](vec_env)
    if isinstance(vec_env, VecEnvWrapper):
        state["inner"] = _get(vec_env.venv)
    return state


def _known(layer: VecEnv) -> type:
    for known in _GETTERS:
        if isinstance(layer, known):
            return known
    raise NotResumableError(f"{type(layer).__name__} gives no state")


# -------------------------------------------------------------------- SB3 wrappers


def _get_statistics(statistics: RunningMeanStd) -> EnvState:
    return {
        "mean": np.array(statistics.mean),
        "var": np.array(statistics.var),
        "count": float(statistics.count),
    }


def _set_statistics(statistics: RunningMeanStd, state: EnvState) -> None:
    statistics.mean, statistics.var, statistics.count = state["mean"].copy(), state["var"].copy(), state["count"]


def _get_normalize(layer: VecNormalize) -> EnvState:
    observations: Any = None
    if layer.norm_obs:
        statistics = layer.obs_rms
        if isinstance(statistics, dict):
            observations = {key: _get_statistics(value) for key, value in statistics.items()}
        else:
            observations = _get_statistics(statistics)
    return {
        "observations": observations,
        "clip_obs": float(layer.clip_obs),
        "epsilon": float(layer.epsilon),
        "rewards": _get_statistics(layer.ret_rms),
        "returns": layer.returns.copy(),
    }


def _set_normalize(layer: VecNormalize, state: EnvState) -> None:
    if layer.norm_obs:
        if isinstance(layer.obs_rms, dict):
            for key, statistics in layer.obs_rms.items():
                _set_statistics(statistics, state["observations"][key])
        else:
            _set_statistics(layer.obs_rms, state["observations"])
    _set_statistics(layer.ret_rms, state["rewards"])
    layer.returns = state["returns"].copy()


def _get_monitor(layer: VecMonitor) -> EnvState:
    return {"returns": layer.episode_returns.copy(), "lengths": layer.episode_lengths.copy()}


def _set_monitor(layer: VecMonitor, state: EnvState) -> None:
    layer.episode_returns, layer.episode_lengths = state["returns"].copy(), state["lengths"].copy()


# -------------------------------------------------------------------- vector environments


def _get_gym(layer: GymVecEnv) -> EnvState:
    pending = [[column, _plain_info(info)] for column, info in layer._pending.items()]
    return {
        "returns": layer.returns.copy(),
        "lengths": layer.lengths.copy(),
        "pending": pending,
        "env": _get_vector(layer.env),
    }


def _set_gym(layer: GymVecEnv, state: EnvState) -> None:
    layer.returns[:] = state["returns"]
    layer.lengths[:] = state["lengths"]
    layer._pending = {column: dict(info) for column, info in state["pending"]}
    _set_vector(layer.env, state["env"])


def _plain_info(info: dict[str, Any]) -> dict[str, Any]:
    return {key: info[key] for key in ("terminal_observation", "TimeLimit.truncated", "episode")}


def _get_vector(env: VectorEnv) -> Any:
    if _gives_state(env):
        return _own_state(env)
    if isinstance(env, SyncVectorEnv):
        return {
            "envs": [_get_single(single) for single in env.envs],
            "autoreset": np.array(env._autoreset_envs, dtype=bool),
            "observations": [_plain_observation(row) for row in _last_observations(env)],
        }
    raise NotResumableError(f"{type(env).__name__} has no get_state")


def _set_vector(env: VectorEnv, state: Any) -> None:
    if _gives_state(env):
        env.set_state(state)  # type: ignore[attr-defined]
        return
    assert isinstance(env, SyncVectorEnv)
    for single, single_state in zip(env.envs, state["envs"], strict=True):
        _set_single(single, single_state)
    env._autoreset_envs[:] = state["autoreset"]
    env._env_obs = list(state["observations"])


def _last_observations(env: SyncVectorEnv) -> list[Any]:
    """What an environment without autoreset repeats for the columns that a masked reset leaves alone."""
    return list(env._env_obs)


def _plain_observation(row: Any) -> Any:
    return row.copy() if isinstance(row, np.ndarray) else row


def _get_dummy(layer: DummyVecEnv) -> EnvState:
    return {"envs": [_get_single(env) for env in layer.envs]}


def _set_dummy(layer: DummyVecEnv, state: EnvState) -> None:
    for env, env_state in zip(layer.envs, state["envs"], strict=True):
        _set_single(env, env_state)


# -------------------------------------------------------------------- single environments


def _get_single(env: gym.Env) -> list[Any]:
    """Return the states of the known wrappers, outermost first, and of the first layer that gives its own."""
    states: list[Any] = []
    while not _gives_state(env):
        if isinstance(env, Monitor):
            states.append({"rewards": [float(r) for r in env.rewards], "needs_reset": bool(env.needs_reset)})
        elif isinstance(env, TimeLimit):
            states.append({"elapsed": env._elapsed_steps})
        elif isinstance(env, OrderEnforcing | PassiveEnvChecker | WithoutTuples):
            states.append({})
        else:
            raise NotResumableError(f"{type(env).__name__} has no get_state")
        env = env.env
    states.append(_own_state(env))
    return states


def _set_single(env: gym.Env, states: list[Any]) -> None:
    for state in states[:-1]:
        if isinstance(env, Monitor):
            env.rewards, env.needs_reset = list(state["rewards"]), state["needs_reset"]
            env.t_start = min(env.t_start, time.time())
        elif isinstance(env, TimeLimit):
            env._elapsed_steps = state["elapsed"]
        assert isinstance(env, gym.Wrapper)
        env = env.env
    env.set_state(states[-1])  # type: ignore[attr-defined]


def _own_state(env: Any) -> Any:
    try:
        return env.get_state()
    except (TypeError, AttributeError, NotImplementedError) as error:
        raise NotResumableError(f"{type(env).__name__}.get_state fails: {error}") from error


def _gives_state(env: Any) -> bool:
    """Whether the layer itself defines the pair; a wrapper does not answer for what it wraps."""
    return "get_state" in dir(type(env)) and "set_state" in dir(type(env))


def _nothing(layer: VecEnv) -> EnvState:
    return {}


def _set_nothing(layer: VecEnv, state: EnvState) -> None:
    return None


_GETTERS: dict[type, Any] = {
    VecNormalize: _get_normalize,
    VecMonitor: _get_monitor,
    VecTransposeImage: _nothing,
    VecCheckNan: _nothing,
    GymVecEnv: _get_gym,
    DummyVecEnv: _get_dummy,
}
_SETTERS: dict[type, Any] = {
    VecNormalize: _set_normalize,
    VecMonitor: _set_monitor,
    VecTransposeImage: _set_nothing,
    VecCheckNan: _set_nothing,
    GymVecEnv: _set_gym,
    DummyVecEnv: _set_dummy,
}
