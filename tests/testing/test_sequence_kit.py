"""Each planted fault of a sequence model is caught, and by the invariant that it breaks."""

import re
from dataclasses import dataclass

import pytest
import torch

from recurrent_rl.sequence.models import SequenceModel, SequenceSpec
from recurrent_rl.testing.sequence import INVARIANTS, SequenceContractError, check_sequence_model


class Faulty(SequenceModel):
    """A correct running sum behind a layer, y[t] = W tanh(sum of V x up to t), whose subclasses each break one thing."""

    causal = True

    def __init__(self, input_size):
        super().__init__()
        self.input_size, self.output_size = input_size, 4
        self.enter, self.leave = torch.nn.Linear(input_size, 4), torch.nn.Linear(4, 4)

    def sums(self, inputs, lengths, before):
        return before + self.enter(inputs).cumsum(0)

    def forward(self, inputs, lengths, state=None):
        before = inputs.new_zeros(inputs.shape[1], 4) if state is None else state[0]
        sums = self.sums(inputs, lengths, before)
        return self.leave(torch.tanh(sums)), (sums[-1],)


class LooksOneStepAhead(Faulty):
    def sums(self, inputs, lengths, before):
        sums = super().sums(inputs, lengths, before)
        return torch.cat([sums[1:], sums[-1:]]) * 1e-3 + sums


class LooksAheadWithoutGradient(Faulty):
    def sums(self, inputs, lengths, before):
        sums = super().sums(inputs, lengths, before)
        return sums + 1e-3 * torch.cat([sums[1:], sums[-1:]]).detach()


class NormalisesOverTime(Faulty):
    """The mean over all steps, as a batch norm takes it, is a look ahead that the last output hides."""

    def sums(self, inputs, lengths, before):
        sums = super().sums(inputs, lengths, before)
        return sums - sums.mean(0)


class ReadsFromTheEnd(Faulty):
    """A model that may look ahead, but reads what stands after the end."""

    causal = False

    def forward(self, inputs, lengths, state=None):
        return super().forward(inputs.flip(0), lengths)[0].flip(0), None


class SummarisesPadding(Faulty):
    def summary(self, outputs, lengths):
        return outputs.mean(0)


class SummarisesTheLastRow(Faulty):
    def summary(self, outputs, lengths):
        return outputs[-1]


class LetsGradientOfPaddingThrough(Faulty):
    """Outputs do not change with the padding, and weights are learned from it even so."""

    def sums(self, inputs, lengths, before):
        sums = super().sums(inputs, lengths, before)
        outside = (torch.arange(len(inputs)).unsqueeze(1) >= lengths).unsqueeze(-1).to(sums.device)
        extra = (self.enter(inputs) * outside).sum(0)
        return sums + (extra - extra.detach())


class MixesColumns(Faulty):
    def sums(self, inputs, lengths, before):
        sums = super().sums(inputs, lengths, before)
        return sums + 1e-3 * sums.roll(1, dims=1)


class ForgetsItsState(Faulty):
    def sums(self, inputs, lengths, before):
        return super().sums(inputs, lengths, torch.zeros_like(before))


class DetachesItsState(Faulty):
    def sums(self, inputs, lengths, before):
        return super().sums(inputs, lengths, before.detach())


class CarriesAStateThoughItLooksAhead(Faulty):
    causal = False


class StateIsTimeFirst(Faulty):
    def forward(self, inputs, lengths, state=None):
        outputs, leaving = super().forward(inputs, lengths, None if state is None else (state[0].T,))
        return outputs, (leaving[0].T,)


class Draws(Faulty):
    def forward(self, inputs, lengths, state=None):
        outputs, state = super().forward(inputs, lengths, state)
        return outputs * (1 + 1e-6 * torch.rand(())), state


class HidesAParameter(Faulty):
    def __init__(self, input_size):
        super().__init__(input_size)
        self.hidden = [torch.randn(4, dtype=torch.float64)]

    def sums(self, inputs, lengths, before):
        return super().sums(inputs, lengths, before) + self.hidden[0].to(inputs.device)


class HoldsAHostTensor(Faulty):
    def sums(self, inputs, lengths, before):
        return super().sums(inputs, lengths, before) + torch.zeros(4, dtype=inputs.dtype)


class ReadsOnTheHost(Faulty):
    def sums(self, inputs, lengths, before):
        return super().sums(inputs, lengths, before) * float(self.leave.weight.sum().item() != 0)


class WrongSize(Faulty):
    def __init__(self, input_size):
        super().__init__(input_size)
        self.output_size = 5


class BatchFirst(Faulty):
    def forward(self, inputs, lengths, state=None):
        outputs, state = super().forward(inputs, lengths, state)
        return outputs.transpose(0, 1), state


FAULTS = [
    (WrongSize, "shapes"),
    (BatchFirst, "shapes"),
    (Draws, "copies"),
    (HidesAParameter, "copies"),
    (LooksOneStepAhead, "causality"),
    (LooksAheadWithoutGradient, "causality"),
    (NormalisesOverTime, "causality"),
    (ReadsFromTheEnd, "padding"),
    (SummarisesPadding, "padding"),
    (SummarisesTheLastRow, "padding"),
    (LetsGradientOfPaddingThrough, "padding"),
    (MixesColumns, "independent columns"),
    (ForgetsItsState, "carried state"),
    (DetachesItsState, "carried state"),
    (CarriesAStateThoughItLooksAhead, "carried state"),
    (StateIsTimeFirst, "carried state"),
    (HoldsAHostTensor, "meta device"),
    (ReadsOnTheHost, "meta device"),
]


@dataclass(frozen=True)
class Spec(SequenceSpec):
    kind: type[SequenceModel]

    def build(self, input_size):
        return self.kind(input_size)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=str)
def test_a_correct_model_passes(dtype):
    check_sequence_model(Spec(Faulty), dtype=dtype)
    check_sequence_model(Spec(Faulty), input_size=1, dtype=dtype)


@pytest.mark.parametrize(("kind", "name"), FAULTS, ids=lambda value: getattr(value, "__name__", value))
def test_a_planted_fault_is_caught_by_the_invariant_that_it_breaks(kind, name):
    number = next(number for number, (known, _) in INVARIANTS.items() if known == name)
    with pytest.raises(SequenceContractError, match=re.escape(f"invariant {number} ({name}):")):
        check_sequence_model(Spec(kind))


def test_every_invariant_has_a_fault_that_it_catches():
    assert {name for _, name in FAULTS} == {name for name, _ in INVARIANTS.values()}


def test_the_random_generator_is_left_as_it_was():
    torch.manual_seed(3)
    expected = torch.rand(2)
    torch.manual_seed(3)
    check_sequence_model(Spec(Faulty))
    assert torch.equal(torch.rand(2), expected)
