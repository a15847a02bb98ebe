"""Products in logarithms are exact however small their terms are, and gradients are finite where some are zero."""

import numpy as np
import pytest
import torch

from recurrent_rl.sequence.hmm.logspace import log_matmul, log_matrix, log_sum


def exact(rows, logs):
    return torch.logsumexp(rows.unsqueeze(-1) + logs, dim=-2)


@pytest.mark.parametrize("scale", [1.0, 100.0, 1000.0, 1e5])
@pytest.mark.parametrize("zeros", [0.0, 0.5])
def test_product_is_exact_at_any_scale(scale, zeros):
    torch.manual_seed(0)
    for _ in range(20):
        rows = -scale * torch.rand(4, 7, 5, dtype=torch.float64)
        logs = (scale * torch.randn(5, 6, dtype=torch.float64)).log_softmax(-1)
        rows, logs = (torch.where(torch.rand_like(x) < zeros, -torch.inf, x) for x in (rows, logs))
        torch.testing.assert_close(log_matmul(rows, log_matrix(logs)), exact(rows, logs), rtol=1e-13, atol=1e-13)


def test_terms_that_underflow_beside_others_in_the_row_are_kept():
    rows = torch.tensor([[0.0, -2000.0]], dtype=torch.float64)
    logs = torch.tensor([[0.0, -torch.inf], [-torch.inf, -1.0]], dtype=torch.float64)
    assert log_matmul(rows, log_matrix(logs)).tolist() == [[0.0, -2001.0]]


def test_sum_of_zeros_is_zero_without_a_gradient():
    logs = torch.tensor([[-torch.inf, -torch.inf], [-torch.inf, 0.0]], dtype=torch.float64, requires_grad=True)
    total = log_sum(logs)
    assert total.tolist() == [-torch.inf, 0.0]
    total[1].backward()
    assert logs.grad.tolist() == [[0.0, 0.0], [0.0, 1.0]]


@pytest.mark.parametrize("scale", [1.0, 2000.0])
def test_gradients_are_those_of_torch(scale):
    torch.manual_seed(1)
    rows = (-scale * torch.rand(3, 4, dtype=torch.float64)).requires_grad_()
    logs = (scale * torch.randn(4, 5, dtype=torch.float64)).log_softmax(-1).requires_grad_()
    weights = torch.randn(3, 5, dtype=torch.float64)
    ours = torch.autograd.grad((log_matmul(rows, log_matrix(logs)) * weights).sum(), (rows, logs))
    theirs = torch.autograd.grad((exact(rows, logs) * weights).sum(), (rows, logs))
    for one, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-10, atol=1e-12)


def test_single_precision_is_exact_to_its_own_rounding():
    torch.manual_seed(2)
    rows, logs = -200 * torch.rand(50, 4), (100 * torch.randn(4, 5)).log_softmax(-1)
    wanted = exact(rows.double(), logs.double())
    np.testing.assert_allclose(log_matmul(rows, log_matrix(logs)), wanted, rtol=1e-6, atol=1e-5)
