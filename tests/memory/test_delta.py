"""Matrix memories are their papers' equations, store what is written under a key, and stay bounded."""

import pytest
import torch
from torch.nn.functional import elu, normalize, sigmoid, silu

from recurrent_rl.memory.delta import DeltaNet, FastWeights, convolve, positive, unit
from recurrent_rl.testing import check_memory

SPECS = [
    FastWeights(hidden_size=6, num_heads=2),
    FastWeights(hidden_size=5, num_heads=1),
    FastWeights(hidden_size=6, num_heads=3, update="sum"),
    DeltaNet(hidden_size=6, num_heads=2),
    DeltaNet(hidden_size=6, num_heads=3, convolution=1),
    DeltaNet(hidden_size=4, num_heads=1, convolution=7),
]
STEPS, COLUMNS, INPUTS = 70, 3, 3


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=str)
@pytest.mark.parametrize("spec", [*SPECS, FastWeights(), FastWeights(update="sum"), DeltaNet()], ids=repr)
def test_memory_keeps_the_contract(spec, dtype):
    check_memory(spec, dtype=dtype)


def phi(x):
    return (elu(x) + 1) / (elu(x) + 1).sum(-1, keepdim=True)


def heads(spec, x):
    """Return x [B, H] as [B, N, K]."""
    return x.unflatten(-1, (spec.num_heads, -1))


def fast_weights_by_the_paper(spec, memory, inputs, starts):
    queries, keys, values = memory.projection.weight.chunk(3)
    size = spec.hidden_size // spec.num_heads
    outputs = []
    for t, x in enumerate(inputs):
        if t == 0:
            fast, total = x.new_zeros(COLUMNS, spec.num_heads, size, size), x.new_zeros(COLUMNS, spec.num_heads, size)
        fast, total = (torch.where(starts[t].view(-1, *[1] * (s.dim() - 1)), 0.0, s) for s in (fast, total))
        q, k, v = phi(heads(spec, x @ queries.T)), phi(heads(spec, x @ keys.T)), heads(spec, x @ values.T)
        if spec.update == "delta":
            rate = sigmoid(memory.rate(x)).unsqueeze(-1)
            v = rate * (v - torch.einsum("bnij,bnj->bni", fast, k))
        fast, total = fast + v.unsqueeze(-1) * k.unsqueeze(-2), total + k
        read = torch.einsum("bnij,bnj->bni", fast, q)
        if spec.update == "sum":
            read = read / (total * q).sum(-1, keepdim=True)
        outputs.append(read.flatten(1) @ memory.output.weight.T)
    return torch.stack(outputs)


def delta_net_by_the_paper(spec, memory, inputs, starts):
    size = spec.hidden_size // spec.num_heads
    history = [[] for _ in range(COLUMNS)]
    outputs, fast = [], inputs.new_zeros(COLUMNS, spec.num_heads, size, size)
    for t, x in enumerate(inputs):
        fast = torch.where(starts[t].view(-1, 1, 1, 1), 0.0, fast)
        seen = []
        for b in range(COLUMNS):
            history[b] = [*([] if starts[t, b] else history[b]), memory.projection.weight @ x[b]]
            recent = history[b][-spec.convolution :]
            seen.append(sum(memory.taps[-1 - lag] * row for lag, row in enumerate(reversed(recent))))
        q, k, v = (heads(spec, part) for part in silu(torch.stack(seen)).chunk(3, dim=-1))
        q, k = normalize(q, dim=-1), normalize(k, dim=-1)
        rate = sigmoid(x @ memory.rate.weight.T).unsqueeze(-1).unsqueeze(-1)
        erasing = torch.eye(size).double() - rate * k.unsqueeze(-1) * k.unsqueeze(-2)
        fast = fast @ erasing + rate * v.unsqueeze(-1) * k.unsqueeze(-2)
        read = torch.einsum("bnij,bnj->bni", fast, q)
        read = memory.norm.weight * read / (read.square().mean(-1, keepdim=True) + 1e-5).sqrt()
        outputs.append(read.flatten(1) @ memory.output.weight.T)
    return torch.stack(outputs)


@pytest.mark.parametrize("density", [0.0, 0.1])
@pytest.mark.parametrize("spec", SPECS, ids=repr)
def test_outputs_and_gradients_are_those_of_the_papers_equations(spec, density, monkeypatch):
    monkeypatch.setattr("recurrent_rl.memory.delta.FLOOR", 0.0)  # the papers have none
    torch.manual_seed(0)
    memory = spec.build(INPUTS).double()
    inputs, starts = torch.randn(STEPS, COLUMNS, INPUTS).double(), torch.rand(STEPS, COLUMNS) < density
    oracle = delta_net_by_the_paper if isinstance(spec, DeltaNet) else fast_weights_by_the_paper
    found, expected = memory(inputs, memory.initial_state(COLUMNS), starts)[0], oracle(spec, memory, inputs, starts)
    torch.testing.assert_close(found, expected, atol=1e-10, rtol=0)
    weights = torch.randn_like(found)
    parameters = list(memory.parameters())
    gradients = [torch.autograd.grad((x * weights).sum(), parameters) for x in (found, expected)]
    for one, other in zip(*gradients, strict=True):
        torch.testing.assert_close(one, other, atol=1e-10, rtol=1e-10)


