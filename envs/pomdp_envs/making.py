"""What Gymnasium calls to make an id: the single view or the batch of one `Dynamics`, and how ids are registered."""

import importlib
from typing import Any

import gymnasium
from gymnasium.envs.registration import register, registry
from gymnasium.vector import AutoresetMode

from pomdp_envs.batched import BatchedEnv
from pomdp_envs.dynamics import Dynamics
from pomdp_envs.extras import is_installed
from pomdp_envs.single import SingleEnv

NAMESPACE = "pomdp_envs"


def register_world(name: str, dynamics: type[Dynamics], views: str = "pomdp_envs.making", **arguments: Any) -> None:
    """Register `pomdp_envs/<name>-v0` for `gymnasium.make` and `gymnasium.make_vec`.

    Args:
        name: in the id.
        dynamics: the class of the world.
        views: a module with functions like `make_single` and `make_batch`, for a world whose views can do more.
        arguments: its arguments in this id; `make` and `make_vec` may replace them by their own.
    """
    # The time limit is inside the dynamics: with `max_episode_steps` here, `make` would wrap a second one around them.
    register(
        f"{NAMESPACE}/{name}-v0",
        entry_point=f"{views}:make_single",
        vector_entry_point=f"{views}:make_batch",
        kwargs={"dynamics": f"{dynamics.__module__}:{dynamics.__qualname__}", **arguments},
    )


def make_single(dynamics: str, render_mode: str | None = None, **arguments: Any) -> SingleEnv:
    """Make one environment of the dynamics at "module:class" with these arguments."""
    return SingleEnv(load(dynamics)(**arguments), render_mode)


def make_batch(
    dynamics: str,
    num_envs: int = 1,
    autoreset_mode: AutoresetMode | str = AutoresetMode.SAME_STEP,
    render_mode: str | None = None,
    max_episode_steps: int | None = None,
    **arguments: Any,
) -> BatchedEnv:
    """Make a batch of the dynamics at "module:class" with these arguments."""
    return BatchedEnv(load(dynamics)(**arguments), num_envs, autoreset_mode, render_mode, max_episode_steps)


def load(path: str) -> type[Dynamics]:
    """Import the class at "module:class"."""
    module, name = path.split(":")
    return getattr(importlib.import_module(module), name)


def ids() -> list[str]:
    """Return all ids of this package that can be made here, in the order of their registration."""
    mine = [spec for spec in registry.values() if spec.namespace == NAMESPACE]
    return [spec.id for spec in mine if "extra" not in spec.kwargs or is_installed(spec.kwargs["extra"])]


def dynamics_of(env_id: str) -> Dynamics:
    """Return the dynamics of an id, with its default arguments.

    Raises:
        ValueError: it is not natively batched: a simulator, or not of this package.
    """
    env = gymnasium.make_vec(env_id, num_envs=1).unwrapped
    if not isinstance(env, BatchedEnv):
        raise ValueError(f"{env_id} has no Dynamics: it is a {type(env).__name__} around environments that step alone")
    return env.dynamics
