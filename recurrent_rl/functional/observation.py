"""An observation is a tensor or a flat dict of tensors; this treats both alike."""

from collections.abc import Callable

import numpy as np
from torch import Tensor

Observation = Tensor | dict[str, Tensor]
HostObservation = np.ndarray | dict[str, np.ndarray]


def map_observation(function: Callable[[Tensor], Tensor], observation: Observation) -> Observation:
    """Apply `function` to the tensor, or to each tensor of the dict."""
    if isinstance(observation, dict):
        return {key: function(value) for key, value in observation.items()}
    return function(observation)
