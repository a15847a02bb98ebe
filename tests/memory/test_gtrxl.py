"""GTrXL keeps the contract, is the paper's equations step by step, and begins near the identity."""

import pytest
import torch
from torch.nn.functional import layer_norm

from recurrent_rl.memory.gtrxl import GTrXL
from recurrent_rl.testing import check_memory

SMALL = GTrXL(hidden_size=4, num_layers=2, num_heads=2, memory_length=3, mlp_size=5)
SPECS = [GTrXL(), SMALL, GTrXL(hidden_size=3, num_layers=1, num_heads=1, memory_length=1, mlp_size=1, gate_bias=0.0)]


def perturbed(spec, input_size, size=0.3):
    memory = spec.build(input_size).double()
    with torch.no_grad():
        for parameter in memory.parameters():
            parameter.add_(size * torch.randn_like(parameter))
    return memory


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=str)
@pytest.mark.parametrize("spec", SPECS, ids=repr)
def test_gtrxl_keeps_the_contract(spec, dtype):
    check_memory(spec, dtype=dtype)


def gate(module, x, y):
    w_r, w_z, w_g = module.of_update.weight.chunk(3)
    u_r, u_z = module.of_stream.weight.chunk(2)
    r = torch.sigmoid(w_r @ y + u_r @ x)
    z = torch.sigmoid(w_z @ y + u_z @ x - module.bias)
    return (1 - z) * x + z * torch.tanh(w_g @ y + module.of_reset.weight @ (r * x))


def norm(module, x):
    return layer_norm(x, x.shape, module.weight, module.bias)


def attention(layer, window):
    """What the last of the layer's normed inputs, oldest first, gathers from all of them."""
    size, heads = len(window[-1]), len(layer.bias)
    query = layer.query.weight @ window[-1] + layer.query.bias
    recalled = [layer.recall.weight @ x + layer.recall.bias for x in window]
    parts = []
    for head, part in enumerate(torch.arange(size).chunk(heads)):
        scores = [query[part] @ row[part] / len(part) ** 0.5 for row in recalled]
        distances = range(len(window) - 1, -1, -1)
        biased = torch.stack([score + layer.bias[head, n] for score, n in zip(scores, distances, strict=True)])
        weights = biased.softmax(0)
        parts.append(sum(weight * row[size + part] for weight, row in zip(weights, recalled, strict=True)))
    return layer.combine.weight @ torch.cat(parts) + layer.combine.bias


def one_column(memory, inputs, starts):
    """The paper's equations for inputs [T, I], with lists for memories."""
    outputs, pasts = [], [[] for _ in memory.layers]
    for x, start in zip(inputs, starts, strict=True):
        if start:
            pasts = [[] for _ in memory.layers]
        e = memory.embed.weight @ x + memory.embed.bias
        for layer, past in zip(memory.layers, pasts, strict=True):
            past.append(e)
            window = [norm(layer.attention_norm, row) for row in past[-1 - memory.spec.memory_length :]]
            y = gate(layer.attention_gate, e, attention(layer, window).relu())
            first, second = layer.mlp[0], layer.mlp[2]
            hidden = (first.weight @ norm(layer.mlp_norm, y) + first.bias).relu()
            e = gate(layer.mlp_gate, y, (second.weight @ hidden + second.bias).relu())
        outputs.append(e)
    return torch.stack(outputs)


@pytest.mark.parametrize("density", [0.0, 0.2])
def test_gtrxl_is_the_papers_equations_step_by_step_with_gradients(density):
    torch.manual_seed(0)
    memory = perturbed(SMALL, 3)
    inputs, starts = torch.randn(37, 2, 3).double().requires_grad_(), torch.rand(37, 2) < density
    oracle = torch.stack([one_column(memory, inputs[:, b], starts[:, b].tolist()) for b in range(2)], dim=1)
    results = []
    for outputs in (memory(inputs, memory.initial_state(2), starts)[0], oracle):
        weights = torch.randn(outputs.shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
        gradients = torch.autograd.grad((outputs * weights).sum(), [inputs, *memory.parameters()])
        results.append((outputs, *gradients))
    for one, other in zip(*results, strict=True):
        torch.testing.assert_close(one, other, atol=1e-10, rtol=0)


def test_the_gate_bias_brings_the_stack_towards_the_identity():
    torch.manual_seed(0)
    inputs, starts, distances = torch.randn(30, 4, 3), torch.zeros(30, 4, dtype=torch.bool), []
    for bias in (0.0, 2.0, 10.0):
        memory = GTrXL(gate_bias=bias).build(3)
        outputs, embedded = memory(inputs, memory.initial_state(4), starts)[0], memory.embed(inputs)
        distances.append((outputs - embedded).norm().item() / embedded.norm().item())
    assert distances[2] < 1e-3 < distances[1] < 0.5 < distances[0]


def test_each_layer_looks_back_by_the_memory_length():
    memory = perturbed(SMALL, 3)
    inputs, starts = torch.randn(60, 1, 3).double().requires_grad_(), torch.zeros(60, 1, dtype=torch.bool)
    outputs, _ = memory(inputs, memory.initial_state(1), starts)
    (gradient,) = torch.autograd.grad(outputs[50].sum(), inputs)
    assert (gradient.abs().sum((1, 2)) > 0).nonzero().flatten().tolist() == list(range(50 - 2 * 3, 51))


@pytest.mark.parametrize("steps", [1, 4])
def test_no_nan_of_a_forgotten_state_reaches_a_parameters_gradient(steps):
    memory = perturbed(SMALL, 3)
    rows, held = memory.initial_state(2)
    starts = torch.zeros(steps, 2, dtype=torch.bool)
    starts[0] = True
    outputs, _ = memory(torch.randn(steps, 2, 3).double(), (torch.full_like(rows, torch.nan), held + 3), starts)
    for gradient in torch.autograd.grad(outputs.square().sum(), list(memory.parameters())):
        assert gradient.isfinite().all()


def test_outputs_stay_bounded_for_any_parameters():
    torch.manual_seed(0)
    memory = perturbed(SMALL, 3, size=3.0)
    inputs, state = torch.randn(2000, 2, 3).double(), memory.initial_state(2)
    with torch.no_grad():
        outputs, _ = memory(inputs, state, torch.zeros(2000, 2, dtype=torch.bool))
        bound = memory.embed(inputs).abs().max().clamp(min=1.0)
    assert outputs.abs().max() <= bound  # each gate mixes its stream with a tanh


def test_states_stay_float32_under_autocast():
    memory = GTrXL(hidden_size=8, memory_length=4).build(3)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        for steps in (1, 9):
            starts = torch.zeros(steps, 2, dtype=torch.bool)
            outputs, (rows, _) = memory(torch.randn(steps, 2, 3), memory.initial_state(2), starts)
            assert outputs.dtype == rows.dtype == torch.float32


@pytest.mark.parametrize(
    ("field", "fields"),
    [
        ("hidden_size", {"hidden_size": 0}),
        ("num_layers", {"num_layers": 0}),
        ("num_heads", {"hidden_size": 10, "num_heads": 4}),
        ("memory_length", {"memory_length": 0}),
        ("mlp_size", {"mlp_size": 1.5}),
        ("gate_bias", {"gate_bias": 11.0}),
    ],
)
def test_bad_fields_are_named(field, fields):
    with pytest.raises(ValueError, match=field + " must"):
        GTrXL(**fields)
