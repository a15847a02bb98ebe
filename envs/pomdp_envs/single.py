"""The single-environment view: one column of the batch machinery."""

from collections.abc import Mapping
from typing import Any

import gymnasium
import numpy as np
from gymnasium.vector import AutoresetMode

from pomdp_envs.batched import BatchedEnv, State
from pomdp_envs.dynamics import Dynamics
from pomdp_envs.observations import row


class SingleEnv(gymnasium.Env[Any, Any]):
    """Run one `Dynamics` in one column; with seed s it is column i of a batch whose seed is s - i.

    The time limit is inside, so `gymnasium.make` adds no TimeLimit wrapper.

    Args:
        dynamics: The world.
        render_mode: None, "ansi", or "rgb_array" where the world draws pictures.
    """

    def __init__(self, dynamics: Dynamics, render_mode: str | None = None) -> None:
        self._batch = BatchedEnv(dynamics, 1, AutoresetMode.DISABLED, render_mode)
        self.dynamics = dynamics
        self.metadata = {key: value for key, value in self._batch.metadata.items() if key != "autoreset_mode"}
        self.render_mode = render_mode
        self.observation_space = self._batch.single_observation_space
        self.action_space = self._batch.single_action_space

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Start an episode: number 0 of this seed, or without a seed the next one."""
        super().reset(seed=seed)
        observations, info = self._batch.reset(seed=seed)
        return row(observations, 0), info

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Advance by one step; see `BatchedEnv.step` for the errors."""
        self._batch.spec = self.spec  # names the environment in errors
        observations, rewards, terminated, truncated, info = self._batch.step(np.asarray(action)[None])
        return row(observations, 0), float(rewards[0]), bool(terminated[0]), bool(truncated[0]), info

    def render(self) -> Any:
        """Draw the hidden state in the render mode: a str, or uint8 [height, width, 3]."""
        frames = self._batch.render()
        return None if frames is None else frames[0]

    def hidden_state(self) -> np.ndarray:
        """Return the Markov state [S], a copy; the dynamics' docstring names its entries."""
        return self._batch.hidden_state()[0]

    def get_state(self) -> State:
        """Return everything that the future depends on; the same keys as `BatchedEnv.get_state` with B = 1."""
        return self._batch.get_state()

    def set_state(self, state: Mapping[str, np.ndarray]) -> None:
        """Continue exactly from what `get_state` returned."""
        self._batch.set_state(state)
