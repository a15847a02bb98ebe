"""The observation space before `PreviousActionReward` added to it."""

import numpy as np
from gymnasium import spaces

ADDED = ("previous_action", "previous_reward")


def without_past(observation: spaces.Space, action: spaces.Space) -> spaces.Space:
    """Return what an environment shows before the previous action and reward are added.

    Raises:
        ValueError: The policy's observation space holds no such past.
    """
    width = _width(action)
    if isinstance(observation, spaces.Dict) and set(ADDED) <= observation.spaces.keys():
        left = {name: part for name, part in observation.spaces.items() if name not in ADDED}
        return left["observation"] if left.keys() == {"observation"} else spaces.Dict(left)
    if isinstance(observation, spaces.Box) and len(observation.shape) == 1 and observation.shape[0] > width + 1:
        size = observation.shape[0] - width - 1
        return spaces.Box(observation.low[:size], observation.high[:size], dtype=np.float32)
    raise ValueError(
        f"past=True is for a policy that was trained under PreviousActionReward; {observation} has no room for an action of "
        f"{width} numbers and a reward. Leave it out."
    )


def _width(action: spaces.Space) -> int:
    if isinstance(action, spaces.Discrete):
        return int(action.n)
    if isinstance(action, spaces.MultiDiscrete):
        return int(action.nvec.sum())
    return int(np.prod(action.shape))  # type: ignore[arg-type]
