"""What a learner of tasks sees (RL^2): the world's observation, its last action and reward, and whether an episode ended."""

import numpy as np
from gymnasium import spaces

from pomdp_envs.wrappers.encoding import Observation, action_width, encode_actions, joint_space


def flat_space(space: spaces.Space) -> spaces.Box:
    """Return the space of `encode_observations`, float32 [O].

    Raises:
        ValueError: an observation space other than Box, Discrete, MultiDiscrete, MultiBinary, or a Tuple of those.
    """
    parts = space.spaces if isinstance(space, spaces.Tuple) else (space,)
    bounds = [_bounds(part) for part in parts]
    low, high = (np.concatenate(side) for side in zip(*bounds, strict=True))
    return spaces.Box(low.astype(np.float32), high.astype(np.float32), dtype=np.float32)


def _bounds(space: spaces.Space) -> tuple[np.ndarray, np.ndarray]:
    if isinstance(space, spaces.Box):
        return space.low.ravel(), space.high.ravel()
    if not isinstance(space, spaces.Discrete | spaces.MultiDiscrete | spaces.MultiBinary):
        raise ValueError(
            "the observations of a trial's episodes must be Box, Discrete, MultiDiscrete, MultiBinary or a Tuple of "
            f"those, not {space}; put FlattenObservation inside"
        )
    width = action_width(space)
    return np.zeros(width), np.ones(width)


def encode_observations(space: spaces.Space, observations: Observation) -> np.ndarray:
    """Lay out observations [B, ...] flat: one-hots for choices, the bits or numbers themselves otherwise.

    Returns:
        float32 [B, O].
    """
    if isinstance(space, spaces.Tuple):
        encoded = [encode_actions(*part) for part in zip(space.spaces, observations, strict=True)]
        return np.concatenate(encoded, axis=1)  # [B, O]
    return encode_actions(space, observations)


def trial_space(observation: spaces.Space, action: spaces.Space) -> spaces.Box:
    """Return the space of one row of `trial_observations`: [observation O, action A, reward 1, ended 1].

    Raises:
        ValueError: an observation or action space of another kind.
    """
    joint = joint_space(flat_space(observation), action)
    assert isinstance(joint, spaces.Box)
    return spaces.Box(np.append(joint.low, np.float32(0)), np.append(joint.high, np.float32(1)), dtype=np.float32)


def trial_observations(
    observations: np.ndarray, actions: np.ndarray, rewards: np.ndarray, ended: np.ndarray
) -> np.ndarray:
    """Put side by side what was encoded.

    Args:
        observations: [B, O].
        actions: the last action [B, A]; zero at the start of a trial.
        rewards: what it earned, [B]; zero at the start of a trial.
        ended: whether it ended an episode, [B]; zero at the start of a trial.

    Returns:
        float32 [B, O + A + 2].
    """
    parts = [observations, actions, rewards[:, None], ended[:, None]]
    return np.concatenate(parts, axis=1, dtype=np.float32)
