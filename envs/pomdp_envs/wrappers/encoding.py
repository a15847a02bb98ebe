"""How an action and a reward become part of an observation: pure functions over Gymnasium spaces."""

from typing import Any, TypeGuard

import numpy as np
from gymnasium import spaces

Observation = Any
ACTION_KEY, REWARD_KEY = "previous_action", "previous_reward"


def action_width(space: spaces.Space) -> int:
    """Return how many numbers encode one action.

    Raises:
        ValueError: the space is not Discrete, MultiDiscrete, MultiBinary or Box.
    """
    if isinstance(space, spaces.Discrete | spaces.MultiDiscrete):
        return int(_choices(space).sum())
    if isinstance(space, spaces.MultiBinary | spaces.Box):
        return int(np.prod(space.shape))
    raise ValueError(f"actions must be Discrete, MultiDiscrete, MultiBinary or Box, not {space}")


def encode_actions(space: spaces.Space, actions: np.ndarray) -> np.ndarray:
    """Encode actions [B, ...]: one-hots for choices, bits themselves, numbers clipped to the Box as worlds clip them.

    Returns:
        float32 [B, action_width(space)]; a fresh array.
    """
    if isinstance(space, spaces.Box):
        actions = np.clip(actions, space.low, space.high)
    if not isinstance(space, spaces.Discrete | spaces.MultiDiscrete):
        return np.array(actions, dtype=np.float32).reshape(len(actions), -1)  # [B, A]
    choices = _choices(space)
    offsets = np.cumsum(choices) - choices - np.ravel(space.start)  # [K], where each part's one-hot begins
    encoded = np.zeros((len(actions), choices.sum()), dtype=np.float32)
    hot = actions.reshape(len(actions), -1).astype(np.int64) + offsets  # [B, K]
    encoded[np.arange(len(actions))[:, None], hot] = 1.0
    return encoded


def _choices(space: spaces.Discrete | spaces.MultiDiscrete) -> np.ndarray:
    """Return the number of choices of each part, int64 [K]."""
    return np.ravel(space.n if isinstance(space, spaces.Discrete) else space.nvec).astype(np.int64)


def joint_space(observation: spaces.Space, action: spaces.Space) -> spaces.Space:
    """Return the space of `join`: a flat Box for a one-dimensional Box, a Dict for any other observation.

    Raises:
        ValueError: an action space of another kind, or a Dict that has one of the new keys already.
    """
    low, high = _action_bounds(action)
    if not is_flat(observation):
        parts = dict(observation.spaces) if isinstance(observation, spaces.Dict) else {"observation": observation}
        taken = parts.keys() & {ACTION_KEY, REWARD_KEY}
        if taken:
            raise ValueError(
                f"the observation has the keys {sorted(taken)} already; rename them, or leave this wrapper out"
            )
        parts[ACTION_KEY] = spaces.Box(low, high, dtype=np.float32)
        parts[REWARD_KEY] = spaces.Box(-np.inf, np.inf, (1,), np.float32)
        return spaces.Dict(parts)
    return spaces.Box(
        np.concatenate([observation.low, low, [-np.inf]]).astype(np.float32),
        np.concatenate([observation.high, high, [np.inf]]).astype(np.float32),
        dtype=np.float32,
    )


def _action_bounds(space: spaces.Space) -> tuple[np.ndarray, np.ndarray]:
    """Return the bounds of an encoded action, [A] each; zero, which stands for "none yet", lies within."""
    if isinstance(space, spaces.Box):
        low, high = space.low.ravel(), space.high.ravel()
        return np.minimum(low, 0).astype(np.float32), np.maximum(high, 0).astype(np.float32)
    width = action_width(space)
    return np.zeros(width, dtype=np.float32), np.ones(width, dtype=np.float32)


def is_flat(observation: spaces.Space) -> TypeGuard[spaces.Box]:
    """Say whether the observation is a one-dimensional Box."""
    return isinstance(observation, spaces.Box) and len(observation.shape) == 1


def join(space: spaces.Space, observation: Observation, action: np.ndarray, reward: np.ndarray) -> Observation:
    """Append an encoded action [..., A] and a reward [...] to an observation of `space`, batched alike.

    Returns:
        float32 [..., O + A + 1] for a one-dimensional Box, otherwise a dict: a Dict's own keys (or "observation"),
        "previous_action" and "previous_reward"; fresh arrays but for those of `observation`.
    """
    rewards = reward[..., None].astype(np.float32)  # [..., 1]
    if not is_flat(space):
        parts = observation if isinstance(space, spaces.Dict) else {"observation": observation}
        return {**parts, ACTION_KEY: action.copy(), REWARD_KEY: rewards}
    return np.concatenate([observation, action, rewards], axis=-1, dtype=np.float32)
