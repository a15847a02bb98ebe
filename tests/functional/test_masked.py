import math

import torch

from recurrent_rl.functional import explained_variance, masked_mean, standardise


def test_statistics_do_not_read_invalid_rows():
    x = torch.tensor([[1.0], [2.0], [float("nan")], [3.0]])
    valid = torch.tensor([[True], [True], [False], [True]])
    kept = torch.tensor([[1.0], [2.0], [3.0]])
    every = torch.ones(3, 1, dtype=torch.bool)
    assert masked_mean(x, valid).item() == 2.0
    torch.testing.assert_close(standardise(x, valid)[valid], standardise(kept, every).flatten())
    assert torch.equal(explained_variance(x, x * 2, valid), explained_variance(kept, kept * 2, every))


def test_standardise_is_sb3s_formula():
    x = torch.randn(6, 5)
    expected = (x - x.mean()) / (x.std() + 1e-8)
    torch.testing.assert_close(standardise(x, torch.ones_like(x, dtype=torch.bool)), expected)


def test_a_single_row_is_left_as_it_is():
    assert standardise(torch.tensor([[3.0]]), torch.tensor([[True]])).item() == 3.0


def test_no_valid_row_gives_zero_not_nan():
    assert masked_mean(torch.full((2, 2), math.nan), torch.zeros(2, 2, dtype=torch.bool)).item() == 0.0


def test_explained_variance_of_a_perfect_and_of_a_constant_critic():
    target = torch.randn(8, 2)
    every = torch.ones_like(target, dtype=torch.bool)
    assert explained_variance(target, target, every).item() == 1.0
    assert abs(explained_variance(torch.zeros_like(target), target, every).item()) < 1e-6
