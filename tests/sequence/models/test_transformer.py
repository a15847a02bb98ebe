"""The Transformer is torch's own layer with norms first; its positions tell distances, at any length."""

import pytest
import torch
from torch import nn

from recurrent_rl.sequence.models import Transformer
from recurrent_rl.sequence.models.positions import angles, rotate, sinusoids

LENGTHS = torch.tensor([7, 3, 1])


def torchs(model):
    """Torch's encoder with the weights of a model."""
    spec = model.spec
    layer = nn.TransformerEncoderLayer(
        spec.hidden_size, spec.num_heads, spec.mlp_size, 0.0, "gelu", norm_first=True, dtype=torch.float64
    )
    encoder = nn.TransformerEncoder(layer, spec.num_layers, nn.LayerNorm(spec.hidden_size), enable_nested_tensor=False)
    for theirs, ours in zip(encoder.layers, model.layers, strict=True):
        pairs = [
            (theirs.self_attn.out_proj, ours.combine),
            (theirs.linear1, ours.mlp[0]),
            (theirs.linear2, ours.mlp[2]),
            (theirs.norm1, ours.attention_norm),
            (theirs.norm2, ours.mlp_norm),
        ]
        for their, our in pairs:
            their.load_state_dict(our.state_dict())
        theirs.self_attn.in_proj_weight.data.copy_(ours.project.weight)
        theirs.self_attn.in_proj_bias.data.copy_(ours.project.bias)
    return encoder.double()


@pytest.mark.parametrize("causal", [True, False])
@pytest.mark.parametrize("positions", ["none", "sinusoidal"])
def test_outputs_are_those_of_torchs_encoder(positions, causal):
    torch.manual_seed(0)
    spec = Transformer(hidden_size=8, num_heads=2, mlp_size=12, positions=positions, causal=causal)
    model, inputs = spec.build(3).double(), torch.randn(7, 3, 3, dtype=torch.float64)
    for parameter in model.layers.parameters():
        nn.init.normal_(parameter, std=0.5)
    x = model.embed(inputs)
    if positions == "sinusoidal":
        x = x + sinusoids(7, 8, x).unsqueeze(1)
    padding = torch.arange(7) >= LENGTHS.unsqueeze(1)
    mask = torch.ones(7, 7, dtype=torch.bool).triu(1) if causal else None
    expected = torchs(model)(x, mask=mask, src_key_padding_mask=padding)
    outputs, _ = model(inputs, LENGTHS)
    within = ~padding.T
    torch.testing.assert_close(outputs[within], expected[within], atol=1e-10, rtol=0)


def test_products_of_turned_rows_depend_on_their_distance_alone():
    torch.manual_seed(0)
    query, key = torch.randn(2, 8, dtype=torch.float64)
    turns = angles(1000, 8, query)
    for distance in (0, 1, 7, 100):
        products = [rotate(query, turns[t]) @ rotate(key, turns[t - distance]) for t in (distance, 500, 999)]
        torch.testing.assert_close(products[1], products[0])
        torch.testing.assert_close(products[2], products[0])
    other = rotate(query, turns[3]) @ rotate(key, turns[1])
    assert (other - query @ key).abs() > 1e-3


def test_turning_is_multiplication_by_unit_complex_numbers():
    torch.manual_seed(0)
    x = torch.randn(5, 8, dtype=torch.float64)
    turns = angles(5, 8, x)
    expected = torch.complex(x[:, :4], x[:, 4:]) * torch.polar(torch.ones_like(turns), turns)
    torch.testing.assert_close(rotate(x, turns), torch.cat([expected.real, expected.imag], dim=-1))


def test_rotary_attention_is_softmax_over_products_of_turned_complex_numbers():
    torch.manual_seed(0)
    model = Transformer(hidden_size=8, num_heads=2, num_layers=1).build(3).double()
    layer, x = model.layers[0], torch.randn(1, 6, 8, dtype=torch.float64)
    turns = angles(6, 4, x)
    queries, keys, values = layer.project(x[0]).view(6, 3, 2, 4).permute(1, 2, 0, 3)  # [heads, T, d]
    turned = [torch.complex(*rows.chunk(2, -1)) * torch.polar(turns * 0 + 1, turns) for rows in (queries, keys)]
    scores = (turned[0] @ turned[1].mH).real / 2  # / sqrt(d)
    mask = torch.ones(6, 6, dtype=torch.bool).triu(1)
    expected = scores.masked_fill(mask, -torch.inf).softmax(-1) @ values
    found = layer._attend(x, None, turns)
    torch.testing.assert_close(found[0], layer.combine(expected.transpose(0, 1).flatten(1)))


