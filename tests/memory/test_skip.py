"""The direct way from inputs to outputs is a product with D, or with its diagonal."""

import torch

from recurrent_rl.memory.skip import add_skip, initial_skip


def test_a_square_skip_is_diagonal_and_another_is_a_matrix():
    outputs, inputs = torch.randn(4, 2, 3), torch.randn(4, 2, 3)
    diagonal = initial_skip(3, 3)
    assert diagonal.shape == (3,)
    torch.testing.assert_close(add_skip(outputs, diagonal, inputs), outputs + inputs @ diagonal.diag())
    matrix = initial_skip(3, 5)
    assert matrix.shape == (3, 5)
    wide = torch.randn(4, 2, 5)
    torch.testing.assert_close(add_skip(outputs, matrix, wide), outputs + wide @ matrix.T)


def test_the_matrix_begins_with_a_variance_of_one_by_inputs():
    assert (initial_skip(200, 50).var() * 50 - 1).abs() < 0.05
