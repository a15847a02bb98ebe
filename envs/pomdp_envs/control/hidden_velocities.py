"""Gymnasium's own simulated robots and landers, without their velocities.

    id                  made from          shows                                         extra
    LunarLanderNoVel    LunarLander-v3     5 of 8: place, angle, contacts of the legs    box2d
    BipedalWalkerNoVel  BipedalWalker-v3   17 of 24: angles, contacts, lidar             box2d
    HopperNoVel         Hopper-v5          5 of 11: height and angles                    mujoco
    HalfCheetahNoVel    HalfCheetah-v5     8 of 17: height and angles                    mujoco
    AntNoVel            Ant-v5             91 of 105: height, angles, contact forces     mujoco
    WalkerNoVel         Walker2d-v5        8 of 17: height and angles                    mujoco

Action space, start, reward, end and time limit: Gymnasium's. Observation space: what is left of Gymnasium's, or all of it
with a constant in place of the velocities (`fill`). The ids are always registered; to make one without its extra raises
an error that says what to install.

Source: hiding velocities: RL Baselines3 Zoo (which writes zeros: fill=0.0).

Versions: v0, the first.
"""

from typing import Any

import gymnasium
from gymnasium.envs.registration import register
from gymnasium.vector import AutoresetMode, SyncVectorEnv

from pomdp_envs.extras import require
from pomdp_envs.making import NAMESPACE
from pomdp_envs.wrappers import MaskObservation


def register_task(name: str, base: str, extra: str, time_limit: int) -> None:
    """Register `pomdp_envs/<name>-v0`.

    Args:
        name: in the id.
        base: Gymnasium's id.
        extra: what must be installed to make it.
        time_limit: Gymnasium's.
    """
    register(
        f"{NAMESPACE}/{name}-v0",
        entry_point="pomdp_envs.control.hidden_velocities:make_single",
        vector_entry_point="pomdp_envs.control.hidden_velocities:make_batch",
        max_episode_steps=time_limit,
        kwargs={"base": base, "extra": extra},
    )


def make_single(base: str, extra: str, fill: float | None = None, **arguments: Any) -> MaskObservation:
    """Make a task with hidden velocities; `gymnasium.make` adds the time limit.

    Args:
        base: Gymnasium's id.
        extra: what must be installed.
        fill: see `MaskObservation`.
        arguments: Gymnasium's own, such as `render_mode`.

    Raises:
        ExtraNotInstalled: it is not.
    """
    require(extra, f"{base} with hidden velocities")
    return MaskObservation(gymnasium.make(base, disable_env_checker=True, **arguments).unwrapped, fill=fill)


def make_batch(
    base: str,
    extra: str,
    num_envs: int = 1,
    autoreset_mode: AutoresetMode | str = AutoresetMode.SAME_STEP,
    max_episode_steps: int | None = None,
    fill: float | None = None,
    **arguments: Any,
) -> SyncVectorEnv:
    """Make a vector environment whose columns are stepped one by one; see `make_single`."""
    require(extra, f"{base} with hidden velocities")

    def make() -> MaskObservation:
        env = gymnasium.make(base, max_episode_steps=max_episode_steps, disable_env_checker=True, **arguments)
        return MaskObservation(env, fill=fill)

    return SyncVectorEnv([make] * num_envs, autoreset_mode=autoreset_mode)
