"""What cells can hold: parity at any length by hand-set weights, and nothing that alternates where decays are positive.

The parity of a stream of bits is the smallest thing that a state must be for: every 1 turns it over, so it depends on all
that was read. Nothing is learned here; the learned counterpart is experiments/memory_zoo/generalise.py.
"""

from dataclasses import dataclass
from functools import cache

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from recurrent_rl.memory import GRU, LSTM, RNN, MemorySpec, MinGRU, MinLSTM

STEPS, STRAY = 3000, 1e-6
K = 100.0  # sigmoid and tanh of K / 5 are 1 and sigmoid(-K / 5) is 0, up to 3e-9


@dataclass(frozen=True, kw_only=True)
class Hand:
    """Weights set by hand: the parity of x, read from the output as readout . h, is 0 or `one`."""

    spec: MemorySpec
    weights: dict[str, list]
    readout: tuple[float, ...] = (1.0,)
    one: float = 1.0

    def build(self, dtype):
        memory = self.spec.build(1).to(dtype)
        with torch.no_grad():
            for name, values in self.weights.items():
                parameter = memory.get_parameter(name)
                parameter.copy_(torch.tensor(values, dtype=dtype).view(parameter.shape))
        unset = {name for name, _ in memory.named_parameters()} - self.weights.keys()
        assert not unset
        return memory

    def parity(self, outputs):
        return outputs @ torch.tensor(self.readout, dtype=outputs.dtype) / self.one


# Two units, "x or p" and "x and p" of the bit x and the parity p before, both -1 or 1, and p = (or - and) / 2:
#     or  = tanh(K (x + p - 1/2))        and = tanh(K (x + p - 3/2))
# The argument is K / 2 away from zero, so the state is made anew at each step and an error in p below 1/4 is gone. At an
# episode's start both units are 0, which reads as p = 0.
TANH = Hand(
    spec=RNN(hidden_size=2),
    weights={
        "weight_ih_l0": [K, K],
        "weight_hh_l0": [K / 2, -K / 2, K / 2, -K / 2],
        "bias_ih_l0": [-K / 2, -3 * K / 2],
        "bias_hh_l0": [0.0, 0.0],
    },
    readout=(0.5, -0.5),
)

# Two units count: u = relu(x + p) is 0, 1 or 2, v = relu(x + p - 1) is 1 where it is 2, and p = u - 2 v. Small whole numbers
# are exact in floating point, so that nothing drifts, though nothing here would mend an error.
RELU = Hand(
    spec=RNN(hidden_size=2, nonlinearity="relu"),
    weights={
        "weight_ih_l0": [1.0, 1.0],
        "weight_hh_l0": [1.0, -2.0, 1.0, -2.0],
        "bias_ih_l0": [0.0, -1.0],
        "bias_hh_l0": [0.0, 0.0],
    },
    readout=(1.0, -2.0),
)

# One unit with c = 0 or 1, so h = tanh(c) = 0 or 0.76. The candidate and the output gate are 1 always, and
#     f = sigmoid(K (1/2 - x))            a 0 keeps c, a 1 clears it
#     i = sigmoid(K (x - 1/2 - h))        and writes 1 where there was none: open for x = 1 and h = 0 alone, by K / 4 or more
LSTM_ = Hand(
    spec=LSTM(hidden_size=1),
    weights={  # rows i, f, candidate, o
        "weight_ih_l0": [K, -K, 0.0, 0.0],
        "weight_hh_l0": [-K, 0.0, 0.0, 0.0],
        "bias_ih_l0": [-K / 2, K / 2, K, K],
        "bias_hh_l0": [0.0] * 4,
    },
    one=torch.tensor(1.0, dtype=torch.float64).tanh().item(),
)

# One unit, h = 0 or 1. The update gate keeps h at a 0 and lets the candidate in at a 1. The reset gate is open where h = 0:
#     z = sigmoid(K (1/2 - x))    r = sigmoid(K (1/2 - h))    n = tanh(r K / 5)    so n = 1 where h = 0, and 0 where h = 1
GRU_ = Hand(
    spec=GRU(hidden_size=1),
    weights={  # rows r, z, candidate
        "weight_ih_l0": [0.0, -K, 0.0],
        "weight_hh_l0": [-K, 0.0, 0.0],
        "bias_ih_l0": [K / 2, K / 2, 0.0],
        "bias_hh_l0": [0.0, 0.0, K / 5],
    },
)

# One unit, h = 0 or 1. z = x, exactly (sigmoids of 1000 and -1000 are 1 and 0), the candidate is 1, and
#     h' = (1 - 2 z) h + z            a 1 gives 1 - h, a 0 gives h
# The decay is -1 or 1, so an error neither grows nor shrinks.
MINGRU = Hand(
    spec=MinGRU(hidden_size=1, eigenvalues="signed"),
    weights={"projection.weight": [2000.0, 0.0], "projection.bias": [-1000.0, 1.0]},
)

# The same; z = sigmoid(log i - log f) with logits i = 2000 x - 1000 and f = -i.
MINLSTM = Hand(
    spec=MinLSTM(hidden_size=1, eigenvalues="signed"),
    weights={"projection.weight": [2000.0, -2000.0, 0.0], "projection.bias": [-1000.0, 1000.0, 1.0]},
)

HANDS = {"tanh": TANH, "relu": RELU, "LSTM": LSTM_, "GRU": GRU_, "MinGRU": MINGRU, "MinLSTM": MINLSTM}
MENDING = {name: HANDS[name] for name in ("tanh", "LSTM", "GRU")}


