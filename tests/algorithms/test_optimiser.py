"""Adam steps all parameters in one call where the user chose nothing else; older checkpoints load."""

from copy import deepcopy

import pytest
import torch

from recurrent_rl import RecurrentPPO
from recurrent_rl.memory import GRU


class OwnAdam(torch.optim.Adam):
    def __init__(self, params, lr, eps):
        super().__init__(params, lr, eps=eps)


def build(**policy_kwargs):
    return RecurrentPPO(
        "MlpRecurrentPolicy", "CartPole-v1", n_steps=16, batch_size=16, n_epochs=2, seed=0, device="cpu",
        memory=GRU(hidden_size=4), policy_kwargs=policy_kwargs,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("policy_kwargs", "fused"),
    [
        ({}, True),
        ({"optimizer_kwargs": {"eps": 1e-6, "betas": (0.8, 0.9)}}, True),
        ({"optimizer_class": torch.optim.AdamW}, True),
        ({"optimizer_kwargs": {"fused": False}}, False),
        ({"optimizer_kwargs": {"foreach": True}}, None),
        ({"optimizer_class": OwnAdam}, None),
    ],
    ids=repr,
)
def test_adam_is_fused_unless_the_user_chose_otherwise(policy_kwargs, fused):
    model = build(**policy_kwargs)
    assert model.policy.optimizer.param_groups[0]["fused"] is fused
    model.learn(16)


def test_a_checkpoint_from_before_adam_was_fused_goes_on_as_it_did():
    before = build(optimizer_kwargs={"eps": 1e-5, "fused": None})
    before.learn(32)
    state = before.policy.optimizer.state_dict()
    now = build()
    now.set_parameters(deepcopy(before.get_parameters()))
    assert now.policy.optimizer.param_groups[0]["fused"] is None
    gradients = [torch.randn_like(parameter) for parameter in before.policy.parameters()]
    for model in (before, now):
        for parameter, gradient in zip(model.policy.parameters(), gradients, strict=True):
            parameter.grad = gradient.clone()
        model.policy.optimizer.step()
    for one, other in zip(before.policy.parameters(), now.policy.parameters(), strict=True):
        assert torch.equal(one, other)
    assert state["param_groups"][0].keys() == now.policy.optimizer.state_dict()["param_groups"][0].keys()
