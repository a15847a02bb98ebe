"""The batch machinery: many copies of one world that advance together, as a Gymnasium vector environment."""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any

import numpy as np
from gymnasium import logger, spaces
from gymnasium.error import ResetNeeded
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space

from pomdp_envs.actions import checked_actions, without_ignored
from pomdp_envs.dynamics import Dynamics, Observation, checked_count
from pomdp_envs.observations import put, scatter, take
from pomdp_envs.random import MOST_DRAWS, episode_keys, numbers_at
from pomdp_envs.resets import column_seeds, reset_mask

State = dict[str, np.ndarray]
StepResult = tuple[Observation, np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]


class BatchedEnv(VectorEnv[Any, np.ndarray, np.ndarray]):
    """Run one `Dynamics` in B columns.

    Column i draws from (its seed, its episode number, the step), so it is the same alone and in any batch.

    Autoreset modes: SAME_STEP (the default) returns the next episode's first observation at once and the last one in
    `infos["final_obs"]`; NEXT_STEP spends the following step on the reset (its action is ignored, its reward is 0);
    DISABLED waits for `reset(options={"reset_mask": mask})`. `infos` is empty where nothing happened.

    At the time limit `truncated` is set even where the world also ended, as Gymnasium's TimeLimit does (unless the
    dynamics say otherwise).

    Args:
        dynamics: The world.
        num_envs: B.
        autoreset_mode: See above.
        render_mode: None, "ansi", or "rgb_array" where the world draws pictures.
        max_episode_steps: Truncates episodes that have lasted so long, besides the world's own time limit.

    Raises:
        ValueError: `num_envs` or `max_episode_steps` is no integer or below 1, an unknown autoreset or render mode, or a
            world that needs more random numbers than a step has.
    """

    def __init__(
        self,
        dynamics: Dynamics,
        num_envs: int = 1,
        autoreset_mode: AutoresetMode | str = AutoresetMode.SAME_STEP,
        render_mode: str | None = None,
        max_episode_steps: int | None = None,
    ) -> None:
        _check_draws(dynamics)
        self.dynamics = dynamics
        self.num_envs = num_envs = checked_count("num_envs", num_envs)
        self._most_steps = None if max_episode_steps is None else checked_count("max_episode_steps", max_episode_steps)
        self.autoreset_mode = AutoresetMode(autoreset_mode)
        self.metadata = {
            "render_modes": ["ansi", "rgb_array"] if dynamics.draws_pictures else ["ansi"],
            "render_fps": dynamics.frames_per_second,
            "autoreset_mode": self.autoreset_mode,
        }
        if render_mode not in (None, *self.metadata["render_modes"]):
            raise ValueError(f"{self.name} renders as {self.metadata['render_modes']}, not {render_mode!r}")
        self.render_mode = render_mode
        self.single_observation_space = _own_copy(dynamics.observation_space)
        self.single_action_space = _own_copy(dynamics.action_space)
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self._state = dynamics.initial(np.zeros((dynamics.initial_draws, num_envs)))  # a place holder: [S, B]
        self._seed = np.full(num_envs, -1, dtype=np.int64)  # -1: never had one
        self._episode = np.full(num_envs, -1, dtype=np.int64)
        self._key = np.zeros(num_envs, dtype=np.uint64)  # of the episode's random numbers
        self._step = np.zeros(num_envs, dtype=np.int64)
        self._ended = np.zeros(num_envs, dtype=bool)
        self._no_numbers = np.empty((0, num_envs))
        self._ready = False  # becomes True at the first reset

    @property
    def name(self) -> str:
        """The id where there is one, otherwise the class of the dynamics."""
        return type(self.dynamics).__name__ if self.spec is None else self.spec.id

    def reset(
        self,
        *,
        seed: int | Sequence[int | None] | None = None,  # pyright: ignore[reportIncompatibleMethodOverride]
        options: Mapping[str, Any] | None = None,
    ) -> tuple[Observation, dict[str, Any]]:
        """Start episodes.

        Args:
            seed: an int s gives column i the seed s + i; a list gives one each. A column that gets a seed starts at
                episode 0; without one it goes on to its next episode (with a seed from the operating system if it
                never had any).
            options: `{"reset_mask": bool [B]}` starts only the marked columns.

        Returns:
            Observations of all columns [B, ...] and an empty dict.

        Raises:
            ValueError: a wrong number of seeds, a negative seed, or a reset mask that does not fit.
        """
        seeds = column_seeds(seed, self.num_envs)
        mask = reset_mask(options, self.num_envs)
        if not self._ready and not mask.all():
            raise ResetNeeded("reset all columns once before resetting some of them")
        reseeded = mask & (seeds >= 0)
        self._seed[reseeded] = seeds[reseeded]
        self._episode[reseeded] = -1
        unseeded = mask & (self._seed < 0)
        if unseeded.any():
            self._seed[unseeded] = self.np_random.integers(2**62, size=self.num_envs)[unseeded]
        self._begin_episodes(np.flatnonzero(mask))
        self._ready = True
        return self.dynamics.observe(self._state), {}

    def step(self, actions: np.ndarray) -> StepResult:
        """Advance every column by one step.

        Args:
            actions: [B] for Discrete, [B, ...] for MultiDiscrete and Box.

        Returns:
            Observations [B, ...], rewards float64 [B], terminated [B], truncated [B], infos.

        Raises:
            ResetNeeded: before the first reset; or in DISABLED mode with a column that has ended.
            ValueError: an action outside the action space.
        """
        if not self._ready:
            raise ResetNeeded("call reset() before step()")
        if self.autoreset_mode is AutoresetMode.NEXT_STEP and self._ended.any():
            actions = without_ignored(actions, self._ended)
        actions = checked_actions(self.dynamics.action_space, actions, self.num_envs, self.name)
        if self.autoreset_mode is AutoresetMode.NEXT_STEP:
            return self._step_then_reset_later(actions)
        if self.autoreset_mode is AutoresetMode.DISABLED:
            return self._step_without_reset(actions)
        return self._step_and_reset(actions)

    def _advance(self, actions: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Apply the transition to all columns; return rewards, terminated, truncated and ended, each [B]."""
        self._step += 1
        numbers = self._no_numbers
        if self.dynamics.transition_draws:
            numbers = numbers_at(self._key, self._step, self.dynamics.transition_draws)
        self._state, rewards, terminated = self.dynamics.transition(self._state, actions, numbers)
        truncated = self.dynamics.truncated(self._step, terminated)
        if self._most_steps is not None:
            truncated = truncated | (self._step >= self._most_steps)
        return rewards, terminated, truncated, terminated | truncated

    def _step_and_reset(self, actions: np.ndarray) -> StepResult:
        rewards, terminated, truncated, ended = self._advance(actions)
        observations = self.dynamics.observe(self._state)
        if not ended.any():
            return observations, rewards, terminated, truncated, {}
        columns = np.flatnonzero(ended)
        final_observations = take(observations, columns)
        self._begin_episodes(columns)
        put(observations, columns, self.dynamics.observe(self._state.take(columns, axis=1)))  # keeps rows contiguous
        return observations, rewards, terminated, truncated, self._final_infos(columns, final_observations, ended)

    def _step_then_reset_later(self, actions: np.ndarray) -> StepResult:
        columns = np.flatnonzero(self._ended)
        if len(columns):
            self._begin_episodes(columns)
            first = self._state.take(columns, axis=1)  # [S, n]; the dynamics never step a state that is over
        rewards, terminated, truncated, ended = self._advance(actions)
        if len(columns):
            self._state[:, columns] = first
            self._step[columns] = 0
            rewards[columns] = 0.0
            terminated[columns] = truncated[columns] = ended[columns] = False
        self._ended = ended
        return self.dynamics.observe(self._state), rewards, terminated, truncated, {}

    def _step_without_reset(self, actions: np.ndarray) -> StepResult:
        if self._ended.any():
            columns = np.flatnonzero(self._ended).tolist()
            raise ResetNeeded(f"the episodes in columns {columns} are over: reset them (options={{'reset_mask': ...}})")
        rewards, terminated, truncated, self._ended = self._advance(actions)
        return self.dynamics.observe(self._state), rewards, terminated, truncated, {}

    def _begin_episodes(self, columns: np.ndarray) -> None:
        """Move the columns [n] to the start of their next episode."""
        self._episode[columns] += 1
        self._step[columns] = 0
        self._ended[columns] = False
        keys = self._key[columns] = episode_keys(self._seed[columns], self._episode[columns])
        numbers = numbers_at(keys, self._step[columns], self.dynamics.initial_draws)
        self._state[:, columns] = self.dynamics.initial(numbers)

    def _final_infos(self, columns: np.ndarray, final_observations: Observation, ended: np.ndarray) -> dict[str, Any]:
        """Lay out the last observations as SyncVectorEnv does: object arrays [B] with masks."""
        final_obs = scatter(final_observations, columns, self.num_envs)
        return {"final_obs": final_obs, "_final_obs": ended, "final_info": {}, "_final_info": ended.copy()}

    def render(self) -> tuple[Any, ...] | None:
        """Draw the hidden state of every column in the render mode: a str, or uint8 [height, width, 3] each."""
        if self.render_mode is None:
            logger.warn(f"{self.name} was made without a render_mode: choose one of {self.metadata['render_modes']}.")
            return None
        draw = self.dynamics.text if self.render_mode == "ansi" else self.dynamics.picture
        return tuple(draw(column) for column in self.hidden_state())

    def hidden_state(self) -> np.ndarray:
        """Return the Markov state of every column [B, S], a copy; the dynamics' docstring names its entries.

        Raises:
            ResetNeeded: before the first reset.
        """
        return self.get_state()["hidden"]

    def get_state(self) -> State:
        """Return everything that the future depends on, as copies.

        Returns:
            `hidden` [B, S], `seed`, `episode`, `step` (int64 [B]) and `ended` (bool [B]: waits for a reset). Every
            array leads with B, so a column can be cut out and continued alone.

        Raises:
            ResetNeeded: before the first reset.
        """
        if not self._ready:
            raise ResetNeeded("there is no state before the first reset()")
        return {
            "hidden": self._state.T.copy(),  # [B, S]
            "seed": self._seed.copy(),
            "episode": self._episode.copy(),
            "step": self._step.copy(),
            "ended": self._ended.copy(),
        }

    def set_state(self, state: Mapping[str, np.ndarray]) -> None:
        """Continue exactly from what `get_state` returned, here or in another environment of the same kind.

        Raises:
            ValueError: missing or unknown keys, a shape that does not fit, or columns that wait for a reset although this
                environment resets in the same step.
        """
        expected = {"hidden": self._state.T.shape} | dict.fromkeys(
            ("seed", "episode", "step", "ended"), (self.num_envs,)
        )
        if set(state) != set(expected):
            raise ValueError(f"the state needs the keys {sorted(expected)}, got {sorted(state)}")
        for key, shape in expected.items():
            if np.shape(state[key]) != shape:
                raise ValueError(f"state[{key!r}] has shape {np.shape(state[key])}, expected {shape}")
        self._refuse_waiting(np.asarray(state["ended"], dtype=bool))
        self._state = np.array(np.asarray(state["hidden"]).T, dtype=self._state.dtype, order="C")  # [S, B]
        self._seed = np.array(state["seed"], dtype=np.int64)
        self._episode = np.array(state["episode"], dtype=np.int64)
        self._key = episode_keys(self._seed, self._episode)
        self._step = np.array(state["step"], dtype=np.int64)
        self._ended = np.array(state["ended"], dtype=bool)
        self._ready = True

    def _refuse_waiting(self, ended: np.ndarray) -> None:
        """Raise ValueError where columns [B] wait for a reset that would never come."""
        if self.autoreset_mode is AutoresetMode.SAME_STEP and ended.any():
            raise ValueError(
                f"columns {np.flatnonzero(ended).tolist()} of this state wait for a reset, which never comes here: "
                "autoreset mode SAME_STEP resets at once. Put the state into an environment with the autoreset mode that it "
                "is from, or reset these columns there before you take it"
            )


def _own_copy(space: spaces.Space) -> spaces.Space:
    """Return a copy with random numbers of its own: what one user samples or seeds must not change another's."""
    copied = deepcopy(space)
    copied.seed()
    return copied


def _check_draws(dynamics: Dynamics) -> None:
    draws = max(dynamics.initial_draws, dynamics.transition_draws)
    if draws >= MOST_DRAWS:
        raise ValueError(
            f"{type(dynamics).__name__} of this size needs {draws} random numbers a step; there are fewer than "
            f"{MOST_DRAWS}: make it smaller"
        )
