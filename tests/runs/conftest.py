"""Small environments with observations of all kinds, and one that gives NaN, registered as Runs<Name>-v0."""

from typing import ClassVar

import gymnasium as gym
import numpy as np
import pytest
from gymnasium import spaces

IMAGE = spaces.Box(0, 255, (36, 36, 3), np.uint8)
VECTOR = spaces.Box(-1.0, 1.0, (2,))


class Drawn(gym.Env):
    """Episodes of 9 steps; observations are drawn from the space."""

    observation_space: spaces.Space = VECTOR
    action_space = spaces.Discrete(2)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        if seed is not None:
            self.observation_space.seed(seed)
        self.steps = 0
        return self.observation_space.sample(), {}

    def step(self, action):
        self.steps += 1
        return self.observation_space.sample(), float(action), False, self.steps == 9, {}


class Image(Drawn):
    observation_space = IMAGE


class Discrete(Drawn):
    observation_space = spaces.Discrete(4)


class MultiBinary(Drawn):
    observation_space = spaces.MultiBinary(4)


class Mixed(Drawn):
    observation_space = spaces.Dict({"image": IMAGE, "number": VECTOR, "name": spaces.Discrete(3)})


class Names(Drawn):
    observation_space = spaces.Dict({"a": spaces.Discrete(3), "b": spaces.MultiBinary(2)})


class Breaks(gym.Env):
    """Gives NaN at its 100th step as long as `broken`; its state can be saved."""

    broken: ClassVar[bool] = False
    observation_space = VECTOR
    action_space = spaces.Discrete(2)

    def __init__(self):
        self.total = 0

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        return self._observation(), {}

    def step(self, action):
        self.total += 1
        return self._observation(), float(action), False, self.total % 9 == 0, {}

    def _observation(self):
        bad = self.broken and self.total == 100
        return np.array([np.nan if bad else np.sin(self.total), np.cos(self.total)], dtype=np.float32)

    def get_state(self):
        return {"total": self.total}

    def set_state(self, state):
        self.total = state["total"]


for _kind in (Drawn, Image, Discrete, MultiBinary, Mixed, Names, Breaks):
    gym.register(f"Runs{_kind.__name__}-v0", entry_point=_kind)


@pytest.fixture
def breaking(monkeypatch):
    """The class behind RunsBreaks-v0, broken."""
    monkeypatch.setattr(Breaks, "broken", True)
    return Breaks
