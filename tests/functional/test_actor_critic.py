"""The compiled pass over a minibatch gives what the torch operations give: loss, figures and gradients."""

from dataclasses import fields, replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from recurrent_rl.functional import Objective, Stored, actor_critic_loss
from recurrent_rl.functional.actor_critic import FIGURES, _by_operations

SHAPES = {
    "seed": st.integers(0, 999),
    "steps": st.integers(1, 9),
    "columns": st.integers(1, 5),
    "density": st.sampled_from([0.0, 0.1, 0.7, 1.0]),
}
OBJECTIVES = {
    "clip_range": st.sampled_from([None, 0.05, 0.2]),
    "clip_range_vf": st.sampled_from([None, 0.1, 1.0]),
    "entropy_weight": st.sampled_from([0.0, 0.01]),
    "value_weight": st.sampled_from([0.5, 1.0]),
    "normalise": st.booleans(),
}


@pytest.fixture(autouse=True)
def compiled(monkeypatch):
    monkeypatch.delenv("RECURRENT_RL_KERNELS", raising=False)


def minibatch(seed, steps, columns, density):
    """What the policy says now [3, T, B], and what was stored."""
    generator = torch.Generator().manual_seed(seed)
    now = torch.randn(3, steps, columns, generator=generator)
    noise = torch.randn(4, steps, columns, generator=generator)
    stored = Stored(
        log_probs=now[1] + 0.2 * noise[0],
        advantages=3.0 * noise[1] + 1.0,
        returns=noise[2],
        values=now[0] + 0.5 * noise[3],
        valid=torch.rand(steps, columns, generator=generator) < density,
    )
    return now, stored


def gradients(function, now, stored, objective):
    inputs = [row.clone().requires_grad_() for row in now]
    loss, figures = function(*inputs, stored, objective)
    found = torch.autograd.grad(3.0 * loss, inputs, materialize_grads=True)
    return loss, figures, torch.stack(found)


def double(stored):
    values = {field.name: getattr(stored, field.name) for field in fields(stored)}
    return Stored(**{name: x if name == "valid" else x.double() for name, x in values.items()})


def ruined(x, valid):
    return x.where(valid, torch.nan)


@settings(max_examples=150, deadline=None)
@given(**SHAPES, objective=st.builds(Objective, **OBJECTIVES))
def test_the_pass_equals_the_operations_and_reads_no_row_that_does_not_count(seed, steps, columns, density, objective):
    now, stored = minibatch(seed, steps, columns, density)
    expected, oracle, slopes = gradients(_by_operations, now.double(), double(stored), objective)
    valid = stored.valid
    spoilt = Stored(valid=valid, **dict(zip(
        ("log_probs", "advantages", "returns", "values"), (ruined(x, valid) for x in stored.numbers), strict=True
    )))  # fmt: skip
    loss, figures, found = gradients(actor_critic_loss, ruined(now, valid), spoilt, objective)
    assert loss.dtype == torch.float32
    assert list(figures) == list(oracle) == list(FIGURES)
    close = {"rtol": 1e-6, "atol": 1e-7, "check_dtype": False}
    torch.testing.assert_close(loss, expected, **close)
    assert torch.equal(figures["loss"], loss)
    torch.testing.assert_close(torch.stack(list(figures.values())), torch.stack(list(oracle.values())), **close)
    torch.testing.assert_close(found, slopes, **close)
    assert (found[:, ~valid] == 0).all()


PLAIN = Objective(clip_range=0.2, clip_range_vf=0.2, entropy_weight=0.01, value_weight=0.5, normalise=True)


def test_a_single_valid_row_keeps_its_advantage():
    now, stored = minibatch(0, 1, 1, 1.0)
    loss, _, found = gradients(actor_critic_loss, now, stored, PLAIN)
    expected, _, slopes = gradients(_by_operations, now, stored, PLAIN)
    torch.testing.assert_close(loss, expected)
    torch.testing.assert_close(found, slopes)


@pytest.mark.parametrize("which", range(3), ids=["value", "log-probability", "entropy"])
def test_nan_in_a_row_that_counts_comes_through(which):
    now, stored = minibatch(0, 4, 3, 1.0)
    now[which, 2, 1] = torch.nan
    loss, figures, _ = gradients(actor_critic_loss, now, stored, PLAIN)
    assert loss.isnan()
    assert figures["ratio_error"].isnan() == (which == 1)


@pytest.mark.parametrize("clip_range", [None, 0.2])
def test_a2c_is_ppo_at_ratio_one(clip_range):
    now, stored = minibatch(1, 5, 4, 0.8)
    stored = replace(stored, log_probs=now[1].clone())
    _, _, a2c = gradients(actor_critic_loss, now, stored, replace(PLAIN, clip_range=None))
    _, _, ppo = gradients(actor_critic_loss, now, stored, replace(PLAIN, clip_range=clip_range))
    torch.testing.assert_close(a2c, ppo)


def test_mixed_types_and_strides_are_taken():
    now, stored = minibatch(2, 6, 4, 0.8)
    expected, _ = actor_critic_loss(*now, stored, PLAIN)
    mixed, _ = actor_critic_loss(now[0], now[1].double(), now[2], stored, PLAIN)
    torch.testing.assert_close(mixed.float(), expected)
    wide = torch.randn(4, 12)
    wide[:, ::2] = stored.returns.t()
    strided, _ = actor_critic_loss(*now, replace(stored, returns=wide[:, ::2].t()), PLAIN)
    assert torch.equal(strided, expected)


def test_a_second_derivative_is_refused_in_words():
    now, stored = minibatch(0, 4, 3, 1.0)
    now.requires_grad_()
    loss, _ = actor_critic_loss(*now, stored, PLAIN)
    with pytest.raises(RuntimeError, match="RECURRENT_RL_KERNELS=loop"):
        torch.autograd.grad(loss, now, create_graph=True)
