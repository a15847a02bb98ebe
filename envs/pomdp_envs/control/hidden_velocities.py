"""Gymnasium's own simulated robots and landers, without their velocities.

    id                  made from          shows                                         extra
    LunarLanderNoVel    LunarLander-v3     5 of 8: place, angle, contacts of the legs    box2d
    BipedalWalkerNoVel  BipedalWalker-v3   17 of 24: angles, contacts, lidar             box2d
    HopperNoVel         Hopper-v5          5 of 11: height and angles                    mujoco
    HalfCheetahNoVel    HalfCheetah-v5     8 of 17: height and angles                    mujoco
    AntNoVel            Ant-v5             91 of 105: height, angles, contact forces     mujoco
    WalkerNoVel         Walker2d-v5        8 of 17: height and angles                    mujoco

Action space, start, reward, end and time limit: Gymnasium's. Observation space: what is left of Gymnasium's, or all of it
with a constant in place of the velocities (`fill`). Hidden state: positions and velocities of all joints (MuJoCo's qpos and
qvel); with Box2D, whose bodies give no such list, Gymnasium's whole observation, so without the terrain. Both are float64
[S]. Render modes: Gymnasium's, and "ansi", which prints the hidden state. The ids are always registered; to make one without
its extra raises an error that says what to install.

Source: hiding velocities: RL Baselines3 Zoo (which writes zeros: fill=0.0).

Versions: v0, the first.
"""

from typing import Any

import gymnasium
import numpy as np
from gymnasium.envs.registration import register
from gymnasium.error import ResetNeeded
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from gymnasium.wrappers import TimeLimit

from pomdp_envs.extras import require
from pomdp_envs.making import NAMESPACE
from pomdp_envs.wrappers import MaskObservation
from pomdp_envs.wrappers.mask import Hidden


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


class HiddenVelocities(MaskObservation):
    """One task; see the module's docstring."""

    def __init__(self, env: gymnasium.Env[Any, Any], hidden: Hidden = "velocities", fill: float | None = None) -> None:
        super().__init__(_Seen(env), hidden, fill)
        self.metadata = {**env.metadata, "render_modes": [*env.metadata["render_modes"], "ansi"]}
        self.as_text = False

    @property
    def render_mode(self) -> str | None:
        """Gymnasium's render mode, or "ansi"."""
        return "ansi" if self.as_text else super().render_mode

    def hidden_state(self) -> np.ndarray:
        """Return the simulator's state, float64 [S].

        Raises:
            ResetNeeded: before the first reset.
        """
        data = getattr(self.unwrapped, "data", None)  # MuJoCo's
        seen = self.env.last_seen  # type: ignore[attr-defined]
        if seen is None:
            raise ResetNeeded("there is no state before the first reset()")
        return np.asarray(seen, np.float64) if data is None else np.concatenate([data.qpos, data.qvel])

    def render(self) -> Any:
        """Draw in the render mode; "ansi" lists the hidden state."""
        if not self.as_text:
            return super().render()
        return " ".join(f"{number:.3g}" for number in self.hidden_state())


class _Seen(gymnasium.Wrapper[Any, Any, Any, Any]):
    """Keeps Gymnasium's last whole observation."""

    last_seen: np.ndarray | None = None

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        self.last_seen, info = self.env.reset(seed=seed, options=options)
        return self.last_seen, info

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        result = self.env.step(action)
        self.last_seen = result[0]
        return result


class HiddenVelocitiesBatch(SyncVectorEnv):
    """Columns that are stepped one by one."""

    def hidden_state(self) -> np.ndarray:
        """Return the simulators' states, float64 [B, S]."""
        return np.stack(self.call("hidden_state"))


def make_single(
    base: str, extra: str, fill: float | None = None, render_mode: str | None = None, **arguments: Any
) -> HiddenVelocities:
    """Make a task with hidden velocities; `gymnasium.make` adds the time limit.

    Args:
        base: Gymnasium's id.
        extra: what must be installed.
        fill: see `MaskObservation`.
        render_mode: one of Gymnasium's, or "ansi".
        arguments: Gymnasium's own.

    Raises:
        ExtraNotInstalled: it is not.
    """
    require(extra, f"{base} with hidden velocities")
    mode = None if render_mode == "ansi" else render_mode
    env = gymnasium.make(base, disable_env_checker=True, render_mode=mode, **arguments).unwrapped
    made = HiddenVelocities(env, fill=fill)
    made.as_text = render_mode == "ansi"
    return made


def make_batch(
    base: str,
    extra: str,
    num_envs: int = 1,
    autoreset_mode: AutoresetMode | str = AutoresetMode.SAME_STEP,
    max_episode_steps: int | None = None,
    fill: float | None = None,
    **arguments: Any,
) -> HiddenVelocitiesBatch:
    """Make a vector environment whose columns are stepped one by one; see `make_single`."""
    require(extra, f"{base} with hidden velocities")
    steps = gymnasium.spec(base).max_episode_steps if max_episode_steps is None else max_episode_steps
    assert steps is not None

    def make() -> gymnasium.Env:
        return TimeLimit(make_single(base, extra, fill, **arguments), steps)

    return HiddenVelocitiesBatch([make] * num_envs, autoreset_mode=autoreset_mode)
