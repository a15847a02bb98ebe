import json

import numpy as np
import pytest
import torch
from gymnasium import spaces
from stable_baselines3.common.utils import LinearSchedule

from recurrent_rl.checkpoint import Untrusted, decode, encode, tabulate
from recurrent_rl.memory import GRU, LSTM, NoMemory

VALUES = [
    None,
    [1, 2.5, "x", True, float("inf")],
    (1, (2, "y")),
    {"a": {"b": (1,)}},
    {1: "int key", "$tuple": "a key like a tag"},
    np.arange(6, dtype=np.uint8).reshape(2, 3),
    np.float32(1.5),
    GRU(hidden_size=3),
    LSTM(forget_bias=None, num_layers=2),
    NoMemory(),
    torch.nn.ReLU,
    torch.optim.Adam,
    tabulate(lambda progress: progress**2),
    spaces.Box(-1, 2, (3,)),
    spaces.Box(np.array([0.0, -np.inf]), np.array([1.0, np.inf])),
    spaces.Box(0, 255, (4, 4, 1), np.uint8),
    spaces.Discrete(3, start=1),
    spaces.MultiDiscrete([2, 3]),
    spaces.MultiBinary(4),
    spaces.MultiBinary([2, 2]),
    spaces.Dict({"z": spaces.Discrete(2), "a": spaces.Box(0, 1, (1,))}),
]


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_a_value_survives_json(value):
    found = decode(json.loads(json.dumps(encode(value))), trust=False)
    assert type(found) is type(value)
    if isinstance(value, np.ndarray):
        assert np.array_equal(found, value)
        assert found.dtype == value.dtype
    else:
        assert found == value
    assert "$pickle" not in json.dumps(encode(value))


def test_a_schedule_survives():
    schedule = decode(encode(LinearSchedule(1.0, 0.5, 0.5)), trust=False)
    assert [schedule(progress) for progress in (1.0, 0.8, 0.0)] == pytest.approx([1.0, 0.8, 0.5])


@pytest.mark.parametrize("path", ["os:system", "subprocess:Popen", "torch.nn.modules.module:os.system", "torch.nnn:X"])
def test_what_is_not_an_allowed_class_is_not_given(path):
    try:
        found = decode({"$class": path}, trust=False)
    except (AttributeError, ImportError):
        return
    assert isinstance(found, Untrusted)


def test_code_needs_trust():
    encoded = encode(lambda: 3)
    assert isinstance(decode(encoded, trust=False), Untrusted)
    assert decode(encoded, trust=True)() == 3
