"""Which entries of an observation are velocities, for the tasks that Gymnasium ships."""

from collections.abc import Mapping, Sequence

import gymnasium
from gymnasium.envs.registration import parse_env_id
from gymnasium.vector import SyncVectorEnv, VectorEnv

_BIPED = (1, 2, 3, 5, 7, 10, 12)
_LANDER = (2, 3, 5)

# By name and number of entries: the number tells versions and options apart (positions shown or not, contact forces).
# MuJoCo observations: positions, velocities (qvel), then what else there is. Humanoids show cvel too, the velocities
# of 14 (v4) or 13 (v5) bodies, six numbers each, after the inertias, ten each.
VELOCITIES: dict[str, Mapping[int, Sequence[int]]] = {
    "CartPole": {4: (1, 3)},
    "Pendulum": {3: (2,)},
    "MountainCar": {2: (1,)},
    "MountainCarContinuous": {2: (1,)},
    "Acrobot": {6: (4, 5)},
    "LunarLander": {8: _LANDER},
    "LunarLanderContinuous": {8: _LANDER},
    "BipedalWalker": {24: _BIPED},
    "BipedalWalkerHardcore": {24: _BIPED},
    "InvertedPendulum": {4: (2, 3)},
    "InvertedDoublePendulum": {9: (5, 6, 7), 11: (5, 6, 7)},
    "Reacher": {10: (6, 7), 11: (6, 7)},
    "Pusher": {23: range(7, 14)},
    "Swimmer": {8: range(3, 8), 10: range(5, 10)},
    "Hopper": {11: range(5, 11), 12: range(6, 12)},
    "HalfCheetah": {17: range(8, 17), 18: range(9, 18)},
    "Walker2d": {17: range(8, 17), 18: range(9, 18)},
    "Ant": {size: range(13, 27) for size in (27, 105, 111)} | {size: range(15, 29) for size in (29, 107, 113)},
    "Humanoid": {
        376: (*range(22, 45), *range(185, 269)),
        378: (*range(24, 47), *range(187, 271)),
        348: (*range(22, 45), *range(175, 253)),
        350: (*range(24, 47), *range(177, 255)),
    },
}
VELOCITIES["HumanoidStandup"] = VELOCITIES["Humanoid"]


def velocity_entries(task: str, size: int) -> tuple[int, ...]:
    """Return which entries are velocities in an observation of `size` numbers.

    Args:
        task: the name in Gymnasium's id, "Hopper" for "Hopper-v5".
        size: how many numbers an observation has.

    Raises:
        ValueError: a task or a size that the table does not have.
    """
    if task not in VELOCITIES:
        raise ValueError(
            f"the velocities of {task} are not known: give their indices. Known are {', '.join(VELOCITIES)}"
        )
    if size not in VELOCITIES[task]:
        raise ValueError(
            f"{task} is known with {' or '.join(map(str, VELOCITIES[task]))} numbers per observation, not {size}: give the "
            "indices of the velocities"
        )
    return tuple(VELOCITIES[task][size])


def task_of(env: gymnasium.Env | VectorEnv) -> str:
    """Return the name in the id that an environment was made by.

    Raises:
        ValueError: it was made without an id, or by one with a namespace, which is not Gymnasium's own; or a wrapper has
            changed the shape of its observations.
    """
    base = env.unwrapped
    if isinstance(base, SyncVectorEnv) and base.spec is None:
        base = base.envs[0].unwrapped
    if base.spec is None:
        raise ValueError(f"{env} was not made by an id: give the indices of the velocities (see velocity_entries)")
    shown, original = _shape(env), _shape(base)
    if shown != original:
        raise ValueError(
            f"a wrapper shows observations of shape {shown} where {base.spec.id} has {original}: give the indices of the "
            "velocities, or hide them below that wrapper"
        )
    namespace, name, _ = parse_env_id(base.spec.id)
    if namespace is not None:
        raise ValueError(f"{base.spec.id} is not one of Gymnasium's own tasks: give the indices of its velocities")
    return name


def _shape(env: gymnasium.Env | VectorEnv) -> tuple[int, ...] | None:
    """Return the shape of one observation."""
    return (env.single_observation_space if isinstance(env, VectorEnv) else env.observation_space).shape
