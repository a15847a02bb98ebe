"""xLSTM's cells are the paper's equations, exact at the first step and safe in float32 for any gates."""

import pytest
import torch
from torch import sigmoid, tanh
from torch.nn.functional import logsigmoid

from recurrent_rl.functional.delta_rule import CHUNK
from recurrent_rl.memory.xlstm import EMPTY, MLSTM, SLSTM, XLSTM, MLSTMMemory, SLSTMMemory
from recurrent_rl.testing import check_memory

SPECS = [
    SLSTM(hidden_size=6, num_heads=2),
    SLSTM(hidden_size=5, num_heads=1),
    MLSTM(hidden_size=6, num_heads=2),
    MLSTM(hidden_size=5, num_heads=5),
    MLSTM(hidden_size=5, num_heads=1),
]
STEPS, COLUMNS, INPUTS = 2 * CHUNK + 6, 3, 3


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=str)
@pytest.mark.parametrize(
    "spec", [*SPECS, XLSTM(hidden_size=8), XLSTM(hidden_size=8, cells=["slstm", "mlstm"])], ids=repr
)
def test_memory_keeps_the_contract(spec, dtype):
    check_memory(spec, dtype=dtype)


def reset(starts, *state):
    return [torch.where(starts.view(-1, *[1] * (leaf.dim() - 1)), 0.0, leaf) for leaf in state]


def slstm_by_the_paper(spec, memory, inputs, starts):
    """The equations without a stabiliser, which float64 can hold for moderate gates."""
    shape = COLUMNS, spec.num_heads, spec.hidden_size // spec.num_heads
    h, c, n = inputs.new_zeros(3, *shape)
    outputs = []
    for t, x in enumerate(inputs):
        h, c, n = reset(starts[t], h, c, n)
        mixed = torch.einsum("bni,nij->bnj", h, memory.recurrent)
        z, i, f, o = (memory.projection(x).unflatten(-1, (spec.num_heads, -1)) + mixed).chunk(4, dim=-1)
        c = sigmoid(f) * c + i.exp() * tanh(z)
        n = sigmoid(f) * n + i.exp()
        h = sigmoid(o) * c / n
        outputs.append(h.flatten(1))
    return torch.stack(outputs)


def mlstm_by_the_paper(spec, memory, inputs, starts):
    size = spec.hidden_size // spec.num_heads
    c = inputs.new_zeros(COLUMNS, spec.num_heads, size, size)
    n = inputs.new_zeros(COLUMNS, spec.num_heads, size)
    outputs = []
    for t, x in enumerate(inputs):
        c, n = reset(starts[t], c, n)
        q, k, v, o = memory.projection(x).unflatten(-1, (4, spec.num_heads, size)).unbind(1)
        k = k / size**0.5
        i, f = memory.gates(x).unsqueeze(-1).chunk(2, dim=1)  # [B, N, 1]
        c = sigmoid(f).unsqueeze(-1) * c + i.exp().unsqueeze(-1) * v.unsqueeze(-1) * k.unsqueeze(-2)
        n = sigmoid(f) * n + i.exp() * k
        read = torch.einsum("bnij,bnj->bni", c, q) / (n * q).sum(-1, keepdim=True).abs().clamp(min=1.0)
        outputs.append((sigmoid(o) * read).flatten(1))
    return torch.stack(outputs)


@pytest.mark.parametrize("gates", [1.0, 20.0])
@pytest.mark.parametrize("density", [0.0, 0.05])
@pytest.mark.parametrize("spec", SPECS, ids=repr)
def test_outputs_and_gradients_are_those_of_the_papers_equations(spec, density, gates):
    torch.manual_seed(0)
    memory = spec.build(INPUTS).double()
    with torch.no_grad():
        for parameter in memory.parameters():
            parameter.normal_(0.0, 0.5)
        (memory.gates if isinstance(spec, MLSTM) else memory.projection).weight.mul_(gates)
    inputs, starts = torch.randn(STEPS, COLUMNS, INPUTS).double(), torch.rand(STEPS, COLUMNS) < density
    oracle = slstm_by_the_paper if isinstance(spec, SLSTM) else mlstm_by_the_paper
    found, expected = memory(inputs, memory.initial_state(COLUMNS), starts)[0], oracle(spec, memory, inputs, starts)
    torch.testing.assert_close(found, expected, atol=1e-10, rtol=0)
    weights = torch.randn_like(found)
    parameters = list(memory.parameters())
    gradients = [torch.autograd.grad((x * weights).sum(), parameters) for x in (found, expected)]
    for one, other in zip(*gradients, strict=True):
        assert (one - other).abs().max() <= 1e-10 * max(1.0, other.abs().max().item())


