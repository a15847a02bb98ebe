"""Minimal gated cells are their papers' equations; with signed eigenvalues one unit computes parity exactly."""

import pytest
import torch

from recurrent_rl.memory.min_rnn import MinGRU, MinLSTM
from recurrent_rl.testing import check_memory

SPECS = [spec(hidden_size=5, eigenvalues=kind) for spec in (MinGRU, MinLSTM) for kind in ("positive", "signed")]


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=str)
@pytest.mark.parametrize("spec", [*SPECS, MinGRU(), MinLSTM(forget_bias=0.0)], ids=repr)
def test_memory_keeps_the_contract(spec, dtype):
    check_memory(spec, dtype=dtype)


def blocks_of(memory, count, x):
    weights, biases = memory.projection.weight.chunk(count), memory.projection.bias.chunk(count)
    return [x @ weight.T + bias for weight, bias in zip(weights, biases, strict=True)]


def gru_step(memory, h, x):
    z, candidate = blocks_of(memory, 2, x)
    z = torch.sigmoid(z)
    decay = 1 - z if memory.spec.eigenvalues == "positive" else 2 * (1 - z) - 1
    return decay * h + z * candidate


def lstm_step(memory, h, x):
    i, f, candidate = blocks_of(memory, 3, x)
    i, f = torch.sigmoid(i), torch.sigmoid(f)
    i, f = i / (f + i), f / (f + i)
    decay = f if memory.spec.eigenvalues == "positive" else 2 * f - 1
    return decay * h + i * candidate


def by_the_paper(memory, inputs, entry, starts):
    step = gru_step if type(memory.spec) is MinGRU else lstm_step
    h, outputs = entry, []
    for x, start in zip(inputs, starts, strict=True):
        h = step(memory, torch.where(start.unsqueeze(-1), torch.zeros_like(h), h), x)
        outputs.append(h)
    return torch.stack(outputs)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=str)
@pytest.mark.parametrize("density", [0.0, 0.2], ids=["one episode", "with starts"])
@pytest.mark.parametrize("spec", SPECS, ids=repr)
def test_outputs_and_gradients_are_those_of_the_papers_equations(spec, density, dtype):
    torch.manual_seed(0)
    memory = spec.build(3).to(dtype)
    inputs, starts = torch.randn(40, 4, 3, dtype=dtype), torch.rand(40, 4) < density
    entry = torch.randn(4, 5, dtype=dtype).requires_grad_()
    found = memory(inputs, (entry,), starts)[0]
    expected = by_the_paper(memory, inputs, entry, starts)
    sources, weights = [*memory.parameters(), entry], torch.randn_like(found)
    gradients = [torch.autograd.grad((outputs * weights).sum(), sources) for outputs in (found, expected)]
    scale = max(1.0, *(gradient.abs().max().item() for gradient in gradients[1]))
    tolerance = 1e-10 if dtype == torch.float64 else 1e-5
    for one, other in zip((found, *gradients[0]), (expected, *gradients[1]), strict=True):
        assert (one - other).abs().max() <= tolerance * scale


def set_parity(memory, is_lstm):
    """Set the weights that the docstrings of the specs give."""
    blocks = [(2000.0, -1000.0), (-2000.0, 1000.0), (0.0, 1.0)] if is_lstm else [(2000.0, -1000.0), (0.0, 1.0)]
    with torch.no_grad():
        memory.projection.weight.copy_(torch.tensor([[weight] for weight, _ in blocks]))
        memory.projection.bias.copy_(torch.tensor([bias for _, bias in blocks]))


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=str)
@pytest.mark.parametrize("spec", [MinGRU, MinLSTM])
def test_with_signed_eigenvalues_one_unit_computes_parity_exactly_at_any_length(spec, dtype):
    torch.manual_seed(0)
    memory = spec(hidden_size=1, eigenvalues="signed").build(1).to(dtype)
    set_parity(memory, spec is MinLSTM)
    bits, starts = (torch.rand(5000, 3, 1) < 0.5).to(dtype), torch.zeros(5000, 3, dtype=torch.bool)
    starts[3000, 1] = True
    parity = bits.cumsum(0)
    parity[3000:, 1] = bits[3000:, 1].cumsum(0)
    assert torch.equal(memory(bits, memory.initial_state(3), starts)[0], parity % 2)
    state = memory.initial_state(3)
    for t in range(50):
        outputs, state = memory(bits[t : t + 1], state, starts[t : t + 1])
        assert torch.equal(outputs[0], parity[t] % 2)


