"""The TCN is the paper's: causal convolutions with their ends cut off, and residual blocks."""

import pytest
import torch
from torch import nn

from recurrent_rl.sequence.models import TCN


def papers(model, spec, inputs):
    """The paper's code: convolutions padded on both sides, of which the last outputs are cut off. [T, B, I]."""
    x = inputs.permute(1, 2, 0)
    for level, block in enumerate(model.blocks):
        inner = x
        for layer in (block.first, block.second):
            padding = (spec.kernel_size - 1) * 2**level
            size = inner.shape[1], spec.hidden_size, spec.kernel_size
            convolution = nn.Conv1d(*size, padding=padding, dilation=2**level, dtype=inputs.dtype)
            with torch.no_grad():
                convolution.weight.copy_(layer.weight)
                convolution.bias.copy_(layer.bias)
            inner = torch.relu(convolution(inner)[..., : inner.shape[-1]])
        x = torch.relu(inner + block.around(x))
    return x.permute(2, 0, 1)


@pytest.mark.parametrize("weight_norm", [True, False])
@pytest.mark.parametrize(("levels", "kernel"), [(1, 2), (3, 3), (2, 7)])
def test_outputs_are_those_of_the_papers_code(levels, kernel, weight_norm):
    torch.manual_seed(0)
    spec = TCN(hidden_size=5, num_levels=levels, kernel_size=kernel, weight_norm=weight_norm)
    model, inputs = spec.build(3).double(), torch.randn(20, 2, 3, dtype=torch.float64)
    outputs, _ = model(inputs, torch.tensor([20, 20]))
    torch.testing.assert_close(outputs, papers(model, spec, inputs), atol=1e-12, rtol=0)


@pytest.mark.parametrize("causal", [True, False])
@pytest.mark.parametrize(("levels", "kernel"), [(1, 3), (3, 3), (2, 5)])
def test_an_output_sees_exactly_as_many_steps_as_the_spec_says(levels, kernel, causal):
    torch.manual_seed(0)
    spec = TCN(hidden_size=16, num_levels=levels, kernel_size=kernel, causal=causal)
    model, inputs = spec.build(2).double(), torch.randn(60, 1, 2, dtype=torch.float64).requires_grad_()
    outputs, _ = model(inputs, torch.tensor([60]))
    (gradient,) = torch.autograd.grad(outputs[30].sum(), inputs)
    seen = (gradient.abs().sum((1, 2)) > 0).nonzero().flatten()
    last = 30 if causal else 30 + spec.reach // 2
    assert (seen.min().item(), seen.max().item()) == (last - spec.reach + 1, last)


def test_where_it_is_not_causal_no_convolution_sees_what_is_after_an_end():
    """A sequence with padding gives what it gives alone, though biases make inner layers of padding nonzero."""
    torch.manual_seed(0)
    model, inputs = TCN(hidden_size=5, num_levels=3, causal=False).build(3), torch.randn(12, 2, 3)
    nn.init.constant_(model.blocks[0].first.bias, 1.0)
    outputs, state = model(inputs, torch.tensor([12, 5]))
    alone, _ = model(inputs[:5, 1:], torch.tensor([5]))
    torch.testing.assert_close(outputs[:5, 1:], alone)
    torch.testing.assert_close(model.summary(outputs, torch.tensor([12, 5]))[1], alone.mean((0, 1)))
    assert state is None


def test_the_state_has_the_same_size_after_any_number_of_steps():
    model = TCN(hidden_size=4, num_levels=3).build(2)
    for steps in (1, 5, 50):
        _, state = model(torch.randn(steps, 3, 2), torch.tensor([steps] * 3))
        assert [tuple(leaf.shape) for leaf in state] == [
            *[(3, 2, 2), (3, 4, 2)],
            *[(3, 4, 4), (3, 4, 4)],
            *[(3, 4, 8), (3, 4, 8)],
        ]


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({"hidden_size": 0}, "hidden_size"),
        ({"kernel_size": 2, "causal": False}, "kernel_size"),
        ({"dropout": -0.1}, "dropout"),
    ],
)
def test_bad_fields_are_refused_by_name(fields, name):
    with pytest.raises(ValueError, match=f"{name} must"):
        TCN(**fields)