@pytest.mark.parametrize("bias", [-1e4, -100.0, 0.0, 100.0, 1e4])
@pytest.mark.parametrize("steps", [1, 3])
def test_the_first_output_of_slstm_is_its_gated_input_whatever_the_gates(bias, steps):
    """c / n = z at the first step: exp(i~) cancels, also where it would be zero or infinite in float32."""
    memory = SLSTM(hidden_size=4, num_heads=2).build(INPUTS)
    with torch.no_grad():
        memory.projection.bias.view(2, 4, 2)[:, 1] = bias
    inputs = torch.randn(steps, 2, INPUTS)
    outputs, _ = memory(inputs, memory.initial_state(2), torch.zeros(steps, 2, dtype=torch.bool))
    z, _, _, o = memory.projection(inputs[0]).unflatten(-1, (2, 4, 2)).unbind(2)
    torch.testing.assert_close(outputs[0], (sigmoid(o) * tanh(z)).flatten(1))


@pytest.mark.parametrize("scale", [1.0, 30.0, 1e3])
@pytest.mark.parametrize("bias", [-1e4, 0.0, 1e4])
@pytest.mark.parametrize("spec", [SPECS[0], SPECS[2]], ids=repr)
def test_any_weights_give_finite_outputs_and_gradients_over_many_steps(spec, scale, bias):
    torch.manual_seed(0)
    memory = spec.build(INPUTS)
    with torch.no_grad():
        for name, parameter in memory.named_parameters():
            parameter.normal_(0.0, scale)
            if name in ("gates.bias", "projection.bias"):
                parameter.add_(bias * torch.sign(torch.randn_like(parameter)))
    steps = 2000 if isinstance(spec, MLSTM) else 400  # the other is slower, and forgets sooner
    inputs = torch.randn(steps, 2, INPUTS)
    outputs, state = memory(inputs, memory.initial_state(2), torch.zeros(steps, 2, dtype=torch.bool))
    outputs.sum().backward()
    assert outputs.isfinite().all()
    assert all(leaf.isfinite().all() for leaf in state)
    assert all(parameter.grad.isfinite().all() for parameter in memory.parameters())
    if isinstance(spec, SLSTM):
        assert outputs.abs().max() <= 1.0 + 1e-6


def test_chunks_are_exact_in_float32_beside_a_gate_that_closed_for_good():
    """Sums of log f are not differences of large sums: what follows a row with log f = -1e6 keeps its digits."""
    torch.manual_seed(0)
    memory = MLSTM(hidden_size=4, num_heads=1).build(INPUTS)
    with torch.no_grad():
        memory.gates.weight.zero_()
        memory.gates.weight[1, 0] = 1e6
    inputs = torch.randn(CHUNK, 2, INPUTS).mul(1e-6 * torch.tensor([1.0, 1e6, 1e6]))
    inputs[3, :, 0] = -1.0
    starts = torch.zeros(CHUNK, 2, dtype=torch.bool)
    found, _ = memory(inputs, memory.initial_state(2), starts)
    double = memory.double()
    expected, _ = double(inputs.double(), double.initial_state(2), starts)
    torch.testing.assert_close(found.double(), expected, atol=1e-5, rtol=1e-5)


