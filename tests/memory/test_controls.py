import pytest
import torch

from recurrent_rl.memory import FrameWindow, NoMemory


def test_no_memory_is_the_identity_and_has_no_state():
    memory = NoMemory().build(3)
    inputs = torch.randn(4, 2, 3)
    outputs, state = memory(inputs, memory.initial_state(2), torch.zeros(4, 2, dtype=torch.bool))
    assert torch.equal(outputs, inputs)
    assert state == ()
    assert memory.output_size == 3


def test_frame_window_holds_the_last_inputs_of_its_own_episode():
    memory = FrameWindow(length=3).build(1)
    inputs = torch.arange(1.0, 7.0).view(6, 1, 1)
    starts = torch.zeros(6, 1, dtype=torch.bool)
    starts[3] = True
    outputs, _ = memory(inputs, memory.initial_state(1), starts)
    assert outputs[:, 0].tolist() == [[0, 0, 1], [0, 1, 2], [1, 2, 3], [0, 0, 4], [0, 4, 5], [4, 5, 6]]


def test_a_window_of_length_zero_is_refused():
    with pytest.raises(ValueError, match="at least 1"):
        FrameWindow(0)
