"""Policies to export: every memory, observation and action, with weights that make decisions."""

from collections.abc import Callable
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
import torch
from gymnasium import spaces

from recurrent_rl import memory as memories
from recurrent_rl.memory import GRU, LSTM, MemorySpec
from recurrent_rl.policies.recurrent import (
    RecurrentActorCriticCnnPolicy,
    RecurrentActorCriticPolicy,
    RecurrentMultiInputActorCriticPolicy,
)

FOUR = spaces.Box(-1, 1, (4,))
IMAGE = spaces.Box(0, 255, (3, 36, 36), np.uint8)
KINDS = [kind for kind in vars(memories).values() if isinstance(kind, type) and issubclass(kind, MemorySpec)]
MEMORIES = [kind() for kind in KINDS if kind is not MemorySpec]


def make(observation: spaces.Space = FOUR, action: spaces.Space | None = None, seed: int = 0, **kwargs: Any):
    """Return a policy whose decisions depend on what it remembers."""
    torch.manual_seed(seed)
    kind = RecurrentActorCriticPolicy
    if isinstance(observation, spaces.Dict):
        kind = RecurrentMultiInputActorCriticPolicy
    elif observation == IMAGE:
        kind = RecurrentActorCriticCnnPolicy
    kwargs = {"memory": GRU(hidden_size=8), "net_arch": [8], **kwargs}
    policy = kind(observation, action or spaces.Discrete(3), lambda _: 1e-3, **kwargs)
    with torch.no_grad():
        for weight in policy.action_net.parameters():
            weight.mul_(100.0)  # SB3's gain of 0.01 makes all actions alike
        for weight in policy.memory.parameters():
            if weight.dim() == 1:
                weight.add_(0.1 * torch.randn_like(weight))
    policy.set_training_mode(False)
    return policy


CASES: dict[str, Callable[[], RecurrentActorCriticPolicy]] = {
    "discrete observations": lambda: make(spaces.Discrete(5)),
    "choices in, choices out": lambda: make(spaces.MultiDiscrete([3, 4]), spaces.MultiDiscrete([2, 3, 4])),
    "bits": lambda: make(spaces.MultiBinary(4), spaces.MultiBinary(3)),
    "a matrix in, numbers out": lambda: make(
        spaces.Box(-np.inf, np.inf, (2, 3)), spaces.Box(-2, np.float32([1, 3]), (2,))
    ),
    "numbers of shape 2 x 2 out": lambda: make(FOUR, spaces.Box(-0.1, 0.1, (2, 2))),
    "squashed state-dependent exploration": lambda: make(
        FOUR, spaces.Box(-2, np.float32([1, 3]), (2,)), use_sde=True, squash_output=True
    ),
    "images": lambda: make(IMAGE),
    "a dict": lambda: make(spaces.Dict({"z": FOUR, "image": IMAGE, "a": spaces.Discrete(3)})),
    "float64 in": lambda: make(spaces.Box(-1, 1, (4,), np.float64)),
    "two layers, a critic of its own": lambda: make(memory=LSTM(hidden_size=6, num_layers=2), critic="separate"),
    "layer norm, learned start": lambda: make(memory=GRU(hidden_size=6, layer_norm=True, learned_initial_state=True)),
    "relu and no bias": lambda: make(memory=memories.RNN(hidden_size=6, bias=False), activation_fn=torch.nn.ReLU),
    "elu": lambda: make(activation_fn=torch.nn.ELU),
    "gelu": lambda: make(activation_fn=torch.nn.GELU),
    "silu": lambda: make(activation_fn=torch.nn.SiLU),
}


@pytest.fixture
def policy() -> RecurrentActorCriticPolicy:
    return make()


class Counting(gym.Env):
    """Shows how often it was stepped, and pays 1 for an action that is the same as the step's parity."""

    observation_space, action_space = FOUR, spaces.Discrete(2)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.steps = 0
        return self._seen(), {}

    def step(self, action):
        reward = float(action == self.steps % 2)
        self.steps += 1
        return self._seen(), reward, self.steps >= 7, False, {}

    def _seen(self) -> np.ndarray:
        return np.full(4, self.steps / 10, dtype=np.float32)