def test_sinusoids_are_the_papers():
    found = sinusoids(50, 6, torch.zeros((), dtype=torch.float64))
    for t, i in ((0, 0), (3, 1), (49, 2)):
        angle = torch.tensor(t / 10000 ** (2 * i / 6), dtype=torch.float64)
        torch.testing.assert_close(found[t, 2 * i : 2 * i + 2], torch.stack([angle.sin(), angle.cos()]))


def test_in_half_precision_late_positions_are_exact_to_its_own_rounding():
    """In bfloat16 the number 999 is 1000, and an angle of 999 is that of another step."""
    half, rows = torch.zeros((), dtype=torch.bfloat16), torch.ones(1000, 8)
    found, exact = sinusoids(1000, 8, half), sinusoids(1000, 8, half.double())
    assert found.dtype == torch.bfloat16
    torch.testing.assert_close(found.double(), exact, atol=5e-3, rtol=0)
    turned, wanted = (
        rotate(rows.bfloat16(), angles(1000, 8, half)),
        rotate(rows.double(), angles(1000, 8, half.double())),
    )
    assert turned.dtype == torch.bfloat16
    torch.testing.assert_close(turned.double(), wanted, atol=1e-2, rtol=0)


@pytest.mark.parametrize("positions", ["rotary", "sinusoidal"])
def test_positions_make_order_matter_where_steps_see_both_ways_and_without_them_it_does_not(positions):
    torch.manual_seed(0)
    inputs, order, lengths = torch.randn(6, 1, 3), torch.tensor([4, 1, 5, 0, 2, 3]), torch.tensor([6])
    for kind, differs in ((positions, True), ("none", False)):
        model = Transformer(hidden_size=8, num_heads=2, positions=kind, causal=False).build(3)
        one, other = model(inputs, lengths)[0][order], model(inputs[order], lengths)[0]
        assert ((one - other).abs().max() > 1e-3) == differs


@pytest.mark.parametrize("positions", ["rotary", "sinusoidal", "none"])
def test_sequences_longer_than_any_limit_are_read(positions):
    model = Transformer(hidden_size=8, num_heads=2, num_layers=1, positions=positions).build(2)
    outputs, _ = model(torch.randn(2500, 1, 2), torch.tensor([2500]))
    assert outputs.isfinite().all()


def test_the_summary_is_the_last_output_or_where_not_causal_the_mean_within_lengths():
    torch.manual_seed(0)
    for causal in (True, False):
        model = Transformer(hidden_size=8, causal=causal).build(2)
        outputs, state = model(torch.randn(7, 3, 2), LENGTHS)
        expected = [outputs[n - 1, b] if causal else outputs[:n, b].mean(0) for b, n in enumerate(LENGTHS.tolist())]
        torch.testing.assert_close(model.summary(outputs, LENGTHS), torch.stack(expected))
        assert state is None


def test_dropout_is_on_in_training_alone():
    torch.manual_seed(0)
    model, inputs = Transformer(hidden_size=8, dropout=0.5).build(2), torch.randn(5, 1, 2)
    draws = [model(inputs, torch.tensor([5]))[0] for _ in range(2)]
    assert not torch.equal(*draws)
    model.eval()
    assert torch.equal(*[model(inputs, torch.tensor([5]))[0] for _ in range(2)])


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({"num_heads": 3}, "num_heads"),
        ({"hidden_size": 12, "num_heads": 4}, "hidden_size"),
        ({"hidden_size": 9, "num_heads": 3, "positions": "sinusoidal"}, "hidden_size"),
        ({"positions": "learned"}, "positions"),
        ({"mlp_size": 0}, "mlp_size"),
    ],
)
def test_bad_fields_are_refused_by_name(fields, name):
    with pytest.raises(ValueError, match=f"{name} must"):
        Transformer(**fields)