def named(hands):
    return pytest.mark.parametrize("hand", hands.values(), ids=hands.keys())


def stream(dtype):
    """Random bits [T, B, 1], where episodes start [T, B], and the parity of each episode's bits so far [T, B]."""
    bits, starts, parity = drawn()
    return bits.unsqueeze(-1).to(dtype, copy=True), starts.clone(), parity


@cache
def drawn(columns=4):
    torch.manual_seed(0)
    bits, starts = torch.randint(2, (STEPS, columns)), torch.rand(STEPS, columns) < 0.002
    starts[:, 0] = False  # one column is a single episode
    parity, rows = torch.zeros(columns, dtype=torch.long), []
    for bit, start in zip(bits, starts, strict=True):
        parity = torch.where(start, 0, parity) ^ bit
        rows.append(parity)
    assert starts.sum() > columns
    return bits, starts, torch.stack(rows)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=str)
@named(HANDS)
def test_weights_set_by_hand_compute_parity_at_any_length_across_episodes(hand, dtype):
    memory, (bits, starts, parity) = hand.build(dtype), stream(dtype)
    found = hand.parity(memory(bits, memory.initial_state(4), starts)[0])
    assert torch.equal(found > 0.5, parity == 1)
    assert (found - parity).abs().max() <= STRAY  # it is near 0 or 1 at every step, the last ones too: nothing drifts


@named(HANDS)
def test_the_state_that_holds_parity_takes_as_many_values_as_the_cell_needs_and_stays_at_them(hand):
    """Two values; three pairs of units for the plain cells, whose units are "or" and "and", or a count."""
    memory, (bits, starts, _) = hand.build(torch.float64), stream(torch.float64)
    outputs = memory(bits, memory.initial_state(4), starts)[0].flatten(0, 1)
    values = torch.unique((outputs / hand.one).round(), dim=0)
    assert len(values) == (3 if hand in (TANH, RELU) else 2)
    assert (outputs / hand.one - (outputs / hand.one).round()).abs().max() <= STRAY


@pytest.mark.parametrize("error", [-0.1, 0.1])
@named(MENDING)
def test_a_saturating_cell_mends_an_error_in_its_state_when_a_bit_turns_it_over(hand, error):
    memory, (bits, starts, _) = hand.build(torch.float64), stream(torch.float64)
    bits[0], starts[0] = 1.0, False
    state = tuple(leaf + error * torch.tensor([1.0, -1.0])[: leaf.shape[-1]] for leaf in memory.initial_state(4))
    found = hand.parity(memory(bits, state, starts)[0])
    expected = hand.parity(memory(bits, memory.initial_state(4), starts)[0])
    assert (found - expected).abs().max() <= STRAY


@pytest.mark.parametrize("error", [-0.125, 0.125])
@named({"MinGRU": MINGRU, "MinLSTM": MINLSTM})
def test_a_signed_linear_cell_carries_an_error_in_its_state_along_at_its_size(hand, error):
    memory, (bits, starts, _) = hand.build(torch.float64), stream(torch.float64)
    starts[:] = False
    found = hand.parity(memory(bits, (memory.initial_state(4)[0] + error,), starts)[0])
    expected = hand.parity(memory(bits, memory.initial_state(4), starts)[0])
    assert ((found - expected).abs() == abs(error)).all()


def under_ones(memory, entry, steps=200):
    """The entry state and the states after each of many inputs of ones [1 + T, H]."""
    inputs, starts = torch.ones(steps, 1, memory.input_size).to(entry), torch.zeros(steps, 1, dtype=torch.bool)
    outputs, _ = memory(inputs, (entry.unsqueeze(0),), starts)
    return torch.cat([entry.unsqueeze(0), outputs[:, 0].detach()])


numbers = st.floats(-20.0, 20.0)


@given(spec=st.sampled_from([MinGRU, MinLSTM]), threshold=numbers, data=st.data())
@settings(deadline=None)
def test_with_positive_eigenvalues_the_state_under_a_constant_input_is_monotone_for_any_parameters(
    spec, threshold, data
):
    """The recurrence of a unit is h' = a h + b with a in [0, 1], so each difference is a times the one before.

    Hence no threshold on a unit is crossed twice: no setting of the decays alternates.
    """
    memory = spec(hidden_size=2).build(1).to(torch.float64)
    for parameter in memory.parameters():
        values = data.draw(st.lists(numbers, min_size=parameter.numel(), max_size=parameter.numel()))
        parameter.data.copy_(torch.tensor(values).view(parameter.shape))
    entry = torch.tensor(data.draw(st.lists(numbers, min_size=2, max_size=2)), dtype=torch.float64)
    states = under_ones(memory, entry)
    rounding = 1e-13 * max(1.0, states.abs().max().item())
    for unit in states.T:
        differences = unit.diff()
        assert (differences >= -rounding).all() or (differences <= rounding).all()
        above = unit[(unit - threshold).abs() > rounding] > threshold
        assert above.int().diff().count_nonzero() <= 1


@named(HANDS)
def test_what_holds_parity_alternates_under_a_constant_input_for_ever(hand):
    memory = hand.build(torch.float64)
    inputs, starts = torch.ones(STEPS, 1, 1, dtype=torch.float64), torch.zeros(STEPS, 1, dtype=torch.bool)
    found = hand.parity(memory(inputs, memory.initial_state(1), starts)[0])[:, 0]
    assert torch.equal(found > 0.5, torch.arange(STEPS) % 2 == 0)