@pytest.mark.parametrize("scale", [1.0, 100.0])
@pytest.mark.parametrize("spec", SPECS, ids=repr)
def test_any_weights_stay_stable_over_2000_steps(spec, scale):
    torch.manual_seed(0)
    memory = spec.build(INPUTS)
    with torch.no_grad():
        for name, parameter in memory.named_parameters():
            if name.startswith(("projection", "rate")):
                parameter.normal_(0.0, scale)
    inputs = torch.randn(2000, 2, INPUTS)
    outputs, _ = memory(inputs, memory.initial_state(2), torch.zeros(2000, 2, dtype=torch.bool))
    values = (inputs @ memory.projection.weight[-spec.hidden_size :].T).abs().max()
    assert outputs.isfinite().all()
    assert outputs.abs().max() < 100 * max(1.0, values.item())


@pytest.mark.parametrize("update", ["delta", "sum"])
def test_fast_weights_have_finite_gradients_where_all_components_are_far_below_zero(update):
    keys = torch.full((2, 3), -1e4, requires_grad=True)
    mapped = positive(keys)
    torch.testing.assert_close(mapped, torch.full((2, 3), 1 / 3))
    assert torch.autograd.grad(mapped.square().sum(), keys)[0].isfinite().all()


def test_a_key_is_no_longer_than_one_and_has_a_finite_gradient_at_zero():
    keys = torch.cat([torch.zeros(1, 4), torch.randn(9, 4)]).requires_grad_()
    lengths = unit(keys).norm(dim=-1)
    assert (lengths <= 1).all()
    assert torch.autograd.grad(lengths.sum() + unit(keys).sum(), keys)[0].isfinite().all()


def test_a_convolution_sees_the_last_rows_of_its_own_episode():
    rows, starts = torch.arange(1.0, 6.0).view(5, 1, 1), torch.tensor([[False], [False], [False], [True], [False]])
    taps, entry = torch.tensor([[100.0], [10.0], [1.0]]), torch.tensor([[[7.0], [8.0]]])
    convolved, leaving = convolve(rows, taps, entry, starts)
    assert convolved.flatten().tolist() == [781.0, 812.0, 123.0, 4.0, 45.0]
    assert leaving.flatten().tolist() == [4.0, 5.0]
    assert convolve(rows[:4], taps, entry, starts[:4])[1].flatten().tolist() == [0.0, 4.0]


def test_hand_set_weights_recall_the_value_last_written_under_each_key():
    """A delta rule overwrites; a sum cannot forget."""
    key = torch.eye(4)
    order = [0, 1, 2, 1, 3, 0, 2]
    inputs = torch.stack([torch.cat([key[i], torch.tensor([float(t + 1)])]) for t, i in enumerate(order)])
    memory = DeltaNet(hidden_size=4, num_heads=1, convolution=1).build(5)
    with torch.no_grad():
        weight = torch.zeros(3, 4, 5)
        weight[0, :, :4] = weight[1, :, :4] = 100 * torch.eye(4)  # queries and keys say which, silu leaves them
        weight[2, 0, 4] = 100.0  # the value is t + 1
        memory.projection.weight.copy_(weight.flatten(0, 1))
        memory.taps.fill_(1.0)
        memory.rate.weight.fill_(100.0)
    _, (stored, _) = memory(inputs.unsqueeze(1), memory.initial_state(1), torch.zeros(7, 1, dtype=torch.bool))
    torch.testing.assert_close(stored[0, 0, 0], 100 * torch.tensor([6.0, 4.0, 7.0, 5.0]), atol=0.01, rtol=1e-4)


@pytest.mark.parametrize(
    ("spec", "fields", "named"),
    [
        (FastWeights, {"hidden_size": 0}, "hidden_size"),
        (FastWeights, {"num_heads": 3}, "num_heads"),
        (FastWeights, {"update": "product"}, "update"),
        (DeltaNet, {"num_heads": 0}, "num_heads"),
        (DeltaNet, {"hidden_size": 6.0}, "hidden_size"),
        (DeltaNet, {"convolution": 0}, "convolution"),
    ],
)
def test_bad_fields_are_refused_by_name(spec, fields, named):
    with pytest.raises(ValueError, match=f"{named} must"):
        spec(**fields)


@pytest.mark.parametrize("spec", SPECS, ids=repr)
def test_under_autocast_the_state_stays_float32(spec):
    memory = spec.build(INPUTS)
    for steps in (1, 5):
        with torch.autocast("cpu", dtype=torch.bfloat16):
            _, state = memory(
                torch.randn(steps, 2, 3), memory.initial_state(2), torch.zeros(steps, 2, dtype=torch.bool)
            )
        assert all(leaf.dtype == torch.float32 for leaf in state)
