"""Every memory of the library keeps the contract: step = sequence at random starts, and the eight others."""

import pytest

from recurrent_rl.memory import GRU, LSTM, RNN, FrameWindow, NoMemory
from recurrent_rl.testing import check_memory

MEMORIES = [
    NoMemory(),
    FrameWindow(1),
    FrameWindow(length=4),
    *[
        spec(hidden_size=5, **fields)
        for spec in (RNN, LSTM, GRU)
        for fields in (
            {},
            {"num_layers": 3, "dropout": 0.5},
            {"bias": False},
            {"learned_initial_state": True},
            {"layer_norm": True, "num_layers": 2, "learned_initial_state": True},
            {"recurrent_init": "uniform", "input_init": "uniform"},
            {"recurrent_init": "xavier", "input_init": "orthogonal"},
        )
    ],
    RNN(hidden_size=5, nonlinearity="relu", num_layers=2),
    LSTM(hidden_size=5, forget_bias=None),
]


@pytest.mark.parametrize("spec", MEMORIES, ids=repr)
def test_memory_keeps_the_contract(spec):
    check_memory(spec)
