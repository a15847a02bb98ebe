"""The one face through which the collector reads any SB3 VecEnv."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from stable_baselines3.common.vec_env import VecEnv, unwrap_vec_normalize

from recurrent_rl.vector.keys import ENDED, FILLER

HostObservation = np.ndarray | dict[str, np.ndarray]


@dataclass(frozen=True, slots=True, kw_only=True)
class Transition:
    """One step of B columns.

    Args:
        observation: To act on next [B, ...].
        reward: float32 [B], 0 on filler rows.
        terminated: bool [B], the world ended.
        truncated: bool [B], a clock cut the episode (and the world did not end).
        valid: bool [B], False on the filler rows of a next-step autoreset.
        starts: bool [B], `observation` is an episode's first.
        final_observation: Of the truncated columns [n, ...], or None where n is 0.
        final_columns: The truncated columns [n], ascending.
        dones: SB3's, for callbacks.
        infos: SB3's, for callbacks.
    """

    observation: HostObservation
    reward: np.ndarray
    terminated: np.ndarray
    truncated: np.ndarray
    valid: np.ndarray
    starts: np.ndarray
    final_observation: HostObservation | None
    final_columns: np.ndarray
    dones: np.ndarray
    infos: list[dict[str, Any]]


def read_step(vec_env: VecEnv, actions: np.ndarray) -> Transition:
    """Step the environment and read terminations, truncations and filler rows from dones and infos.

    Args:
        vec_env: With any SB3 wrappers on top.
        actions: [B, ...].
    """
    observation, rewards, dones, infos = vec_env.step(actions)
    dones = np.asarray(dones, dtype=bool)
    reward = np.array(rewards, dtype=np.float32)
    valid, truncated, terminated = np.ones(len(dones), dtype=bool), np.zeros(len(dones), dtype=bool), dones.copy()
    finals: list[tuple[int, Any]] = []
    for column, info in enumerate(infos):
        if not info:
            continue
        if info.get(FILLER, False):
            valid[column] = terminated[column] = False
            reward[column] = 0.0
        elif ENDED in info:
            truncated[column] = info[ENDED] == "truncated"
            terminated[column] = not truncated[column]
            if truncated[column]:
                finals.append((column, _row(observation, column)))
        elif dones[column] and info.get("TimeLimit.truncated", False) and "terminal_observation" in info:
            truncated[column], terminated[column] = True, False
            finals.append((column, info["terminal_observation"]))
    return Transition(
        observation=observation,  # type: ignore[arg-type]
        reward=reward,
        terminated=terminated,
        truncated=truncated,
        valid=valid,
        starts=dones,
        final_observation=stack([final for _, final in finals]),
        final_columns=np.array([column for column, _ in finals], dtype=np.int64),
        dones=dones,
        infos=infos,
    )


def find_non_finite_step(vec_env: VecEnv, transition: Transition | None) -> tuple[int, str] | None:
    """Return the first column whose raw observation, reward or final observation is NaN or infinite, and which; or None.

    Raw means below a normaliser, whose statistics would carry one column's NaN into all others.

    Args:
        vec_env: That was just stepped, or just reset.
        transition: What the step gave; None after a reset, where only a normaliser's raw observation is looked at.
    """
    normaliser = unwrap_vec_normalize(vec_env)
    if normaliser is not None:
        reward = normaliser.old_reward if transition is not None else None
        found = find_non_finite(normaliser.old_obs, reward)
    else:
        found = None if transition is None else find_non_finite(transition.observation, transition.reward)
    if found is not None or transition is None:
        return found
    infos = transition.infos
    ended = [c for c in np.flatnonzero(transition.dones).tolist() if infos[c].get("terminal_observation") is not None]
    finals = stack([infos[column]["terminal_observation"] for column in ended])
    bad = None if finals is None else find_non_finite(finals, None)
    return None if bad is None else (ended[bad[0]], f"final {bad[1]}")


def find_non_finite(observation: HostObservation, reward: np.ndarray | None) -> tuple[int, str] | None:
    """Return the first column with a NaN or infinite entry and what it is in, or None.

    Args:
        observation: [B, ...] or a dict of such.
        reward: [B], or None where there is none yet.
    """
    named = observation.items() if isinstance(observation, dict) else [("", observation)]
    arrays = [(f"observation {key!r}" if key else "observation", array) for key, array in named]
    if reward is not None:
        arrays.append(("reward", reward))
    for name, array in arrays:
        if array.dtype.kind != "f":
            continue
        # One product per array is quick and warns of nothing; the exact look is taken on suspicion only (it may overflow).
        if math.isfinite(np.vdot(array, array)):
            continue
        bad = ~np.isfinite(array).reshape(len(array), -1).all(axis=1)
        if bad.any():
            return int(bad.argmax()), name
    return None


def stack(finals: list[Any]) -> HostObservation | None:
    """Return observations of single columns as one batch [n, ...], or None where there are none."""
    if not finals:
        return None
    if isinstance(finals[0], dict):
        return {key: np.array([final[key] for final in finals]) for key in finals[0]}
    return np.array(finals)


def _row(observation: Any, column: int) -> Any:
    if isinstance(observation, dict):
        return {key: value[column] for key, value in observation.items()}
    return observation[column]
