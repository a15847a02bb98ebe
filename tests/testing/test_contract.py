"""Each planted fault is caught, and by the invariant that it breaks."""

from dataclasses import dataclass

import pytest
import torch

from recurrent_rl.memory import GRU, Memory, MemorySpec
from recurrent_rl.testing import MemoryContractError, check_memory


class Faulty(Memory):
    """A correct accumulating memory, h' = tanh(W x + U h), whose subclasses each break one thing."""

    def __init__(self, input_size):
        super().__init__()
        self.input_size, self.output_size = input_size, 4
        self.enter = torch.nn.Linear(input_size, 4)
        self.recur = torch.nn.Linear(4, 4, bias=False)

    def initial_state(self, batch_size):
        return (self.recur.weight.new_zeros(batch_size, 4),)

    def reset(self, start, h):
        return torch.where(start, torch.zeros_like(h), h)

    def mix(self, x, h):
        return torch.tanh(self.enter(x) + self.recur(h))

    def forward(self, inputs, state, starts):
        (h,) = state
        flags, outputs = starts.to(inputs.device).unsqueeze(-1), []
        for t in range(len(inputs)):
            h = self.mix(inputs[t], self.reset(flags[t], h))
            outputs.append(h)
        return torch.stack(outputs), (h,)


class LeaksAtAReset(Faulty):
    def reset(self, start, h):
        return torch.where(start, 0.5 * h, h)


class GradientCrossesAReset(Faulty):
    def reset(self, start, h):
        return torch.where(start, h - h.detach(), h)


class MultipliesByStarts(Faulty):
    def reset(self, start, h):
        return h * ~start


class LooksAhead(Faulty):
    def forward(self, inputs, state, starts):
        outputs, state = super().forward(inputs, state, starts)
        ahead = torch.cat([self.enter(inputs[1:]), torch.zeros_like(outputs[:1])])
        return outputs + 0.0 * outputs.detach() + 1e-14 * ahead, state


class SharesAState(Faulty):
    def mix(self, x, h):
        return torch.tanh(self.enter(x) + self.recur(h.mean(0, keepdim=True)))


class GrowsItsState(Faulty):
    def initial_state(self, batch_size):
        return (self.recur.weight.new_zeros(batch_size, 0, 4),)

    def forward(self, inputs, state, starts):
        outputs = torch.tanh(self.enter(inputs))
        return outputs, (torch.cat([state[0], outputs.transpose(0, 1)], dim=1),)


class PutsLayersFirst(Faulty):
    def initial_state(self, batch_size):
        return (self.recur.weight.new_zeros(1, batch_size, 4),)

    def forward(self, inputs, state, starts):
        outputs, (h,) = super().forward(inputs, (state[0][0],), starts)
        return outputs, (h.unsqueeze(0),)


class RemembersBetweenCalls(Faulty):
    h = 0.0

    def forward(self, inputs, state, starts):
        outputs, state = super().forward(inputs, state, starts)
        outputs = outputs + 0.1 * self.h
        self.h = float(outputs.detach().sum()) if inputs.device.type != "meta" else 0.0
        return outputs, state


class ReadsTheDevice(Faulty):
    def mix(self, x, h):
        return super().mix(x, h) if x.sum().item() != 0.5 else x


class MakesAHostTensor(Faulty):
    def mix(self, x, h):
        return super().mix(x, h) + torch.zeros(4, device="cpu")


@dataclass(frozen=True)
class FaultySpec(MemorySpec):
    memory: type

    def build(self, input_size):
        return self.memory(input_size)


def test_the_memory_without_a_fault_passes():
    check_memory(FaultySpec(Faulty))


@pytest.mark.parametrize(
    ("fault", "invariant"),
    [
        (LeaksAtAReset, "invariant 3 (reset)"),
        (GradientCrossesAReset, "invariant 3 (reset)"),
        (MultipliesByStarts, "invariant 3 (reset)"),
        (LooksAhead, "invariant 4 (causality)"),
        (SharesAState, "invariant 5 (independent columns)"),
        (GrowsItsState, "invariant [67]"),
        (PutsLayersFirst, "invariant [56]"),
        (RemembersBetweenCalls, "invariant [18]"),
        (ReadsTheDevice, "invariant 9 (meta device)"),
        (MakesAHostTensor, "invariant 9 (meta device)"),
    ],
)
def test_a_planted_fault_is_caught_by_name(fault, invariant):
    pattern = invariant.replace("(", r"\(").replace(")", r"\)")
    with pytest.raises(MemoryContractError, match=pattern):
        check_memory(FaultySpec(fault))


def test_the_kit_leaves_the_global_generator_alone():
    torch.manual_seed(3)
    before = torch.get_rng_state()
    check_memory(GRU(hidden_size=3))
    assert torch.equal(before, torch.get_rng_state())
