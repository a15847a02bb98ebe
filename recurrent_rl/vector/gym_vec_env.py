"""A gymnasium VectorEnv as an SB3 VecEnv, in each of the three autoreset modes, with monitor statistics.

    mode        row of the last action      next row
    SAME_STEP   done, obs = reset obs       the new episode
    DISABLED    done, obs = reset obs       the new episode (this adapter resets the ended columns by reset_mask)
    NEXT_STEP   obs = final obs, ENDED      FILLER, done, obs = reset obs; then the new episode

In the third, `dones` is true on the filler row, so that `episode_start=dones` begins memory on the right observation.
"""

import time
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from gymnasium import spaces
from gymnasium.vector import AsyncVectorEnv, AutoresetMode, SyncVectorEnv, VectorEnv
from stable_baselines3.common.vec_env import VecEnv

from recurrent_rl.vector.keys import ENDED, FILLER
from recurrent_rl.vector.probe import check_reset_mask, check_untouched
from recurrent_rl.vector.tuples import space_without_tuples, without_tuples

Info = dict[str, Any]
HostObservation = np.ndarray | dict[str, np.ndarray]
_FINAL_KEYS = ("final_obs", "final_observation")
_PRIVATE_KEYS = {"final_obs", "final_observation", "final_info", "reset_mask"}


