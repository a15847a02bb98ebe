"""Whatever the user has, as an SB3 VecEnv with monitor statistics."""

import difflib
import importlib
from collections.abc import Mapping
from typing import Any

import gymnasium as gym
from gymnasium.envs.registration import find_highest_version, get_env_id, parse_env_id
from gymnasium.vector import AutoresetMode, SyncVectorEnv, VectorEnv
from stable_baselines3.common.monitor import Monitor
from stable_baselines3.common.vec_env import DummyVecEnv, VecEnv, VecMonitor, VecNormalize, is_vecenv_wrapped

from recurrent_rl.vector.gym_vec_env import GymVecEnv
from recurrent_rl.vector.tuples import WithoutTuples, has_tuple


def as_vec_env(
    env: Any, n_envs: int = 1, seed: int | None = None, env_kwargs: Mapping[str, Any] | None = None
) -> VecEnv:
    """Return `env` as an SB3 VecEnv, for training, EvalCallback or evaluate_policy.

    Args:
        env: An id (see `check_id`), a gymnasium.Env, a gymnasium.vector.VectorEnv in any autoreset mode, or an SB3
            VecEnv.
        n_envs: Columns, for an id only.
        seed: Column i gets seed + i at the first reset.
        env_kwargs: Arguments of the environment, for an id only.

    Raises:
        ValueError: The id is unknown, the object is none of these, or it is an SB3 VecEnv with Tuple observations (those
            of Gymnasium's environments are turned into MultiDiscrete or Dict observations, see `tuples`).
    """
    if isinstance(env, str):
        env = _from_id(env, n_envs, env_kwargs or {})
    vec_env = _wrap(env)
    if seed is not None:
        vec_env.seed(seed)
    return vec_env


def _wrap(env: Any) -> VecEnv:
    if isinstance(env, VecEnv):
        if has_tuple(env.observation_space):
            raise ValueError(
                "Tuple observations are not supported in Stable-Baselines3's VecEnvs. Give a gymnasium.Env, a "
                "gymnasium.vector.VectorEnv or an id: their Tuples are turned into MultiDiscrete or Dict observations."
            )
        return _with_statistics(env)
    if isinstance(env, VectorEnv):
        return GymVecEnv(env)
    if isinstance(env, gym.Env):
        env = WithoutTuples(env) if has_tuple(env.observation_space) else env
        wrapped = env if _has_monitor(env) else Monitor(env)
        return DummyVecEnv([lambda: wrapped])
    raise ValueError(
        f"{env!r} is not an environment: give an id, a gymnasium.Env, a gymnasium.vector.VectorEnv or an SB3 VecEnv."
    )


def _with_statistics(env: VecEnv) -> VecEnv:
    """Add monitor statistics of raw rewards where there are none; the order of wrappers stays as it is."""
    if is_vecenv_wrapped(env, VecMonitor) or all(env.env_is_wrapped(Monitor)):
        return env
    base = env.unwrapped
    if isinstance(base, DummyVecEnv):
        base.envs = [single if _has_monitor(single) else Monitor(single) for single in base.envs]
        return env
    # Above a normaliser it would report scaled rewards, below it EvalCallback could not pair the wrappers.
    return env if is_vecenv_wrapped(env, VecNormalize) else VecMonitor(env)


def _from_id(environment: str, n_envs: int, env_kwargs: Mapping[str, Any]) -> VectorEnv:
    known = check_id(environment)
    if gym.spec(known).vector_entry_point is not None:
        native = gym.make_vec(known, num_envs=n_envs, **env_kwargs)
        if native.metadata.get("autoreset_mode") is AutoresetMode.SAME_STEP:
            return native
        native.close()
    return SyncVectorEnv([lambda: gym.make(known, **env_kwargs)] * n_envs, autoreset_mode=AutoresetMode.SAME_STEP)


def check_id(environment: str) -> str:
    """Import the module that registers an environment, and return the registered id.

    Args:
        environment: "Name-v0"; "namespace/Name-v0" imports the module `namespace` where the id is not registered yet;
            "module:Name-v0" and "module:namespace/Name-v0" import `module`. Without "-v0": the highest version.

    Raises:
        ValueError: There is no such module, or the id is not registered; the message gives the nearest ids.
    """
    module, colon, name = environment.rpartition(":")
    if colon and not _import(module):
        raise ValueError(
            f"There is no module {module!r}, which {environment!r} names before the colon. Install its package, or write "
            "the module as in `import module`."
        )
    known = _registered(name)
    namespace, slash, _ = name.partition("/")
    if known is None and slash and namespace.isidentifier() and _import(namespace):
        known = _registered(name)
    if known is None:
        near = difflib.get_close_matches(name, list(gym.registry), n=3, cutoff=0.5)
        hint = f"Did you mean {', '.join(near)}?" if near else "gymnasium.pprint_registry() lists those there are."
        raise ValueError(
            f"There is no environment {environment!r}. {hint} Its package must be installed and importable."
        )
    return known


def _import(module: str) -> bool:
    """Import a module and return whether it is there; raise what a module that is there raises."""
    if not module or module.startswith("."):
        return False
    try:
        importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{module}.".startswith(f"{error.name}."):
            raise  # it is there and misses something itself
        return False
    return True


def _registered(name: str) -> str | None:
    """Return the id in the registry, the highest version where the name has none, or None."""
    if name in gym.registry:
        return name
    try:
        namespace, bare, version = parse_env_id(name)
    except gym.error.Error:  # not of the form [namespace/]Name[-v0]
        return None
    highest = find_highest_version(namespace, bare)
    return None if version is not None or highest is None else get_env_id(namespace, bare, highest)


def _has_monitor(env: gym.Env) -> bool:
    while isinstance(env, gym.Wrapper):
        if isinstance(env, Monitor):
            return True
        env = env.env
    return False
