"""The single-environment view: one column of the batch machinery."""

from collections.abc import Mapping
from typing import Any

import gymnasium
import numpy as np
from gymnasium.vector import AutoresetMode

from pomdp_envs.batched import BatchedEnv, State
from pomdp_envs.dynamics import Dynamics


class SingleEnv(gymnasium.Env[np.ndarray, Any]):
    """Run one `Dynamics` in one column; with seed s it is column i of a batch whose seed is s - i.

    The time limit is inside, so `gymnasium.make` adds no TimeLimit wrapper.
    """

    metadata = {"render_modes": []}  # noqa: RUF012 (Gymnasium's own declaration is an instance-style dict)

    def __init__(self, dynamics: Dynamics) -> None:
        self._batch = BatchedEnv(dynamics, num_envs=1, autoreset_mode=AutoresetMode.DISABLED)
        self.observation_space = dynamics.observation_space
        self.action_space = dynamics.action_space

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """Start an episode: number 0 of this seed, or without a seed the next one."""
        super().reset(seed=seed)
        observations, info = self._batch.reset(seed=seed)
        return observations[0], info

    def step(self, action: Any) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        """Advance by one step; see `BatchedEnv.step` for the errors."""
        observations, rewards, terminated, truncated, info = self._batch.step(np.asarray(action)[None])
        return observations[0], float(rewards[0]), bool(terminated[0]), bool(truncated[0]), info

    def get_state(self) -> State:
        """Return everything that the future depends on; the same keys as `BatchedEnv.get_state` with B = 1."""
        return self._batch.get_state()

    def set_state(self, state: Mapping[str, np.ndarray]) -> None:
        """Continue exactly from what `get_state` returned."""
        self._batch.set_state(state)
