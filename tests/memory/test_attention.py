"""The attention memory keeps the contract, and is torch's attention under a mask of one's own last M steps."""

import pytest
import torch
from torch import nn

from recurrent_rl.memory.attention import Attention
from recurrent_rl.testing import check_memory

SPECS = [
    Attention(),
    Attention(hidden_size=6, num_heads=2, window=1),
    Attention(hidden_size=6, num_heads=3, window=4),
    Attention(hidden_size=5, num_heads=1, window=2),
]


def perturbed(spec, input_size):
    memory = spec.build(input_size).double()
    with torch.no_grad():
        for parameter in memory.parameters():
            parameter.add_(0.3 * torch.randn_like(parameter))
    return memory


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=str)
@pytest.mark.parametrize("spec", SPECS, ids=repr)
def test_attention_keeps_the_contract(spec, dtype):
    check_memory(spec, dtype=dtype)


def torch_attention(memory, inputs, starts, window):
    """Outputs of `nn.MultiheadAttention` with the same weights and an explicit [T, T] mask for each column."""
    steps, columns, size = inputs.shape
    theirs = nn.MultiheadAttention(size, memory.spec.num_heads, dtype=inputs.dtype)
    weights = {
        "in_proj_weight": memory.project.weight,
        "in_proj_bias": memory.project.bias,
        "out_proj.weight": memory.combine.weight,
        "out_proj.bias": memory.combine.bias,
    }
    rows, episode = torch.arange(steps), starts.cumsum(0)
    distance = rows.unsqueeze(1) - rows
    outputs = []
    for b in range(columns):
        same = episode[:, b].unsqueeze(1) == episode[:, b]
        visible = (distance >= 0) & (distance < window) & same
        mask = torch.where(visible, memory.bias[:, distance.clamp(0, window - 1)], -torch.inf)  # [heads, T, T]
        column = inputs[:, b : b + 1]
        call = {"attn_mask": mask, "need_weights": False}
        outputs.append(torch.func.functional_call(theirs, weights, (column, column, column), call)[0])
    return torch.cat(outputs, dim=1)


@pytest.mark.parametrize("density", [0.0, 0.1])
@pytest.mark.parametrize("window", [1, 5, 16, 70])
def test_attention_is_torchs_under_a_mask_with_gradients(window, density):
    torch.manual_seed(0)
    memory = perturbed(Attention(hidden_size=6, num_heads=2, window=window), 6)
    inputs = torch.randn(61, 3, 6).double().requires_grad_()
    starts = torch.rand(61, 3) < density
    results = []
    for outputs in (
        memory(inputs, memory.initial_state(3), starts)[0],
        torch_attention(memory, inputs, starts, window),
    ):
        weights = torch.randn(outputs.shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
        gradients = torch.autograd.grad((outputs * weights).sum(), [inputs, *memory.parameters()])
        results.append((outputs, *gradients))
    for one, other in zip(*results, strict=True):
        torch.testing.assert_close(one, other, atol=1e-10, rtol=0)


def test_a_bias_by_hand_repeats_what_was_seen_k_steps_before():
    k, size = 5, 3
    memory = Attention(hidden_size=size, num_heads=1, window=8).build(size).double()
    with torch.no_grad():
        memory.project.weight.zero_()
        memory.project.weight[2 * size :] = torch.eye(size)  # values are the inputs
        memory.combine.weight.copy_(torch.eye(size))
        memory.bias[0, k] = 100.0
    inputs, starts = torch.randn(100, 2, size).double(), torch.zeros(100, 2, dtype=torch.bool)
    starts[40, 1] = True
    outputs, _ = memory(inputs, memory.initial_state(2), starts)
    torch.testing.assert_close(outputs[k:, 0], inputs[:-k, 0], atol=1e-10, rtol=0)
    torch.testing.assert_close(outputs[45:, 1], inputs[40:-k, 1], atol=1e-10, rtol=0)
    torch.testing.assert_close(outputs[41, 1], inputs[40:42, 1].mean(0), atol=1e-10, rtol=0)  # all it has seen


def test_what_the_window_has_left_has_no_influence_and_what_it_holds_has():
    memory = perturbed(Attention(hidden_size=4, num_heads=2, window=7), 3)
    inputs, starts = torch.randn(50, 1, 3).double().requires_grad_(), torch.zeros(50, 1, dtype=torch.bool)
    outputs, _ = memory(inputs, memory.initial_state(1), starts)
    (gradient,) = torch.autograd.grad(outputs[40].sum(), inputs)
    assert (gradient.abs().sum((1, 2)) > 0).nonzero().flatten().tolist() == list(range(34, 41))


@pytest.mark.parametrize("steps", [1, 4])
def test_state_holds_the_present_episode_and_what_is_before_it_does_not_count(steps):
    memory = perturbed(Attention(hidden_size=4, num_heads=2, window=6), 3)
    starts = torch.zeros(9, 2, dtype=torch.bool)
    starts[6, 0] = True
    rows, held = memory(torch.randn(9, 2, 3).double(), memory.initial_state(2), starts)[1]
    assert held.tolist() == [3, 5]
    assert (rows[0] == 0).all(-1).tolist() == [True, True, False, False, False]
    assert (rows[1] != 0).all()
    stale = rows.clone()
    stale[0, :2] = torch.nan
    inputs, flags = torch.randn(steps, 2, 3).double(), starts[:steps]
    torch.testing.assert_close(memory(inputs, (stale, held), flags), memory(inputs, (rows, held), flags))


def test_states_stay_float32_under_autocast():
    memory = Attention(hidden_size=8, window=4).build(3)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        for steps in (1, 9):
            starts = torch.zeros(steps, 2, dtype=torch.bool)
            outputs, (rows, _) = memory(torch.randn(steps, 2, 3), memory.initial_state(2), starts)
            assert outputs.dtype == rows.dtype == torch.float32


@pytest.mark.parametrize(
    ("field", "fields"),
    [
        ("hidden_size", {"hidden_size": 0}),
        ("num_heads", {"num_heads": 0}),
        ("num_heads", {"hidden_size": 10, "num_heads": 4}),
        ("window", {"window": 0}),
        ("window", {"window": 2.0}),
    ],
)
def test_bad_fields_are_named(field, fields):
    with pytest.raises(ValueError, match=field + " must"):
        Attention(**fields)
