"""Log-probabilities and entropies in one pass equal torch.distributions', with gradients."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.distributions import Categorical, Normal

from recurrent_rl.functional import categorical, diagonal_gaussian

ROWS = {"seed": st.integers(0, 999), "rows": st.integers(1, 9)}
CLOSE = {"rtol": 1e-6, "atol": 1e-5, "check_dtype": False}  # terms of about ten cancel: some float32 roundings are left


@pytest.fixture(autouse=True)
def compiled(monkeypatch):
    monkeypatch.delenv("RECURRENT_RL_KERNELS", raising=False)


def gradients(function, inputs, weights):
    inputs = [x.clone().requires_grad_() for x in inputs]
    results = function(*inputs)
    return results, torch.autograd.grad(sum((w * x).sum() for w, x in zip(weights, results, strict=True)), inputs)


def compare(function, oracle, inputs, rows):
    """The function on float32 and, through its operations, on float64, against the oracle on float64."""
    weights = torch.randn(2, rows)
    precise = [x.double() for x in inputs]
    expected = gradients(oracle, precise, weights)
    for found in (gradients(function, inputs, weights), gradients(function, precise, weights)):
        for one, other in zip(found, expected, strict=True):
            for x, y in zip(one, other, strict=True):
                torch.testing.assert_close(x, y, **CLOSE)


@settings(max_examples=60, deadline=None)
@given(**ROWS, counts=st.lists(st.integers(1, 6), min_size=1, max_size=3), spread=st.sampled_from([0.01, 1.0, 5.0]))
def test_categorical_equals_torch(seed, rows, counts, spread):
    torch.manual_seed(seed)
    logits = spread * torch.randn(rows, sum(counts))
    actions = torch.stack([torch.randint(0, count, (rows,)) for count in counts], dim=1)

    def oracle(logits):
        parts = [Categorical(logits=part) for part in logits.split(counts, dim=1)]
        log_probs = sum(part.log_prob(action) for part, action in zip(parts, actions.unbind(1), strict=True))
        return log_probs, sum(part.entropy() for part in parts)

    compare(lambda logits: categorical(logits, actions.float(), counts), oracle, [logits], rows)
    if len(counts) == 1:
        compare(lambda logits: categorical(logits, actions.squeeze(1)), oracle, [logits], rows)


@pytest.mark.parametrize("shape", [(1,), (1, 3), (4,)])
def test_log_std_of_another_shape_is_refused_and_not_read_past_its_end(shape):
    with pytest.raises(ValueError, match="does not fit"):
        diagonal_gaussian(torch.zeros(2, 3), torch.zeros(shape), torch.zeros(2, 3))


@settings(max_examples=60, deadline=None)
@given(**ROWS, size=st.integers(1, 5))
def test_diagonal_gaussian_equals_torch(seed, rows, size):
    torch.manual_seed(seed)
    means, log_std, actions = torch.randn(rows, size), 0.5 * torch.randn(size), torch.randn(rows, size)

    def oracle(means, log_std):
        normal = Normal(means, log_std.exp().expand(rows, size))
        return normal.log_prob(actions.to(means.dtype)).sum(1), normal.entropy().sum(1)

    compare(lambda m, s: diagonal_gaussian(m, s, actions.to(m.dtype)), oracle, [means, log_std], rows)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_an_impossible_action_adds_nothing_to_entropy_or_gradient(dtype):
    logits = torch.tensor([[0.0, -torch.inf, 0.0]], dtype=dtype, requires_grad=True)
    log_probs, entropy = categorical(logits, torch.tensor([0]))
    torch.testing.assert_close(entropy, torch.tensor([2.0], dtype=dtype).log())
    (log_probs + 0.0).sum().backward()
    torch.testing.assert_close(logits.grad, torch.tensor([[0.5, 0.0, -0.5]], dtype=dtype))


def test_nan_and_actions_that_do_not_exist_come_through_as_nan():
    log_probs, entropy = categorical(torch.tensor([[torch.nan, 1.0], [0.0, 0.0]]), torch.tensor([0, 2]))
    assert log_probs.isnan().all()
    assert entropy.isnan().tolist() == [True, False]


def test_a_second_derivative_is_refused_in_words():
    inputs = torch.randn(3, 2, requires_grad=True)
    for result in (categorical(inputs, torch.zeros(3)), diagonal_gaussian(inputs, torch.zeros(2), torch.zeros(3, 2))):
        with pytest.raises(RuntimeError, match="RECURRENT_RL_KERNELS=loop"):
            torch.autograd.grad(result[0].sum(), inputs, create_graph=True)
