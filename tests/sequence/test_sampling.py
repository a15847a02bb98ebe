"""Draws have the probabilities that temperature and top_k say."""

import pytest
import torch
from scipy.stats import chisquare

from recurrent_rl.sequence.sampling import Sampling

LOGITS = torch.tensor([1.0, 0.0, -1.0, 2.0, -3.0])
DRAWS = 20_000


def seeded(**given):
    return Sampling(generator=torch.Generator().manual_seed(0), **given)


def counts(sampling):
    return torch.bincount(sampling.one_of(LOGITS.expand(DRAWS, -1)), minlength=len(LOGITS))


@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_draws_are_as_frequent_as_the_softmax_says(temperature):
    expected = DRAWS * (LOGITS / temperature).softmax(0).double()
    assert chisquare(counts(seeded(temperature=temperature)), DRAWS * expected / expected.sum()).pvalue > 0.001


def test_only_the_top_k_are_drawn_in_their_proportions():
    found = counts(seeded(top_k=2))
    expected = DRAWS * LOGITS[[0, 3]].softmax(0).double()
    assert found[[1, 2, 4]].sum() == 0
    assert chisquare(found[[0, 3]], DRAWS * expected / expected.sum()).pvalue > 0.001


def test_no_temperature_takes_the_likeliest():
    assert counts(seeded(temperature=0.0))[3] == DRAWS
    assert seeded(temperature=0.0).each(LOGITS).tolist() == [1, 0, 0, 1, 0]


@pytest.mark.parametrize("temperature", [0.5, 1.0])
def test_independent_bits_are_as_frequent_as_the_sigmoid_says(temperature):
    ones = seeded(temperature=temperature).each(LOGITS.expand(DRAWS, -1)).mean(0)
    torch.testing.assert_close(ones, (LOGITS / temperature).sigmoid(), atol=0.015, rtol=0)


def test_a_generator_decides():
    first, second = (seeded().one_of(LOGITS.expand(50, -1)) for _ in range(2))
    assert torch.equal(first, second)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"temperature": -1.0}, "temperature must"),
        ({"temperature": 1e-40}, "temperature must be 0, or at least"),
        ({"top_k": 0}, "top_k must"),
        ({"top_k": 2.0}, "top_k must be a whole number"),
    ],
)
def test_what_is_out_of_range_is_said(given, message):
    with pytest.raises(ValueError, match=message):
        Sampling(**given)
