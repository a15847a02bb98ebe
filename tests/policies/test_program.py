"""Acting by a program gives what the modules give, and sees every change of the weights."""

import copy

import numpy as np
import pytest
import torch
from gymnasium import spaces
from torch import nn

from recurrent_rl.memory import GRU, LSTM, RNN, NoMemory
from recurrent_rl.policies import MLPFeatures, RecurrentActorCriticPolicy
from recurrent_rl.policies.acting import act_through_rollout, make_stepper

BOX = spaces.Box(-1.0, 1.0, (3,))
MEMORIES = [
    GRU(hidden_size=5),
    LSTM(hidden_size=33, num_layers=2, learned_initial_state=True),
    RNN(hidden_size=4, bias=False),
    RNN(hidden_size=4, nonlinearity="relu"),
]


@pytest.fixture(autouse=True)
def _compiled(monkeypatch):
    monkeypatch.delenv("RECURRENT_RL_KERNELS", raising=False)


def make(actions=None, **arguments):
    torch.manual_seed(0)
    policy = RecurrentActorCriticPolicy(BOX, actions or spaces.Discrete(3), lambda _: 1e-3, **arguments)
    for parameter in policy.parameters():
        parameter.data += 0.1 * torch.randn_like(parameter)
    policy.set_training_mode(False)
    return policy


def by_modules(policy, monkeypatch, *step):
    with torch.no_grad():
        latent, critic, state = policy._latents(step[0].unsqueeze(0), step[1], step[2].unsqueeze(0))
        return policy.action_net(latent), policy._values(critic), state


@pytest.mark.parametrize("critic", ["shared", "separate", NoMemory(), GRU(hidden_size=7)], ids=repr)
@pytest.mark.parametrize("memory", MEMORIES, ids=repr)
@pytest.mark.parametrize("packed", [True, False])
def test_a_step_equals_that_of_the_modules(memory, critic, packed, monkeypatch):
    extractor = {"features_extractor_class": MLPFeatures, "features_extractor_kwargs": {"widths": [6]}}
    policy = make(memory=memory, critic=critic, activation_fn=nn.ReLU, **extractor)
    stepper = make_stepper(policy, 9, packed, critic=True)
    assert stepper is not None
    assert stepper.refresh()
    state = tuple(torch.randn_like(leaf) for leaf in policy.initial_state(9))
    for _ in range(3):
        observation, starts = torch.randn(9, 3), torch.rand(9) < 0.3
        expected = by_modules(policy, monkeypatch, observation, state, starts)
        found = stepper.step([observation], state, starts)
        for one, other in zip(found[:2], expected[:2], strict=True):
            torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-5)
        torch.testing.assert_close(found[2], expected[2], rtol=1e-5, atol=1e-5)
        state = found[2]


def test_actions_are_drawn_with_the_probabilities_that_are_reported():
    policy = make(memory=GRU(hidden_size=5))
    act = act_through_rollout(policy, 20000)
    assert act != policy.act
    state = policy.initial_state(20000)
    actions, _, log_probs, _ = act(torch.ones(20000, 3), state, torch.ones(20000, dtype=torch.bool))
    for action in range(3):
        drawn = actions == action
        assert drawn.float().mean().item() == pytest.approx(log_probs[drawn][0].exp().item(), abs=0.015)


def test_predict_sees_weights_that_changed_in_place_or_were_replaced():
    policy = make(memory=LSTM(hidden_size=5), actions=spaces.Box(-9.0, 9.0, (2,)))
    observation = np.ones(3, dtype=np.float32)

    def fresh():
        return copy.deepcopy(policy).predict(observation, deterministic=True)[0]

    first = policy.predict(observation, deterministic=True)[0]
    with torch.no_grad():
        policy.action_net.weight += 0.5
    second = policy.predict(observation, deterministic=True)[0]
    assert np.array_equal(second, fresh())
    policy.memory.weight_hh_l0.data = torch.randn(20, 5)
    policy.action_net = nn.Linear(64, 2)
    third = policy.predict(observation, deterministic=True)[0]
    assert np.array_equal(third, fresh())
    policy.actor_layers[0] = nn.Linear(5, 64)
    assert np.array_equal(policy.predict(observation, deterministic=True)[0], fresh())
    calls = []
    policy.actor_layers[0].register_forward_hook(lambda *_: calls.append(True))
    policy.predict(observation)
    assert calls == [True]
    assert policy.kept_stepper(1, predicting=True) is None
    assert not np.array_equal(first, second)
    assert not np.array_equal(second, third)


def test_what_a_program_does_not_know_is_left_to_the_modules():
    class Own(RecurrentActorCriticPolicy):
        def distribution_from(self, parameters, latent=None):
            return super().distribution_from(parameters - 1.0, latent)

    assert make_stepper(make(memory=GRU(hidden_size=4, layer_norm=True)), 4, True, critic=True) is None
    assert make_stepper(make(memory=GRU(hidden_size=4), activation_fn=nn.ELU), 4, True, critic=True) is None
    own = Own(BOX, spaces.Discrete(2), lambda _: 1e-3, memory=GRU(hidden_size=4))
    assert make_stepper(own, 4, True, critic=True) is None
    hooked = make(memory=GRU(hidden_size=4))
    hooked.actor_layers[0].register_forward_hook(lambda *_: None)
    assert make_stepper(hooked, 4, True, critic=True) is None
    double = make(memory=GRU(hidden_size=4)).double()
    assert act_through_rollout(double, 4) == double.act
