"""The width found has the count nearest to the budget, and none is given where all are too far."""

import pytest
from torch import nn

from recurrent_rl.memory import GRU, LRU, LSTM, S5, MinGRU, Stack
from recurrent_rl.sequence.models import (
    TCN,
    Bag,
    Bidirectional,
    EncoderDecoder,
    Inputs,
    Recurrent,
    SequenceNetwork,
    Transformer,
    WindowedMLP,
    count_parameters,
    match_width,
)
from recurrent_rl.sequence.problems import Classification

SPECS = {
    "gru": lambda width: Recurrent(memory=GRU(hidden_size=width)),
    "deep": lambda width: Recurrent(memory=Stack([LSTM(hidden_size=width), LRU(hidden_size=width)])),
    "s5": lambda width: Recurrent(memory=S5(hidden_size=width)),
    "both ways": lambda width: Bidirectional(memory=MinGRU(hidden_size=width), num_layers=2),
    "tcn": lambda width: TCN(hidden_size=width),
    "window": lambda width: WindowedMLP(hidden_size=width),
    "bag": lambda width: Bag(hidden_size=width),
    "transformer by its perceptrons": lambda width: Transformer(hidden_size=32, mlp_size=width),
}


def network(spec):
    return SequenceNetwork(spec, Inputs(symbols=50, size=32), Classification(10))


@pytest.mark.parametrize("make", SPECS.values(), ids=SPECS)
def test_any_family_comes_within_three_percent_of_a_budget(make):
    width = match_width(lambda width: network(make(width)), 50_000)
    assert abs(count_parameters(network(make(width))) / 50_000 - 1) <= 0.03


@pytest.mark.parametrize("multiple", [1, 3, 8])
@pytest.mark.parametrize("budget", [300, 1000, 12_345])
def test_no_other_width_is_nearer(budget, multiple):
    def make(width):
        return nn.GRU(2, width)

    counts = {width: count_parameters(make(width)) for width in range(multiple, 150, multiple)}
    best = min(counts, key=lambda width: abs(counts[width] - budget))
    assert match_width(make, budget, tolerance=1.0, multiple_of=multiple) == best


def test_what_no_width_reaches_is_an_error_that_names_the_nearest():
    with pytest.raises(ValueError, match=r"multiple of 64 has within 3\.0% of 30000 .* nearest is 192, with 37056"):
        match_width(lambda width: nn.Linear(width, width), 30_000, multiple_of=64)
    with pytest.raises(ValueError, match="nearest is 1, with 2"):
        match_width(lambda width: nn.Linear(width, width), 1)


def test_a_network_without_a_width_is_an_error_and_not_a_search_without_end():
    with pytest.raises(ValueError, match="No width"):
        match_width(lambda width: nn.Linear(2, 2), 1000)


def test_networks_are_built_where_they_take_no_memory():
    devices = []

    def make(width):
        devices.append((module := nn.Linear(width, width)).weight.device.type)
        return module

    match_width(make, 10**8)  # 400 MB of numbers, were they filled
    assert set(devices) == {"meta"}


def test_networks_of_sequence_to_sequence_are_matched_too():
    def make(width):
        spec = EncoderDecoder(encoder=Bidirectional(memory=GRU(hidden_size=width)), decoder=GRU(hidden_size=width))
        return spec.build(Inputs(symbols=20), 20, end=0)

    found = make(match_width(make, 100_000))
    assert abs(count_parameters(found) / 100_000 - 1) <= 0.03


def test_shared_and_frozen_numbers_count_once_and_not_at_all():
    layer = nn.Linear(3, 3, bias=False)
    frozen = nn.Linear(5, 5).requires_grad_(False)
    assert count_parameters(nn.ModuleList([layer, layer, frozen])) == 9
