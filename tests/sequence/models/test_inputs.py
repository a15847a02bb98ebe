"""Inputs become vectors, and one mask drops the same units of a sequence at all its steps."""

import pytest
import torch

from recurrent_rl.sequence.models import Inputs
from recurrent_rl.sequence.models.inputs import variational_dropout


def test_symbols_are_embedded_and_features_mapped_or_left_as_they_are():
    torch.manual_seed(0)
    symbols, features = torch.tensor([[0, 4], [2, 1]]), torch.randn(2, 3, 5)
    layer = Inputs(symbols=5, size=3).build()
    torch.testing.assert_close(layer(symbols), layer.layer.weight[symbols])
    assert torch.equal(Inputs(features=5).build()(features), features)
    assert Inputs(features=5, size=7).build()(features).shape == (2, 3, 7)


def test_symbols_in_columns_are_added_up():
    torch.manual_seed(0)
    layer, symbols = Inputs(symbols=9, columns=2, size=3).build(), torch.tensor([[[0, 4], [2, 8]]])
    added = layer.layer.weight[symbols[..., 0]] + layer.layer.weight[symbols[..., 1]]
    torch.testing.assert_close(layer(symbols), added)


@pytest.mark.parametrize(
    ("spec", "width"),
    [
        (Inputs(symbols=9), 64),
        (Inputs(symbols=9, size=3), 3),
        (Inputs(features=9), 9),
        (Inputs(features=9, size=3), 3),
    ],
)
def test_the_width_is_the_size_of_the_vectors(spec, width):
    inputs = torch.zeros(2, 1, dtype=torch.int64) if spec.features is None else torch.zeros(2, 1, 9)
    assert spec.width == spec.build()(inputs).shape[-1] == width


def test_one_mask_for_each_sequence_is_the_same_at_all_its_steps():
    torch.manual_seed(0)
    dropped = variational_dropout(torch.ones(7, 4, 50), 0.4, training=True)
    assert (dropped == dropped[0]).all()
    assert sorted(dropped.unique().tolist()) == pytest.approx([0.0, 1 / 0.6])
    assert not torch.equal(dropped[0, 0], dropped[0, 1])
    assert not torch.equal(dropped, variational_dropout(torch.ones(7, 4, 50), 0.4, training=True))


def test_what_is_kept_is_scaled_so_that_the_mean_stays():
    torch.manual_seed(0)
    assert abs(variational_dropout(torch.ones(1, 200, 500), 0.3, training=True).mean().item() - 1) < 0.01


def test_nothing_is_dropped_in_evaluation():
    layer, inputs = Inputs(features=3, dropout=0.9).build(), torch.randn(4, 2, 3)
    assert not torch.equal(layer(inputs), inputs)
    assert torch.equal(layer.eval()(inputs), inputs)


@pytest.mark.parametrize(
    ("spec", "inputs"),
    [
        (Inputs(features=3), torch.zeros(2, 1, 4)),
        (Inputs(features=3), torch.zeros(2, 1, dtype=torch.int64)),
        (Inputs(symbols=3), torch.zeros(2, 1, 3)),
        (Inputs(symbols=3), torch.zeros(2, 1)),
        (Inputs(symbols=3), torch.zeros(2, 1, 2, dtype=torch.int64)),
        (Inputs(symbols=3, columns=2), torch.zeros(2, 1, dtype=torch.int64)),
        (Inputs(symbols=3, columns=2), torch.zeros(2, 1, 3, dtype=torch.int64)),
    ],
)
def test_a_batch_of_another_kind_is_refused_with_both_shapes(spec, inputs):
    with pytest.raises(ValueError, match=r"needs .* \['T', 'B'.*change the spec or the batch"):
        spec.build()(inputs)


@pytest.mark.parametrize(
    "fields",
    [{}, {"symbols": 3, "features": 3}, {"symbols": 0}, {"features": 3, "size": 0}, {"features": 3, "dropout": 2}],
)
def test_bad_fields_are_refused(fields):
    with pytest.raises(ValueError, match=r"give either|must be"):
        Inputs(**fields)
