import copy

import numpy as np
import pytest
import torch
from gymnasium import spaces

from recurrent_rl.memory import GRU, LSTM, RNN
from recurrent_rl.policies import RecurrentActorCriticPolicy
from recurrent_rl.policies.acting import act_through_rollout
from recurrent_rl.policies.graph import GraphedStep, Recorder, recording_key, why_not_recorded

B = 5
OBSERVATIONS = spaces.Box(-1.0, 1.0, (3,), np.float32)
ACTIONS = (spaces.Discrete(4), spaces.Box(-1.0, 1.0, (2,), np.float32))
MEMORIES = (GRU(hidden_size=8), LSTM(hidden_size=8, num_layers=2, learned_initial_state=True), RNN(hidden_size=8))


def make_policy(memory=MEMORIES[0], actions=ACTIONS[0], **arguments):
    torch.manual_seed(0)
    policy = RecurrentActorCriticPolicy(OBSERVATIONS, actions, lambda _: 1e-3, memory=memory, **arguments)
    policy.set_training_mode(False)
    return policy


def record_nothing(run, device):
    """What a recording does, without a device: run over the same buffers again."""
    run()
    return run


def steps(policy, count=6):
    generator = torch.Generator().manual_seed(1)
    for t in range(count):
        observation = torch.rand((B, 3), generator=generator)
        yield observation, torch.ones(B, dtype=torch.bool) if t == 0 else torch.rand(B, generator=generator) < 0.3


@pytest.mark.parametrize("actions", ACTIONS, ids=repr)
@pytest.mark.parametrize("memory", MEMORIES, ids=repr)
@torch.no_grad()
def test_a_step_over_fixed_buffers_equals_the_policys(memory, actions):
    policy = make_policy(memory, actions, critic="separate")
    state = expected_state = policy.initial_state(B)
    step, results = None, []
    for t, (observation, starts) in enumerate(steps(policy)):
        if step is None:
            step = GraphedStep(policy.act, observation, state, starts, record_nothing)
        torch.manual_seed(t)
        found = step(observation, state, starts)
        torch.manual_seed(t)
        expected = policy.act(observation, expected_state, starts)
        for mine, theirs in zip((*found[:3], *found[3]), (*expected[:3], *expected[3]), strict=True):
            torch.testing.assert_close(mine, theirs, rtol=0, atol=0)
        state, expected_state = found[3], expected[3]
        results.append((found[1], found[1].clone()))
    assert all(torch.equal(kept, before) for kept, before in results)  # later steps leave earlier results alone


def test_a_recording_is_kept_over_updates_in_place_and_made_anew_for_other_shapes_and_weights_elsewhere():
    policy, made = make_policy(), []

    def record(run, device):
        made.append(device)
        return record_nothing(run, device)

    recorder = Recorder(policy.act, lambda observation, starts: recording_key(policy, observation, starts), record)
    starts = torch.ones(B, dtype=torch.bool)
    before = recorder(torch.zeros(B, 3), policy.initial_state(B), starts)[1]
    with torch.no_grad():
        policy.value_net.bias += 1.0
    after = recorder(torch.zeros(B, 3), policy.initial_state(B), starts)[1]
    torch.testing.assert_close(after, before + 1.0)
    assert len(made) == 1
    recorder(torch.zeros(2, 3), policy.initial_state(2), starts[:2])
    assert len(made) == 2
    policy.value_net.bias = torch.nn.Parameter(policy.value_net.bias.detach().clone())
    recorder(torch.zeros(2, 3), policy.initial_state(2), starts[:2])
    assert len(made) == 3


def test_what_cannot_be_recorded_acts_as_the_policy_and_says_so_once(caplog):
    policy, tries = make_policy(), []

    def fails(run, device):
        tries.append(device)
        raise RuntimeError("operation not permitted when stream is capturing\nmore")

    recorder = Recorder(policy.act, lambda observation, starts: recording_key(policy, observation, starts), fails)
    for _ in range(3):
        assert recorder(torch.zeros(B, 3), policy.initial_state(B), torch.ones(B, dtype=torch.bool))[1].shape == (B,)
    assert len(tries) == 1
    assert [record.message for record in caplog.records] == [
        "Acting on CUDA goes without a graph, which is slower: operation not permitted when stream is capturing."
    ]


def test_hooks_and_gsde_are_reasons_against_a_recording():
    policy = make_policy()
    assert why_not_recorded(policy, uses_sde=False) is None
    assert "gSDE" in why_not_recorded(policy, uses_sde=True)
    policy.memory.register_forward_hook(lambda *_: None)
    assert why_not_recorded(policy, uses_sde=False).startswith("memory has hooks")


def test_a_copied_policy_has_no_recording_of_the_other():
    policy = make_policy()
    policy.recorder = Recorder(policy.act, lambda *_: 0, record_nothing)
    assert copy.deepcopy(policy).recorder is None


@pytest.mark.parametrize("memory", MEMORIES, ids=repr)
@torch.no_grad()
def test_a_step_of_the_memory_reads_nothing_on_the_device(memory):
    policy = make_policy(memory).to("meta")
    state = tuple(leaf.to("meta") for leaf in policy.initial_state(B))
    latent, _, after = policy._latents(torch.zeros(1, B, 3, device="meta"), state, torch.ones(1, B, dtype=torch.bool))
    assert latent.device.type == "meta"
    assert [leaf.shape for leaf in after] == [leaf.shape for leaf in state]


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("actions", ACTIONS, ids=repr)
@pytest.mark.parametrize("memory", MEMORIES, ids=repr)
@torch.no_grad()
def test_a_graph_on_cuda_equals_the_policys_values_and_draws_anew_at_each_step(memory, actions):
    policy = make_policy(memory, actions).to("cuda")
    torch.cuda.manual_seed(3)
    before = torch.cuda.get_rng_state()
    act = act_through_rollout(policy, B)
    state = policy.initial_state(B)
    drawn = []
    for t, (observation, starts) in enumerate(steps(policy)):
        expected = policy._latents(observation.cuda().unsqueeze(0), state, starts.unsqueeze(0))
        if t == 0:
            torch.cuda.set_rng_state(before)
        chosen, values, log_probs, after = act(observation.cuda(), state, starts)
        torch.testing.assert_close(values, policy._values(expected[1]), atol=1e-5, rtol=1e-4)
        for mine, theirs in zip(after, expected[2], strict=True):
            torch.testing.assert_close(mine, theirs, atol=1e-5, rtol=1e-4)
        again = policy.distribution_from(policy.action_net(expected[0]), expected[0]).log_prob(chosen)
        torch.testing.assert_close(log_probs, again, atol=1e-4, rtol=1e-4)
        state = after
        drawn.append(chosen)
    assert any(not torch.equal(drawn[0], other) for other in drawn[1:])
