"""Acting by a program gives what the modules give, and sees every change of the weights."""

import copy
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from gymnasium import spaces
from torch import nn

from recurrent_rl.memory import GRU, LSTM, RNN, NoMemory
from recurrent_rl.policies import MLPFeatures, RecurrentActorCriticPolicy
from recurrent_rl.policies.acting import act_through_rollout, kept_stepper

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


def by_modules(policy, *step):
    with torch.no_grad():
        outputs, critic_outputs, state = policy.remember(step[0].unsqueeze(0), step[1], step[2].unsqueeze(0))
        latent = policy._latent(policy.actor_layers, outputs)
        return policy.action_net(latent), policy._values(critic_outputs), state


@pytest.mark.parametrize("critic", ["shared", "separate", NoMemory(), GRU(hidden_size=7)], ids=repr)
@pytest.mark.parametrize("memory", MEMORIES, ids=repr)
def test_a_step_equals_that_of_the_modules(memory, critic):
    extractor = {"features_extractor_class": MLPFeatures, "features_extractor_kwargs": {"widths": [6]}}
    policy = make(memory=memory, critic=critic, activation_fn=nn.ReLU, **extractor)
    stepper = kept_stepper(policy, 9, predicting=False)
    assert stepper is not None
    assert stepper.refresh()
    state = tuple(torch.randn_like(leaf) for leaf in policy.initial_state(9))
    for _ in range(3):
        observation, starts = torch.randn(9, 3), torch.rand(9) < 0.3
        expected = by_modules(policy, observation, state, starts)
        found = stepper.step([observation], state, starts)
        for one, other in zip(found[:2], expected[:2], strict=True):
            torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-5)
        torch.testing.assert_close(found[2], expected[2], rtol=1e-5, atol=1e-5)
        state = found[2]


@pytest.mark.parametrize("memory", MEMORIES, ids=repr)
def test_predict_equals_the_modules_for_a_few_rows_and_for_many(memory):
    policy = make(memory=memory, actions=spaces.Box(-9.0, 9.0, (2,)))
    state, observation, starts = None, torch.randn(20, 3), torch.rand(20) < 0.3
    few_state = None
    for _ in range(3):
        many, state = policy.predict(observation.numpy(), state, starts.numpy(), deterministic=True)
        few, few_state = policy.predict(observation[:3].numpy(), few_state, starts[:3].numpy(), deterministic=True)
        np.testing.assert_allclose(few, many[:3], rtol=1e-5, atol=1e-5)
    assert kept_stepper(policy, 3, predicting=True) is not None


def test_several_threads_may_ask_one_policy():
    policy = make(memory=LSTM(hidden_size=64), actions=spaces.Box(-9.0, 9.0, (2,)))
    observations = np.random.default_rng(0).normal(size=(200, 3)).astype(np.float32)
    alone = [policy.predict(observation, deterministic=True)[0] for observation in observations]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda observation: policy.predict(observation, deterministic=True)[0], observations))
    np.testing.assert_array_equal(together, alone)


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
    assert kept_stepper(policy, 1, predicting=True) is None
    assert not np.array_equal(first, second)
    assert not np.array_equal(second, third)


def test_what_a_program_does_not_know_is_left_to_the_modules():
    class Own(RecurrentActorCriticPolicy):
        def distribution_from(self, parameters, latent=None):
            return super().distribution_from(parameters - 1.0, latent)

    assert kept_stepper(make(memory=GRU(hidden_size=4, layer_norm=True)), 4, predicting=False) is None
    assert kept_stepper(make(memory=GRU(hidden_size=4), activation_fn=nn.ELU), 4, predicting=False) is None
    own = Own(BOX, spaces.Discrete(2), lambda _: 1e-3, memory=GRU(hidden_size=4))
    assert kept_stepper(own, 4, predicting=False) is None
    hooked = make(memory=GRU(hidden_size=4))
    hooked.actor_layers[0].register_forward_hook(lambda *_: None)
    assert kept_stepper(hooked, 4, predicting=False) is None
    double = make(memory=GRU(hidden_size=4)).double()
    assert act_through_rollout(double, 4) == double.act
