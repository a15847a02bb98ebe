"""Whatever the user has, as an SB3 VecEnv with monitor statistics."""

import difflib
import importlib
from typing import Any

import gymnasium as gym
from gymnasium.vector import AutoresetMode, SyncVectorEnv, VectorEnv
from stable_baselines3.common.monitor import Monitor
from stable_baselines3.common.vec_env import DummyVecEnv, VecEnv, VecMonitor, VecNormalize, is_vecenv_wrapped

from recurrent_rl.vector.gym_vec_env import GymVecEnv


def as_vec_env(env: Any, n_envs: int = 1, seed: int | None = None) -> VecEnv:
    """Return `env` as an SB3 VecEnv, for training, EvalCallback or evaluate_policy.

    Args:
        env: An id ("namespace/Name-v0" imports the module `namespace`), a gymnasium.Env, a gymnasium.vector.VectorEnv in
            any autoreset mode, or an SB3 VecEnv.
        n_envs: Columns, for an id only.
        seed: Column i gets seed + i at the first reset.

    Raises:
        ValueError: The id is unknown, or the object is none of these.
    """
    if isinstance(env, str):
        env = _from_id(env, n_envs)
    vec_env = _wrap(env)
    if seed is not None:
        vec_env.seed(seed)
    return vec_env


def _wrap(env: Any) -> VecEnv:
    if isinstance(env, VecEnv):
        return _with_statistics(env)
    if isinstance(env, VectorEnv):
        return GymVecEnv(env)
    if isinstance(env, gym.Env):
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


def _from_id(environment: str, n_envs: int) -> VectorEnv:
    check_id(environment)
    spec = gym.spec(environment)
    if spec.vector_entry_point is not None:
        native = gym.make_vec(environment, num_envs=n_envs)
        if native.metadata.get("autoreset_mode") is AutoresetMode.SAME_STEP:
            return native
        native.close()
    return SyncVectorEnv([lambda: gym.make(environment)] * n_envs, autoreset_mode=AutoresetMode.SAME_STEP)


def check_id(environment: str) -> None:
    """Import the id's namespace, and raise ValueError with the nearest ids where it is not registered."""
    module, _, name = environment.rpartition(":")
    namespace = module or name.partition("/")[0]
    if name not in gym.registry and namespace.replace(".", "").isidentifier():
        try:
            importlib.import_module(namespace)
        except ModuleNotFoundError as error:
            if error.name != namespace.partition(".")[0]:
                raise  # the package is there and misses something itself
    if name not in gym.registry:
        near = difflib.get_close_matches(name, list(gym.registry), n=3, cutoff=0.5)
        hint = f"Did you mean {', '.join(near)}?" if near else "gymnasium.pprint_registry() lists those there are."
        raise ValueError(
            f"There is no environment {environment!r}. {hint} Its package must be installed and importable."
        )


def _has_monitor(env: gym.Env) -> bool:
    while isinstance(env, gym.Wrapper):
        if isinstance(env, Monitor):
            return True
        env = env.env
    return False
