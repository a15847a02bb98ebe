import gymnasium as gym
import numpy as np
import pytest
import torch
from gymnasium import spaces
from stable_baselines3.common.utils import ConstantSchedule

from recurrent_rl import RecurrentPPO
from recurrent_rl.memory import GRU, LSTM, NoMemory
from recurrent_rl.policies import LstmPolicy, MLPFeatures, RecurrentActorCriticPolicy

BOX = spaces.Box(-1, 1, (3,))


def make(**arguments):
    torch.manual_seed(0)
    return RecurrentActorCriticPolicy(BOX, spaces.Discrete(3), ConstantSchedule(1e-3), **arguments)


def random_rows(steps=6, columns=4):
    return torch.randn(steps, columns, 3), torch.rand(steps, columns) < 0.3


def gradient_of_value(policy):
    """Whether the critic's gradient reaches the actor's memory."""
    observations, starts = random_rows()
    policy.evaluate_actions(observations, torch.zeros(6, 4), policy.initial_state(4), starts)[0].sum().backward()
    return [parameter.grad is not None and bool(parameter.grad.any()) for parameter in policy.memory.parameters()]


def test_the_critics_gradient_reaches_the_memory_only_where_it_is_shared():
    assert any(gradient_of_value(make(memory=GRU(hidden_size=4), critic="shared")))
    for critic in ("detached", "separate", NoMemory(), LSTM(hidden_size=5)):
        assert not any(gradient_of_value(make(memory=GRU(hidden_size=4), critic=critic)))


def test_sb3_contribs_flags_choose_the_critic():
    def build(**arguments):
        return LstmPolicy(BOX, spaces.Discrete(2), ConstantSchedule(1e-3), lstm_hidden_size=4, **arguments)

    assert type(build().critic_memory).__name__ == "RecurrentMemory"
    assert build(shared_lstm=True, enable_critic_lstm=False).detach_critic
    assert build(enable_critic_lstm=False).critic_memory.initial_state(2) == ()
    with pytest.raises(ValueError, match="both were given"):
        build(shared_lstm=True, enable_critic_lstm=True)
    with pytest.raises(ValueError, match="MlpRecurrentPolicy"):
        build(memory=GRU())


@pytest.mark.parametrize("critic", ["shared", "separate", NoMemory()], ids=repr)
def test_acting_step_by_step_gives_what_the_update_sees(critic):
    policy = make(memory=LSTM(hidden_size=4, num_layers=2), critic=critic)
    observations, starts = random_rows(9, 5)
    state = entry = policy.initial_state(5)
    taken = []
    for t in range(9):
        actions, values, log_probs, state = policy.act(observations[t], state, starts[t])
        taken.append((actions, values, log_probs))
    actions, values, log_probs = (torch.stack(rows) for rows in zip(*taken, strict=True))
    found = policy.evaluate_actions(observations, actions, entry, starts)
    torch.testing.assert_close(found[0], values, atol=1e-6, rtol=0)
    torch.testing.assert_close(found[1], log_probs, atol=1e-6, rtol=0)


def test_memory_does_not_leak_across_episodes_in_predict():
    policy = make(memory=GRU(hidden_size=8))
    history = np.random.default_rng(0).normal(size=(7, 2, 3)).astype(np.float32)
    state = None
    for row in history[:5]:
        _, state = policy.predict(row, state, np.zeros(2, dtype=bool))
    starts = np.array([True, False])
    _, after = policy.predict(history[5], state, starts)
    _, fresh = policy.predict(history[5], None)
    assert np.array_equal(after[0][0], fresh[0][0])
    assert not np.array_equal(after[0][1], fresh[0][1])


def test_a_state_without_episode_start_continues_and_none_starts():
    policy = make(memory=GRU(hidden_size=8))
    row = np.ones((2, 3), dtype=np.float32)
    _, state = policy.predict(row)
    _, continued = policy.predict(row, state)
    _, explicit = policy.predict(row, state, np.zeros(2, dtype=bool))
    _, restarted = policy.predict(row, None, np.zeros(2, dtype=bool))
    assert np.array_equal(continued[0], explicit[0])
    assert np.array_equal(restarted[0], state[0])
    assert not np.array_equal(continued[0], state[0])


def test_predict_keeps_nothing_between_calls():
    policy = make(memory=LSTM(hidden_size=8))
    row = np.ones((1, 3), dtype=np.float32)
    first = policy.predict(row)[1]
    policy.predict(5 * row)
    assert all(np.array_equal(a, b) for a, b in zip(first, policy.predict(row)[1], strict=True))


def test_one_observation_gives_one_action_and_a_wrong_number_of_starts_is_refused():
    policy = make()
    action, _ = policy.predict(np.zeros(3, dtype=np.float32))
    assert action.shape == ()
    with pytest.raises(ValueError, match="1 entries for 2 observations"):
        policy.predict(
            np.zeros((2, 3), dtype=np.float32), policy.predict(np.zeros((2, 3), dtype=np.float32))[1], np.ones(1)
        )
    with pytest.raises(ValueError, match="pass `obs` alone"):
        policy.predict((np.zeros(3), {}))


def test_hidden_layers_follow_net_arch_and_extractors_are_shared_or_not():
    policy = make(net_arch={"pi": [7], "vf": [5, 4]}, critic="separate", share_features_extractor=False,
                  features_extractor_class=MLPFeatures, features_extractor_kwargs={"widths": [6]})  # fmt: skip
    assert policy.action_net.in_features == 7
    assert policy.value_net.in_features == 4
    assert policy.memory.input_size == 6
    assert policy.critic_features is not policy.features_extractor
    with pytest.raises(ValueError, match="share_features_extractor"):
        make(critic="shared", share_features_extractor=False)


def test_continuous_actions_are_clipped_or_rescaled_to_the_box():
    class Blank(gym.Env):
        observation_space, action_space = BOX, spaces.Box(np.float32([-1, 5]), np.float32([1, 6]))

    policy = RecurrentPPO("MlpRecurrentPolicy", Blank()).policy
    assert policy.to_env_actions(np.array([[9.0, 0.0]])).tolist() == [[1.0, 5.0]]
    squashed = RecurrentPPO("MlpRecurrentPolicy", Blank(), use_sde=True, policy_kwargs={"squash_output": True}).policy
    assert squashed.to_env_actions(np.array([[0.0, 1.0]])).tolist() == [[0.0, 6.0]]


def test_torch_distribution_checks_are_as_they_were_after_a_call():
    before = torch.distributions.Distribution._validate_args
    make().predict(np.zeros(3, dtype=np.float32))
    assert torch.distributions.Distribution._validate_args == before


@pytest.mark.parametrize(
    "build", [make, lambda: LstmPolicy(BOX, spaces.Discrete(3), ConstantSchedule(1e-3), lstm_hidden_size=4)]
)
def test_a_policy_saved_alone_acts_the_same_when_loaded(build, tmp_path):
    policy = build()
    policy.save(tmp_path / "policy")
    loaded = type(policy).load(tmp_path / "policy")
    rows = np.random.default_rng(0).normal(size=(5, 3)).astype(np.float32)
    for one, other in zip(policy.predict(rows)[1], loaded.predict(rows)[1], strict=True):
        assert np.array_equal(one, other)
