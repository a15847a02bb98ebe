"""Compiled functions, which read memory by addresses alone, take no tensor that may have none."""

import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensorMode

from recurrent_rl.compiled.choice import why_not
from recurrent_rl.memory import LRU, S5, MinGRU, SelectiveSSM


@pytest.fixture(autouse=True)
def compiled(monkeypatch):
    monkeypatch.delenv("RECURRENT_RL_KERNELS", raising=False)


def test_tensors_and_parameters_are_taken_and_others_are_not():
    assert why_not(torch.zeros(3)) is None
    assert why_not(torch.nn.Parameter(torch.zeros(3))) is None
    with FakeTensorMode():
        assert "no memory of its own" in (why_not(torch.zeros(3)) or "")


@pytest.mark.parametrize("spec", [LRU(), MinGRU(), S5(), SelectiveSSM()], ids=repr)
def test_memories_run_on_fake_tensors(spec):
    starts = torch.zeros(5, 3, dtype=torch.bool)
    with FakeTensorMode(allow_non_fake_inputs=True):
        memory = spec.build(4)
        outputs, _ = memory(torch.zeros(5, 3, 4), memory.initial_state(3), starts)
    assert outputs.shape == (5, 3, memory.output_size)