def test_a_loud_input_outweighs_everything_stored():
    """What exponential gating is for: a sigmoid gate could at most add to a memory of 50 writes."""
    memory = SLSTM(hidden_size=1, num_heads=1).build(2)
    with torch.no_grad():
        for parameter in memory.parameters():
            parameter.zero_()
        memory.projection.weight[0, 0] = 1.0  # z = tanh(x0), i~ = x1
        memory.projection.weight[1, 1] = 1.0
        memory.projection.bias[2] = memory.projection.bias[3] = 50.0  # keep everything, say everything
    inputs = torch.tensor([[0.5, 0.0]] * 50 + [[-0.5, 20.0], [0.5, 0.0]]).unsqueeze(1)
    outputs, _ = memory(inputs, memory.initial_state(1), torch.zeros(52, 1, dtype=torch.bool))
    torch.testing.assert_close(outputs[49:, 0, 0], torch.tanh(torch.tensor([0.5, -0.5, -0.5])), atol=1e-5, rtol=0)


def test_slstm_keeps_the_mean_of_its_inputs_with_open_gates():
    memory = SLSTM(hidden_size=1, num_heads=1).build(1)
    with torch.no_grad():
        for parameter in memory.parameters():
            parameter.zero_()
        memory.projection.weight[0] = 1.0
        memory.projection.bias[2] = memory.projection.bias[3] = 50.0
    inputs = torch.randn(40, 1, 1)
    outputs, _ = memory(inputs, memory.initial_state(1), torch.zeros(40, 1, dtype=torch.bool))
    means = torch.tanh(inputs).cumsum(0) / torch.arange(1, 41).view(-1, 1, 1)
    torch.testing.assert_close(outputs, means, atol=1e-5, rtol=0)


@pytest.mark.parametrize("steps", [1, 2, CHUNK + 1, 3 * CHUNK])
def test_the_scale_of_mlstm_is_the_largest_log_weight_of_its_episode(steps):
    memory = MLSTM(hidden_size=4, num_heads=2).build(INPUTS).double()
    inputs, starts = torch.randn(steps, 2, INPUTS).double(), torch.rand(steps, 2) < 0.05
    _, (_, scale) = memory(inputs, memory.initial_state(2), starts)
    expected = torch.full((2, 2), EMPTY, dtype=torch.float64)
    for row, start in zip(memory.gates(inputs), starts, strict=True):
        expected = torch.where(start.unsqueeze(-1), EMPTY, expected)
        expected = torch.maximum(logsigmoid(row[:, 2:]) + expected, row[:, :2])
    torch.testing.assert_close(scale, expected, atol=1e-10, rtol=0)


def test_the_initial_state_is_finite_and_so_is_its_square():
    for spec in (SLSTM(), MLSTM()):
        assert all(leaf.square().isfinite().all() for leaf in spec.build(INPUTS).initial_state(2))


def test_xlstm_is_a_stack_of_the_cells_that_it_names():
    memory = XLSTM(hidden_size=6, num_heads=3, cells=("slstm", "mlstm", "mlstm")).build(INPUTS)
    cells = [layer.inner.inner for layer in memory.layers[1:]]
    assert [type(cell) for cell in cells] == [SLSTMMemory, MLSTMMemory, MLSTMMemory]
    assert [cell.heads for cell in cells] == [3, 3, 3]
    assert memory.output_size == 6


@pytest.mark.parametrize("spec", [SLSTM, MLSTM, XLSTM])
@pytest.mark.parametrize(
    ("fields", "named"),
    [({"hidden_size": 0}, "hidden_size"), ({"num_heads": 2.0}, "num_heads"), ({"num_heads": 3}, "num_heads")],
)
def test_bad_fields_are_refused_by_name(spec, fields, named):
    with pytest.raises(ValueError, match=f"{named} must"):
        spec(**fields)


@pytest.mark.parametrize("cells", [(), ("lstm",)])
def test_an_unknown_cell_is_refused_by_name(cells):
    with pytest.raises(ValueError, match="cells must"):
        XLSTM(cells=cells)


@pytest.mark.parametrize("spec", SPECS, ids=repr)
@pytest.mark.parametrize("steps", [1, 5])
def test_under_autocast_the_state_stays_float32(spec, steps):
    memory = spec.build(INPUTS)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        _, state = memory(torch.randn(steps, 2, 3), memory.initial_state(2), torch.zeros(steps, 2, dtype=torch.bool))
    assert all(leaf.dtype == torch.float32 for leaf in state)
