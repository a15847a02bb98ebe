"""Does a vector environment without autoreset honour `reset_mask`? Some ignore it and reset every column."""

import copy
from typing import Any

import numpy as np
from gymnasium.vector import AsyncVectorEnv, SyncVectorEnv, VectorEnv

STEPS = 8
_HONOUR_MASKS = (SyncVectorEnv, AsyncVectorEnv)


def check_reset_mask(env: VectorEnv) -> bool:
    """Step until something changes, reset one column by mask, and raise ValueError where others were touched.

    The environment itself is probed: a copy may share processes and simulators with it. Gymnasium's own SyncVectorEnv
    and AsyncVectorEnv honour masks and are left alone. Where the environment gives its state (get_state, set_state) it
    is put back. An environment whose observations do not change in a few steps cannot be told from a good one here;
    training looks again at every reset.

    Args:
        env: Autoreset mode DISABLED.

    Returns:
        Whether the probe changed `env`, because it gives no state (or none before its first reset); it then needs a
        new seed.
    """
    # Exactly these: a subclass may reset in its own way.
    if env.num_envs == 1 or type(env.unwrapped) in _HONOUR_MASKS:
        return False
    state = _state(env)
    try:
        _probe(env)
    finally:
        if state is not None:
            env.set_state(state)  # type: ignore[attr-defined]
    return state is None


def check_untouched(env: VectorEnv, before: object, after: object, untouched: np.ndarray) -> None:
    """Raise ValueError where a reset by mask changed the observation of a column outside the mask.

    Args:
        env: For the message.
        before: Observations before the reset [B, ...].
        after: Observations that it returned [B, ...].
        untouched: bool [B], the columns that were not to be reset.
    """
    if not np.array_equal(_flat(before)[untouched], _flat(after)[untouched], equal_nan=True):
        raise ValueError(_advice(env, "a reset of some columns changes others"))


def _state(env: VectorEnv) -> Any:
    """Return a copy of the environment's state; None where it has none to give, or none before its first reset."""
    if not {"get_state", "set_state"} <= set(dir(type(env))):  # a wrapper does not answer for what it wraps
        return None
    try:
        return copy.deepcopy(env.get_state())  # type: ignore[attr-defined]
    except Exception:  # what it raises before the first reset is its own choice
        return None


def _probe(env: VectorEnv) -> None:
    first = _flat(env.reset(seed=0)[0])
    before: object = None
    space = copy.deepcopy(env.single_action_space)  # to sample the environment's own would move its random stream
    space.seed(0)
    for _ in range(STEPS):
        actions = np.stack([space.sample() for _ in range(env.num_envs)])
        before, _, terminated, truncated, _ = env.step(actions)
        if (_flat(before)[1:] != first[1:]).any() or np.logical_or(terminated, truncated).any():
            break
    before = copy.deepcopy(before)
    mask = np.zeros(env.num_envs, dtype=bool)
    mask[0] = True
    try:
        after = env.reset(options={"reset_mask": mask})[0]
    except Exception as error:
        raise ValueError(_advice(env, f"a reset by mask fails ({error})")) from error
    check_untouched(env, before, after, ~mask)


def _advice(env: VectorEnv, what: str) -> str:
    return (
        f"{env} has autoreset mode DISABLED but ignores options['reset_mask']: {what}. Use "
        "autoreset_mode=AutoresetMode.SAME_STEP, or make its reset honour the mask."
    )


def _flat(observation: object) -> np.ndarray:
    """Return [B, everything] as float64."""
    if isinstance(observation, dict | tuple):
        parts = observation if isinstance(observation, tuple) else [observation[key] for key in sorted(observation)]
        return np.concatenate([_flat(part) for part in parts], axis=1)
    array = np.array(observation, dtype=np.float64)
    return array.reshape(len(array), -1)  # [B, everything]
