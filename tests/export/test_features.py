"""A frozen policy beside the observation."""

import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.utils.env_checker import check_env
from gymnasium.wrappers import Autoreset, TransformObservation

from pomdp_envs import PreviousActionReward
from recurrent_rl.export import PolicyFeatures, exportable
from tests.export.conftest import FOUR, Counting, make


def played(env, seed=0):
    observation, _ = env.reset(seed=seed)
    rows = [observation]
    for _ in range(6):
        observation, *_ = env.step(1)
        rows.append(observation)
    return np.array(rows)


def test_an_observation_gets_what_the_policy_would_do_and_remembers():
    policy = make(action=spaces.Discrete(2))
    env = PolicyFeatures(Counting(), exportable(policy).agent())
    check_env(env, skip_render_check=True)
    rows = played(env)
    assert rows.shape == (7, 4 + 2 + 8)
    np.testing.assert_allclose(rows[:, 4:6].sum(1), 1.0, rtol=1e-6)
    agent = exportable(policy).agent()
    for row in rows:
        agent.act(row[:4])
        np.testing.assert_allclose(row[6:], agent.state[0].ravel(), rtol=1e-6)
        assert row[4:6].argmax() == agent.parameters["logits"].argmax()


def test_each_episode_is_the_policys_first():
    env = PolicyFeatures(Counting(), exportable(make(action=spaces.Discrete(2))).agent())
    np.testing.assert_array_equal(played(env), played(env))


def test_two_environments_do_not_share_a_state():
    agent = exportable(make(action=spaces.Discrete(2))).agent()
    one, other = PolicyFeatures(Counting(), agent), PolicyFeatures(Counting(), agent)
    one.reset()
    first, *_ = one.step(0)
    played(other)
    again = PolicyFeatures(Counting(), agent)
    again.reset()
    np.testing.assert_array_equal(first, again.step(0)[0])


def test_numbers_come_as_means_and_deviations_and_other_observations_as_a_dict():
    policy = make(spaces.Box(-1, 1, (2, 2)), spaces.Box(-1, 1, (3,)))
    base = TransformObservation(Counting(), lambda x: x.reshape(2, 2), spaces.Box(-1, 1, (2, 2)))
    base.action_space = policy.action_space
    env = PolicyFeatures(base, exportable(policy).agent())
    observation, _ = env.reset()
    assert env.observation_space.contains(observation)
    assert observation["policy_distribution"].shape == (6,)
    np.testing.assert_allclose(observation["policy_distribution"][3:], 1.0)  # the deviation of an untrained policy


def test_an_agent_of_other_observations_is_refused():
    with pytest.raises(ValueError, match="does not read"):
        PolicyFeatures(Counting(), exportable(make(spaces.Box(-1, 1, (5,)))).agent())


def test_a_policy_of_a_dict_reads_a_dict():
    space = spaces.Dict({"a": FOUR, "b": spaces.Discrete(3)})
    base = TransformObservation(Counting(), lambda x: {"a": x, "b": np.int64(1)}, space)
    env = PolicyFeatures(base, exportable(make(space, spaces.Discrete(2))).agent())
    assert set(env.observation_space.spaces) == {"a", "b", "policy_distribution", "policy_state"}
    assert env.observation_space.contains(env.reset()[0])


def test_an_environment_that_resets_itself_begins_anew():
    policy = make(action=spaces.Discrete(2))
    env = PolicyFeatures(Autoreset(Counting()), exportable(policy).agent())
    first, _ = env.reset()
    over = False
    while not over:
        _, _, over, _, _ = env.step(1)
    again, *_ = env.step(1)
    np.testing.assert_array_equal(again, first)


def test_a_policy_that_reads_its_past_is_shown_what_was_played():
    inner = PreviousActionReward(Counting())
    policy = make(inner.observation_space, spaces.Discrete(2))
    env = PolicyFeatures(Counting(), exportable(policy, past=True).agent())
    wrapped = PolicyFeatures(inner, exportable(policy).agent())
    rows, wanted = [env.reset()[0]], [wrapped.reset()[0]]
    for action in (1, 1, 0, 1, 0):
        rows.append(env.step(action)[0])
        wanted.append(wrapped.step(action)[0])
    np.testing.assert_allclose(np.array(rows)[:, 4:], np.array(wanted)[:, 7:], rtol=1e-6)


def test_keys_that_are_taken_are_told():
    policy = make(spaces.Dict({"a": FOUR, "policy_state": FOUR}), spaces.Discrete(2))
    space = policy.observation_space
    base = TransformObservation(Counting(), lambda x: {"a": x, "policy_state": x}, space)
    with pytest.raises(ValueError, match="policy_state"):
        PolicyFeatures(base, exportable(policy).agent())


def test_an_agent_of_other_actions_may_be_a_feature():
    env = PolicyFeatures(Counting(), exportable(make(action=spaces.Box(-1, 1, (2,)))).agent())
    env.reset()
    observation, *_ = env.step(1)
    assert env.observation_space.contains(observation)


def test_an_agent_that_reads_its_actions_needs_those_of_the_environment():
    inner = PreviousActionReward(Counting())
    agent = exportable(make(inner.observation_space, spaces.Discrete(2)), past=True).agent()
    base = Counting()
    base.action_space = spaces.Discrete(5)
    with pytest.raises(ValueError, match=r"Discrete\(2\)"):
        PolicyFeatures(base, agent)