class GymVecEnv(VecEnv):
    """Adapter over a gymnasium vector environment.

    Args:
        env: With one Box, Discrete, MultiDiscrete, MultiBinary or Dict observation per column. Tuples are turned into
            these (see `tuples`).

    Raises:
        ValueError: An unknown autoreset mode, or (mode DISABLED) an environment that ignores `reset_mask`.
    """

    def __init__(self, env: VectorEnv) -> None:
        self.env = env
        mode = env.metadata.get("autoreset_mode")
        if mode is None:
            raise ValueError(
                f"{env} does not say how it resets; set its metadata['autoreset_mode'] to a gymnasium.vector.AutoresetMode."
            )
        self.mode = mode if isinstance(mode, AutoresetMode) else AutoresetMode(mode)
        super().__init__(env.num_envs, space_without_tuples(env.single_observation_space), env.single_action_space)
        self.render_mode = env.render_mode
        self._empty: Info = {}
        self._probed = self.mode is not AutoresetMode.DISABLED
        self._pending: dict[int, Info] = {}  # next-step autoreset: columns whose next row is a filler, and their info
        self.returns = np.zeros(self.num_envs)
        self.lengths = np.zeros(self.num_envs, dtype=np.int64)
        self._started = time.time()
        self._actions: np.ndarray | None = None

    # ---------------------------------------------------------------- SB3's face

    def reset(self) -> HostObservation:
        """Begin an episode in every column; return observations [B, ...]."""
        if not self._probed:
            if check_reset_mask(self.env) and not any(self._seeds):
                self.seed()  # the probe left a fixed seed behind
            self._probed = True
        observation, infos = self.env.reset(
            seed=self._reset_seed(),  # type: ignore[arg-type]
            options=self._options[0] or None,
        )
        self.reset_infos = self._spread(infos)
        self._reset_seeds()
        self._reset_options()
        self._pending.clear()
        self.returns[:] = 0.0
        self.lengths[:] = 0
        return self._copy(observation)

    def step_async(self, actions: np.ndarray) -> None:
        """Keep the actions [B, ...] for `step_wait`."""
        self._actions = actions

    def step_wait(self) -> tuple[HostObservation, np.ndarray, np.ndarray, list[Info]]:
        """Step every column; return observations [B, ...], rewards float32 [B], dones bool [B] and infos."""
        assert self._actions is not None, "step_async comes first"
        observation, rewards, terminated, truncated, raw_infos = self.env.step(self._actions)
        observation = self._copy(observation)
        rewards = np.array(rewards, dtype=np.float64)
        ended = np.logical_or(terminated, truncated)
        infos = self._spread(raw_infos)
        fillers, self._pending = self._pending, {}
        self.returns += rewards
        self.lengths += 1
        dones = ended.astype(bool)
        for column, info in fillers.items():
            self.reset_infos[column] = infos[column]
            infos[column] = {**info, FILLER: True}
            rewards[column], self.returns[column], self.lengths[column] = 0.0, 0.0, 0
            dones[column] = True
        if ended.any():
            observation = self._end_episodes(observation, terminated, ended, dones, infos, raw_infos)
        return observation, rewards.astype(np.float32), dones, infos  # type: ignore[return-value]

    def close(self) -> None:
        """Close the environment."""
        self.env.close()

    def get_attr(self, attr_name: str, indices: Any = None) -> list[Any]:
        """Return an attribute of each column; of the vector environment where columns are not objects."""
        columns = list(self._get_indices(indices))
        sub_envs, workers = self._sub_envs(), self._workers()
        if sub_envs is not None:
            return [sub_envs[column].get_wrapper_attr(attr_name) for column in columns]
        if workers is not None:
            self._refuse_unknown(workers, attr_name)
            values = workers.call("get_wrapper_attr", attr_name)  # its own get_attr would call what is callable
            return [values[column] for column in columns]
        for layer in (self.env, self.env.unwrapped):
            if attr_name in dir(layer):
                return [getattr(layer, attr_name)] * len(columns)
        raise AttributeError(f"{self.env} has no attribute {attr_name!r}")

    def set_attr(self, attr_name: str, value: Any, indices: Any = None) -> None:
        """Set an attribute of each column (of the vector environment where columns are not objects).

        Raises:
            ValueError: Some columns only, where they are not objects.
        """
        columns = list(self._get_indices(indices))
        sub_envs, workers = self._sub_envs(), self._workers()
        if sub_envs is not None:
            for column in columns:
                sub_envs[column].set_wrapper_attr(attr_name, value)
        elif workers is not None:
            # A list of one value per column: gymnasium would spread a value that is itself a list over the columns.
            values = [value] * self.num_envs if self._are_all(columns) else self.get_attr(attr_name)
            for column in columns:
                values[column] = value
            workers.set_attr(attr_name, values)
        elif self._are_all(columns):
            setattr(self.env.unwrapped, attr_name, value)
        else:
            raise ValueError(
                f"{self.env} is natively batched: {attr_name!r} belongs to all its columns. Leave `indices` out."
            )

    def env_method(self, method_name: str, *method_args: Any, indices: Any = None, **method_kwargs: Any) -> list[Any]:
        """Call a method of each column; columns that are not objects have none.

        Raises:
            ValueError: Some columns only, where they are processes: those are called together.
        """
        columns = list(self._get_indices(indices))
        sub_envs, workers = self._sub_envs(), self._workers()
        if sub_envs is not None:
            methods = [sub_envs[column].get_wrapper_attr(method_name) for column in columns]
            return [method(*method_args, **method_kwargs) for method in methods]
        if workers is None:
            raise AttributeError(f"{self.env} is natively batched: its columns have no method {method_name!r}.")
        if not self._are_all(columns):
            raise ValueError(
                f"{self.env} calls methods in all its processes at once. Leave `indices` out, or use a SyncVectorEnv."
            )
        self._refuse_unknown(workers, method_name)
        workers.call_async(method_name, *method_args, **method_kwargs)  # `call` takes no argument named `name`
        results = workers.call_wait()
        return [results[column] for column in columns]

    def env_is_wrapped(self, wrapper_class: type, indices: Any = None) -> list[bool]:
        """Whether each column is wrapped; the statistics kept here count as SB3's Monitor."""
        from stable_baselines3.common.env_util import is_wrapped
        from stable_baselines3.common.monitor import Monitor

        columns = list(self._get_indices(indices))
        sub_envs = self._sub_envs()
        if wrapper_class is Monitor or sub_envs is None:
            return [wrapper_class is Monitor] * len(columns)
        return [is_wrapped(sub_envs[column], wrapper_class) for column in columns]

    def get_images(self) -> Sequence[np.ndarray | None]:
        """Return a picture of each column, where the environment renders."""
        pictures = self.env.render()
        return list(pictures) if isinstance(pictures, Iterable) else [None] * self.num_envs  # type: ignore[arg-type]

    # ---------------------------------------------------------------- episode ends

    def _end_episodes(
        self,
        observation: HostObservation,
        terminated: np.ndarray,
        ended: np.ndarray,
        dones: np.ndarray,
        infos: list[Info],
        raw_infos: dict[str, Any],
    ) -> HostObservation:
        elapsed = round(time.time() - self._started, 6)
        for column in np.flatnonzero(ended).tolist():
            info = self._end_info(infos, raw_infos, column)
            end_info = {
                **info,
                "terminal_observation": self._final(observation, raw_infos, column),
                "TimeLimit.truncated": not terminated[column],
                "episode": self._episode(column, elapsed),
            }
            if self.mode is AutoresetMode.NEXT_STEP:
                infos[column] = {ENDED: "terminated" if terminated[column] else "truncated"}
                self._pending[column] = end_info
                dones[column] = False
            else:
                infos[column] = end_info
        self.returns[ended] = 0.0
        self.lengths[ended] = 0
        if self.mode is AutoresetMode.DISABLED:
            return self._reset_ended(observation, ended.astype(bool))
        return observation

    def _final(self, observation: HostObservation, infos: dict[str, Any], column: int) -> Any:
        """Return the last observation of an ended column; where it stands depends on the mode."""
        if self.mode is not AutoresetMode.SAME_STEP:
            return _copy(_row(observation, column), self.observation_space)
        for key in _FINAL_KEYS:
            if key in infos:
                return self._copy(_row(infos[key], column))
        raise ValueError(
            "The vector environment resets in the same step but gives no infos['final_obs'], so truncated episodes cannot "
            "be valued. Make it report final_obs, or give it another autoreset mode."
        )

    def _reset_ended(self, before: HostObservation, ended: np.ndarray) -> HostObservation:
        observation, raw_infos = self.env.reset(options={"reset_mask": ended})
        observation = self._copy(observation)
        check_untouched(self.env, before, observation, ~ended)
        infos = self._spread(raw_infos)
        for column in np.flatnonzero(ended).tolist():
            self.reset_infos[column] = infos[column]
        return observation

    def _end_info(self, infos: list[Info], raw_infos: dict[str, Any], column: int) -> Info:
        """Return what the environment said on the last step; with same-step autoreset that stands apart."""
        if self.mode is not AutoresetMode.SAME_STEP:
            return infos[column]
        self.reset_infos[column] = infos[column]
        return self._final_info(raw_infos, column)

    def _episode(self, column: int, elapsed: float) -> Info:
        return {"r": round(float(self.returns[column]), 6), "l": int(self.lengths[column]), "t": elapsed}

    def _spread(self, infos: dict[str, Any]) -> list[Info]:
        """Return one dict per column from gymnasium's dict of arrays; columns without entries share one empty dict."""
        spread: list[Info] = [self._empty] * self.num_envs
        for key, values in infos.items():
            if key in _PRIVATE_KEYS or key.startswith("_"):
                continue
            present = infos.get(f"_{key}")
            if present is None or not isinstance(values, np.ndarray | dict):
                continue
            for column in np.flatnonzero(present).tolist():
                if spread[column] is self._empty:
                    spread[column] = {}
                spread[column][key] = _row(values, column)
        return spread

    def _final_info(self, raw_infos: dict[str, Any], column: int) -> Info:
        """Return what the environment itself said on the last step (same-step autoreset keeps it apart)."""
        final = raw_infos.get("final_info")
        if not isinstance(final, dict):
            return {}
        return {
            key: _row(values, column)
            for key, values in final.items()
            if not key.startswith("_") and f"_{key}" in final and final[f"_{key}"][column]
        }

    def _reset_seed(self) -> int | list[int] | None:
        """Return what SB3's `seed` left for this reset; consecutive seeds are gymnasium's single number."""
        seeds = [int(seed) for seed in self._seeds if seed is not None]
        if len(seeds) < self.num_envs:
            return None
        consecutive = seeds == list(range(seeds[0], seeds[0] + self.num_envs))
        return seeds[0] if consecutive else seeds

    def _copy(self, observation: Any) -> Any:
        """Copy what the environment gave, a batch or one column, without Tuples."""
        return _copy(without_tuples(self.env.single_observation_space, observation), self.observation_space)

    def _sub_envs(self) -> Any:
        base = self.env.unwrapped
        return base.envs if isinstance(base, SyncVectorEnv) else None

    def _workers(self) -> AsyncVectorEnv | None:
        base = self.env.unwrapped
        return base if isinstance(base, AsyncVectorEnv) else None

    def _refuse_unknown(self, workers: AsyncVectorEnv, name: str) -> None:
        """Raise AttributeError here: in a worker it would end the process."""
        if not all(workers.call("has_wrapper_attr", name)):
            raise AttributeError(f"{self.env} has a column without an attribute {name!r}")

    def _are_all(self, columns: list[int]) -> bool:
        everyone = range(self.num_envs)
        return {everyone[column] for column in columns} == set(everyone)


def _row(values: Any, column: int) -> Any:
    if isinstance(values, dict):
        return {key: _row(value, column) for key, value in values.items() if not key.startswith("_")}
    row = values[column]
    return row.copy() if isinstance(row, np.ndarray) else row


def _copy(observation: Any, space: spaces.Space) -> Any:
    """Return a copy of the space's dtype, of a batch or of one column.

    Environments may write into the same arrays at their next step, and some begin with integer zeros where floats follow.
    """
    if isinstance(space, spaces.Dict):
        return {key: _copy(observation[key], part) for key, part in space.items()}
    return np.array(observation, dtype=space.dtype)
