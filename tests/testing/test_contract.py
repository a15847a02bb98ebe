"""Each planted fault is caught, and by the invariant that it breaks."""

import re
from dataclasses import dataclass

import pytest
import torch

from recurrent_rl.memory import GRU, RNN, Memory, MemorySpec
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
    weight = 1.0

    def forward(self, inputs, state, starts):
        outputs, state = super().forward(inputs, state, starts)
        ahead = torch.cat([self.enter(inputs[1:]), torch.zeros_like(outputs[:1])])
        return outputs + self.weight * ahead, state


class LooksAheadALittle(LooksAhead):
    """By less than the tolerance: the gradient tells."""

    weight = 1e-14


class LooksAheadWithoutGradient(Faulty):
    def forward(self, inputs, state, starts):
        outputs, state = super().forward(inputs, state, starts)
        return outputs + inputs.detach().flip(0).cumsum(0).flip(0)[..., :1], state


class LeaksBehindAConstantSum(Faulty):
    """The leak's gradient sums to zero over the outputs."""

    def reset(self, start, h):
        return torch.where(start, h - h.detach(), h)

    def forward(self, inputs, state, starts):
        outputs, state = super().forward(inputs, state, starts)
        return torch.softmax(outputs, dim=-1), state


class ForgetsBetweenCalls(Faulty):
    def forward(self, inputs, state, starts):
        outputs, (h,) = super().forward(inputs, state, starts)
        return outputs, (0.5 * h,)


class ActsByOtherRules(Faulty):
    def forward(self, inputs, state, starts):
        outputs, state = super().forward(inputs, state, starts)
        return outputs * (1.0 if len(inputs) > 1 else 1.01), state


class MiscountsChunksOfFour(Faulty):
    def forward(self, inputs, state, starts):
        outputs, (h,) = super().forward(inputs, state, starts)
        return outputs, (h if len(inputs) != 4 else 0.5 * h,)


class SharesAGradient(Faulty):
    def mix(self, x, h):
        return super().mix(x, h) + h.mean(0) - h.mean(0).detach()


class HidesAWeight(Faulty):
    def __init__(self, input_size):
        super().__init__(input_size)
        self.scale = torch.tensor(torch.rand(()).item() + 1.0).expand(4).tolist()

    def mix(self, x, h):
        return super().mix(x, h) * torch.tensor(self.scale, device=x.device, dtype=x.dtype)


class KeepsAPlainTensor(Faulty):
    def __init__(self, input_size):
        super().__init__(input_size)
        self.mixer = torch.eye(4)

    def mix(self, x, h):
        return super().mix(x, h @ self.mixer)


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


class HalvesTheGradient(Faulty):
    """Right in value, wrong by gradient where a sequence is read: what a slip in a hand-written backward looks like."""

    def forward(self, inputs, state, starts):
        outputs, state = super().forward(inputs, state, starts)
        return (outputs if len(inputs) == 1 else outputs / 2 + outputs.detach() / 2), state


class CutsTheGradientThroughTime(Faulty):
    def forward(self, inputs, state, starts):
        self.cut = len(inputs) > 1
        return super().forward(inputs, state, starts)

    def mix(self, x, h):
        return super().mix(x, h.detach() if self.cut else h)


class NestsItsState(Faulty):
    def initial_state(self, batch_size):
        return (super().initial_state(batch_size),)

    def forward(self, inputs, state, starts):
        outputs, state = super().forward(inputs, state[0], starts)
        return outputs, (state,)


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
        (ForgetsBetweenCalls, "invariant 1 (step = sequence)"),
        (ActsByOtherRules, "invariant 1 (step = sequence)"),
        (MiscountsChunksOfFour, "invariant 2 (any split)"),
        (LeaksAtAReset, "invariant 3 (reset)"),
        (GradientCrossesAReset, "invariant 3 (reset)"),
        (LeaksBehindAConstantSum, "invariant 3 (reset)"),
        (MultipliesByStarts, "invariant 3 (reset): NaN"),
        (LooksAhead, "invariant 4 (causality)"),
        (LooksAheadALittle, "invariant 4 (causality)"),
        (LooksAheadWithoutGradient, "invariant 4 (causality)"),
        (SharesAState, "invariant 5 (independent columns)"),
        (SharesAGradient, "invariant 5 (independent columns)"),
        (PutsLayersFirst, "invariant 6 (state structure)"),
        (GrowsItsState, "invariant 7 (state size)"),
        (RemembersBetweenCalls, "invariant 8 (copies)"),
        (HidesAWeight, "invariant 8 (copies)"),
        (KeepsAPlainTensor, "invariant 8 (copies)"),
        (ReadsTheDevice, "invariant 9 (meta device)"),
        (MakesAHostTensor, "invariant 9 (meta device)"),
    ],
)
def test_a_planted_fault_is_caught_by_name(fault, invariant):
    with pytest.raises(MemoryContractError, match=re.escape(invariant)):
        check_memory(FaultySpec(fault))


