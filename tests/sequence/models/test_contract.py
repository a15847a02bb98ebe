"""Every model keeps the contract: padding counts nowhere, causal ones look at no later step, and parts give the whole."""

from dataclasses import fields

import pytest
import torch

from recurrent_rl import memory as package
from recurrent_rl.memory import GRU, LSTM, FrameWindow, MemorySpec, MinGRU, Stack
from recurrent_rl.sequence.models import TCN, Bag, Bidirectional, PerStep, Recurrent, Transformer, WindowedMLP
from recurrent_rl.testing.sequence import check_sequence_model

MODELS = [
    Bag(hidden_size=4),
    PerStep(hidden_size=4),
    *[
        Transformer(hidden_size=8, num_heads=2, num_layers=layers, positions=positions, causal=causal, dropout=0.5)
        for layers, positions, causal in (
            (1, "rotary", True),
            (2, "rotary", False),
            (2, "sinusoidal", True),
            (1, "sinusoidal", False),
            (2, "none", True),
            (1, "none", False),
        )
    ],
    TCN(hidden_size=3, num_levels=2, dropout=0.5),  # as wide as the inputs: no map around the first block
    TCN(hidden_size=4, num_levels=3, kernel_size=2, weight_norm=False),
    TCN(hidden_size=4, num_levels=1, kernel_size=1),
    TCN(hidden_size=4, num_levels=3, causal=False),
    TCN(hidden_size=3, num_levels=1, kernel_size=5, causal=False, weight_norm=False),
    WindowedMLP(hidden_size=4, window=1),
    WindowedMLP(hidden_size=4, window=4, dropout=0.5, num_layers=3),
    WindowedMLP(hidden_size=4, window=20),
    WindowedMLP(hidden_size=4, window=1, centred=True),
    WindowedMLP(hidden_size=4, window=5, centred=True, num_layers=1),
    WindowedMLP(hidden_size=4, window=21, centred=True),
    *[Bidirectional(memory=kind(hidden_size=4)) for kind in (GRU, LSTM, MinGRU)],
    Bidirectional(memory=GRU(hidden_size=3), num_layers=2, dropout=0.5),
    Bidirectional(memory=Stack([LSTM(hidden_size=3), FrameWindow(2)])),
]


def small(kind):
    """The smallest spec of a kind of memory that is worth a test."""
    sizes = {"hidden_size": 4, "memory_length": 4, "slots": 3, "state_size": 4, "order": 4, "memory_size": 4}
    return kind(**{field.name: sizes[field.name] for field in fields(kind) if field.name in sizes})


MEMORIES = [
    small(kind)
    for name in package.__all__
    if isinstance(kind := getattr(package, name), type) and issubclass(kind, MemorySpec) and kind is not MemorySpec
]


@pytest.mark.parametrize("spec", MODELS, ids=repr)
def test_model_keeps_the_contract(spec):
    check_sequence_model(spec)


@pytest.mark.parametrize("spec", MEMORIES, ids=repr)
def test_every_memory_that_is_exported_is_a_model(spec):
    check_sequence_model(Recurrent(memory=spec))


@pytest.mark.parametrize("spec", [Bidirectional(memory=LSTM(hidden_size=4)), Bag(hidden_size=4)], ids=repr)
def test_models_that_compute_in_another_way_in_float32_keep_the_contract_there(spec):
    check_sequence_model(spec, dtype=torch.float32)


@pytest.mark.parametrize(
    "spec", [Bidirectional(), Transformer(), TCN(causal=False), WindowedMLP(centred=True, window=3)]
)
def test_a_state_is_refused_where_none_can_be_carried(spec):
    model = spec.build(2)
    with pytest.raises(ValueError, match="cannot go on from a state"):
        model(torch.zeros(3, 1, 2), torch.tensor([3]), ())


@pytest.mark.parametrize("spec", MODELS, ids=repr)
def test_models_run_under_autocast_and_give_finite_numbers(spec):
    model = spec.build(3)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        outputs, _ = model(torch.randn(6, 2, 3), torch.tensor([6, 2]))
        assert model.summary(outputs, torch.tensor([6, 2])).isfinite().all()
