"""Does a vector environment without autoreset honour `reset_mask`? Some ignore it and reset every column."""

import copy

import numpy as np
from gymnasium.vector import VectorEnv


def check_reset_mask(env: VectorEnv) -> bool:
    """Step once, reset one column by mask, and raise ValueError where others were touched.

    A copy is probed where the environment can be copied, so that its random stream stays as it is. An environment whose
    observations do not change in one step cannot be told from a good one here.

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


def _probe(env: VectorEnv) -> None:
    env.reset(seed=0)
    actions = np.stack([env.single_action_space.sample() for _ in range(env.num_envs)])
    before = _flat(env.step(actions)[0])
    mask = np.zeros(env.num_envs, dtype=bool)
    mask[0] = True
    try:
        after = _flat(env.reset(options={"reset_mask": mask})[0])
    except Exception as error:
        raise ValueError(_advice(env, f"a reset by mask fails ({error})")) from error
    if not np.array_equal(before[1:], after[1:], equal_nan=True):
        raise ValueError(_advice(env, "a reset of column 0 changes other columns"))


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