def test_the_kit_leaves_the_global_generator_alone():
    torch.manual_seed(3)
    before = torch.get_rng_state()
    check_memory(GRU(hidden_size=3))
    assert torch.equal(before, torch.get_rng_state())


class Attention(Memory):
    """A sliding window of attention: a correct memory whose state is nothing like a cell's, a count among its leaves."""

    def __init__(self, input_size, length=3):
        super().__init__()
        self.input_size, self.output_size, self.length = input_size, 4, length
        self.query, self.key = torch.nn.Linear(input_size, 4), torch.nn.Linear(input_size, 4)

    def initial_state(self, batch_size):
        weight = self.query.weight
        seen = torch.zeros(batch_size, dtype=torch.int64, device=weight.device)
        return weight.new_zeros(batch_size, self.length, 4), seen

    def forward(self, inputs, state, starts):
        (keys, seen), outputs = state, []
        ages = torch.arange(self.length - 1, -1, -1, device=inputs.device)
        for x, start in zip(inputs, starts.to(inputs.device), strict=True):
            keys = torch.where(start[:, None, None], torch.zeros_like(keys), keys)
            keys = torch.cat([keys[:, 1:], self.key(x).unsqueeze(1)], dim=1)
            seen = torch.where(start, torch.ones_like(seen), seen + 1).clamp(max=self.length)
            scores = (keys * self.query(x).unsqueeze(1)).sum(-1)
            scores = torch.where(ages < seen.unsqueeze(1), scores, -torch.inf)
            outputs.append((torch.softmax(scores, dim=1).unsqueeze(-1) * keys).sum(1))
        return torch.stack(outputs), (keys, seen)


def test_a_memory_that_is_no_cell_passes():
    check_memory(FaultySpec(Attention))
    check_memory(FaultySpec(Attention), input_size=1)


class WindowAverage(Memory):
    """A correct memory with a complex leaf: h' = w h + x, w on the unit circle times 0.9; reset by where."""

    def __init__(self, input_size):
        super().__init__()
        self.input_size, self.output_size = input_size, 2 * input_size
        self.angle = torch.nn.Parameter(torch.zeros(input_size))

    def initial_state(self, batch_size):
        zeros = self.angle.new_zeros(batch_size, self.input_size)
        return (torch.complex(zeros, zeros),)

    def forward(self, inputs, state, starts):
        (h,), outputs = state, []
        factor = torch.polar(torch.full_like(self.angle, 0.9), self.angle)
        for x, start in zip(inputs, starts.to(inputs.device), strict=True):
            h = torch.where(start[:, None], torch.zeros_like(h), h) * factor + x
            outputs.append(torch.cat([h.real, h.imag], dim=1))
        return torch.stack(outputs), (h,)


def test_a_memory_with_a_complex_state_passes():
    check_memory(FaultySpec(WindowAverage))


def test_a_large_memory_passes():
    check_memory(RNN(hidden_size=256, nonlinearity="relu"))


@pytest.mark.parametrize("fault", [HalvesTheGradient, CutsTheGradientThroughTime])
def test_a_wrong_gradient_of_the_sequence_path_is_caught(fault):
    with pytest.raises(MemoryContractError, match=r"invariant 1 \(step = sequence\): gradients with respect to"):
        check_memory(FaultySpec(fault))


def test_a_nested_state_is_invariant_six():
    with pytest.raises(MemoryContractError, match=r"invariant 6 \(state structure\): a state is a flat tuple"):
        check_memory(FaultySpec(NestsItsState))
