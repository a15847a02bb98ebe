"""Every memory of the library keeps the contract: step = sequence at random starts, and the eight others."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from recurrent_rl import memory as package
from recurrent_rl.memory import (
    GRU,
    LSTM,
    RNN,
    Attention,
    DeltaNet,
    Dense,
    FastWeights,
    FrameWindow,
    IndRNN,
    MemorySpec,
    MinGRU,
    MinLSTM,
    NoMemory,
    Normed,
    Residual,
    SelectiveSSM,
    Stack,
)
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
SPECS = [
    kind
    for name in package.__all__
    if isinstance(kind := getattr(package, name), type) and issubclass(kind, MemorySpec) and kind is not MemorySpec
]  # what the package exports
CUT = [
    *[kind() for kind in SPECS],
    MinGRU(hidden_size=5, eigenvalues="signed"),
    MinLSTM(hidden_size=5, eigenvalues="signed"),
    FastWeights(hidden_size=4, num_heads=2, update="sum"),
    Attention(hidden_size=4, num_heads=2, window=3),
    SelectiveSSM(hidden_size=4, conv_size=1),
    Stack([GRU(hidden_size=4), DeltaNet(hidden_size=4, num_heads=1), Residual(IndRNN(hidden_size=6))]),
]


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=str)
@pytest.mark.parametrize("spec", MEMORIES, ids=repr)
def test_memory_keeps_the_contract(spec, dtype):
    check_memory(spec, dtype=dtype)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=str)
@pytest.mark.parametrize("spec", CUT, ids=repr)
def test_every_memory_that_is_exported_keeps_the_contract_with_its_defaults(spec, dtype):
    check_memory(spec, dtype=dtype)


@pytest.mark.parametrize("spec", CUT, ids=repr)
def test_states_hold_no_complex_numbers(spec):
    memory = spec.build(3)
    _, state = memory(torch.zeros(2, 1, 3), memory.initial_state(1), torch.zeros(2, 1, dtype=torch.bool))
    assert not any(leaf.is_complex() for leaf in state)


@pytest.mark.parametrize("spec", [*MEMORIES, *CUT], ids=repr)
@settings(max_examples=10, deadline=None)
@given(lengths=st.lists(st.integers(1, 5), min_size=1, max_size=5), columns=st.integers(1, 3), seed=st.integers(0, 99))
def test_any_split_into_chunks_gives_the_same_outputs_and_state(spec, lengths, columns, seed):
    torch.manual_seed(seed)
    memory = spec.build(2).double().eval()
    inputs, starts = torch.randn(sum(lengths), columns, 2).double(), torch.rand(sum(lengths), columns) < 0.3
    outputs, leaving = memory(inputs, memory.initial_state(columns), starts)
    state, pieces = memory.initial_state(columns), []
    for chunk, flags in zip(inputs.split(lengths), starts.split(lengths), strict=True):
        piece, state = memory(chunk, state, flags)
        pieces.append(piece)
    torch.testing.assert_close(torch.cat(pieces), outputs, atol=1e-10, rtol=0)
    for one, other in zip(state, leaving, strict=True):
        torch.testing.assert_close(one, other, atol=1e-10, rtol=0)


@pytest.mark.parametrize("steps", [1, 4])
@pytest.mark.parametrize("spec", [kind() for kind in SPECS], ids=repr)
def test_under_autocast_any_memory_may_stand_below_a_gru(spec, steps):
    memory = Stack([spec, GRU(hidden_size=4)]).build(3)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        outputs, state = memory(
            torch.randn(steps, 2, 3), memory.initial_state(2), torch.zeros(steps, 2, dtype=torch.bool)
        )
    assert outputs.isfinite().all()
    assert all(leaf.dtype in (torch.float32, torch.int64) for leaf in state)


@pytest.mark.parametrize("spec", [kind() for kind in SPECS], ids=repr)
def test_parameters_are_made_in_the_default_type(spec):
    torch.set_default_dtype(torch.float64)
    try:
        memory = spec.build(3)
        outputs, _ = memory(torch.randn(4, 2, 3), memory.initial_state(2), torch.zeros(4, 2, dtype=torch.bool))
    finally:
        torch.set_default_dtype(torch.float32)
    assert {parameter.dtype for parameter in memory.parameters()} <= {torch.float64}
    assert outputs.dtype == torch.float64


REMEMBERING = [kind for kind in SPECS if kind not in (NoMemory, Dense, Normed)]


@pytest.mark.parametrize("input_size", [1, 2])
@pytest.mark.parametrize("kind", REMEMBERING, ids=lambda kind: kind.__name__)
def test_every_memory_remembers_what_it_saw_a_step_ago_however_small_the_input(kind, input_size):
    torch.manual_seed(0)
    memory, starts = kind().build(input_size), torch.zeros(2, 1, dtype=torch.bool)
    last = torch.randn(1, 1, input_size)
    pasts = [torch.full((1, 1, input_size), 2.0), torch.linspace(-1, 3, input_size).view(1, 1, -1)]
    outputs = [memory(torch.cat([past, last]), memory.initial_state(1), starts)[0][-1] for past in pasts]
    assert (outputs[0] - outputs[1]).abs().max() > 1e-5
