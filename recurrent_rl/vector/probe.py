"""Does a vector environment without autoreset honour `reset_mask`? Some ignore it and reset every column."""

import copy

import numpy as np
from gymnasium.vector import VectorEnv

STEPS = 8


def check_reset_mask(env: VectorEnv) -> bool:
    """Step until something changes, reset one column by mask, and raise ValueError where others were touched.

    A copy is probed where the environment can be copied, so that its random stream stays as it is. An environment whose
    observations do not change in a few steps cannot be told from a good one here; training looks again at every reset.

    Args:
        env: Autoreset mode DISABLED.

    Returns:
        Whether `env` itself was stepped, because it cannot be copied; it then needs a new seed.
    """
    if env.num_envs == 1:
        return False
    try:
        probed = copy.deepcopy(env)
    except Exception:  # processes, simulators, locks: whatever cannot be copied
        probed = env
    _probe(probed)
    return probed is env


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


def _probe(env: VectorEnv) -> None:
    first = _flat(env.reset(seed=0)[0])
    before: object = None
    for _ in range(STEPS):
        actions = np.stack([env.single_action_space.sample() for _ in range(env.num_envs)])
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
    parts = [observation[key] for key in sorted(observation)] if isinstance(observation, dict) else [observation]
    arrays = [np.array(part, dtype=np.float64) for part in parts]
    return np.concatenate([array.reshape(len(array), -1) for array in arrays], axis=1)  # [B, everything]