@pytest.mark.parametrize("spec", [MinGRU, MinLSTM])
def test_with_positive_eigenvalues_two_states_never_change_order(spec):
    """So no setting of the gates alternates: what a step does to the state is an increasing function of it."""
    torch.manual_seed(0)
    memory = spec(hidden_size=6).build(2)
    for parameter in memory.parameters():
        parameter.data.normal_(std=5.0)
    inputs, starts = torch.randn(60, 1, 2), torch.zeros(60, 1, dtype=torch.bool)
    low, high = (memory(inputs, (torch.full((1, 6), h),), starts)[0] for h in (-3.0, 3.0))
    assert (high >= low).all()


@pytest.mark.parametrize("spec", [MinGRU, MinLSTM])
@pytest.mark.parametrize("scale", [0.1, 3.0, 300.0])
def test_with_positive_eigenvalues_the_state_stays_among_the_candidates(spec, scale):
    torch.manual_seed(0)
    memory = spec(hidden_size=8).build(2)
    for parameter in memory.parameters():
        parameter.data.normal_(std=scale)
    inputs = torch.randn(2000, 3, 2)
    candidates = blocks_of(memory, 3 if spec is MinLSTM else 2, inputs)[-1]
    outputs = memory(inputs, memory.initial_state(3), torch.zeros(2000, 3, dtype=torch.bool))[0]
    assert outputs.abs().max() <= candidates.abs().max() * 1.001


@pytest.mark.parametrize("spec", [MinGRU, MinLSTM])
def test_with_signed_eigenvalues_the_state_grows_no_faster_than_time(spec):
    torch.manual_seed(0)
    memory = spec(hidden_size=8, eigenvalues="signed").build(2)
    for parameter in memory.parameters():
        parameter.data.normal_(std=300.0)
    inputs = torch.randn(2000, 3, 2)
    candidates = blocks_of(memory, 3 if spec is MinLSTM else 2, inputs)[-1]
    outputs = memory(inputs, memory.initial_state(3), torch.zeros(2000, 3, dtype=torch.bool))[0]
    assert (outputs.abs() <= candidates.abs().cumsum(0) * 1.001).all()


def test_the_lstm_remembers_longer_with_a_larger_forget_bias():
    starts, left = torch.zeros(10, 1, dtype=torch.bool), []
    for bias in (-1.0, 1.0, 3.0):
        memory = MinLSTM(hidden_size=4, forget_bias=bias).build(2)
        assert (memory.projection.bias[4:8] == bias).all()
        entry = torch.ones(1, 4).requires_grad_()
        outputs = memory(torch.zeros(10, 1, 2), (entry,), starts)[0]
        left.append(torch.autograd.grad(outputs[-1].sum(), entry)[0].sum().item())
    assert left == sorted(left)


@pytest.mark.parametrize(
    ("spec", "fields", "name"),
    [
        (MinGRU, {"hidden_size": 0}, "hidden_size"),
        (MinGRU, {"eigenvalues": "negative"}, "eigenvalues"),
        (MinLSTM, {"hidden_size": 1.5}, "hidden_size"),
        (MinLSTM, {"eigenvalues": None}, "eigenvalues"),
        (MinLSTM, {"forget_bias": "1"}, "forget_bias"),
    ],
)
def test_bad_fields_are_refused_by_name(spec, fields, name):
    with pytest.raises(ValueError, match=f"{name} must"):
        spec(**fields)
