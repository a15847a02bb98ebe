"""The collector on a two-state chain with a time limit, with a policy whose values are known in closed form."""

import numpy as np
import pytest
import torch

from recurrent_rl.rollout import Carry, Decision, Rollout, collect, to_device
from recurrent_rl.vector import Transition

DISCOUNT = 0.9
V0 = (1 + DISCOUNT * 2) / (1 - DISCOUNT**2)  # reward 1 in state 0, 2 in state 1, 0 -> 1 -> 0 -> ... for ever
V1 = (2 + DISCOUNT * 1) / (1 - DISCOUNT**2)


class Chain:
    """B columns of the chain; column b is cut after limits[b] steps and restarts in state 0."""

    def __init__(self, limits):
        self.limits = np.array(limits)
        self.state = np.zeros(len(limits), dtype=np.int64)
        self.clock = np.zeros(len(limits), dtype=np.int64)

    def observe(self):
        return self.state[:, None].astype(np.float32)

    def step(self, actions):
        reward = np.where(self.state == 0, 1.0, 2.0).astype(np.float32)
        self.state = 1 - self.state
        self.clock += 1
        truncated = self.clock == self.limits
        columns = np.flatnonzero(truncated)
        final = self.observe()[columns] if len(columns) else None
        self.state[truncated] = 0
        self.clock[truncated] = 0
        return Transition(
            observation=self.observe(),
            reward=reward,
            terminated=np.zeros_like(truncated),
            truncated=truncated,
            valid=np.ones_like(truncated),
            starts=truncated,
            final_observation=final,
            final_columns=columns,
            dones=truncated,
            infos=[],
        )


def count(state, starts):
    """A memory that counts the observations of its episode."""
    return torch.where(starts.unsqueeze(1), torch.zeros_like(state[0]), state[0]) + 1


def run(chain, steps, value):
    n_envs = len(chain.limits)

    def act(t, carry):
        counted = count(carry.state, carry.starts)
        zeros = torch.zeros(n_envs)
        return Decision(zeros, value(carry.observation, counted), zeros, (counted,), np.zeros(n_envs), np.zeros(n_envs))

    carry = Carry(
        to_device(chain.observe(), torch.device("cpu")),
        (torch.full((n_envs, 1), 77.0),),
        torch.ones(n_envs, dtype=torch.bool),
    )
    rollout = Rollout(steps, 2, carry.observation, torch.zeros(n_envs), carry.state)
    left = collect(rollout, carry, act, lambda o, s, starts: value(o, count(s, starts)), chain.step, lambda *_: True)
    rollout.finish(DISCOUNT, 0.95)
    return rollout, left


def true_value(observation, counted):
    return torch.where(observation[:, 0] == 0, V0, V1)


@pytest.mark.parametrize("limits", [[1, 2, 3], [4, 5, 7]])
def test_a_time_limit_does_not_change_the_value_of_a_two_state_chain(limits):
    rollout, _ = run(Chain(limits), 12, true_value)
    torch.testing.assert_close(rollout.advantages, torch.zeros(12, 3), atol=2e-5, rtol=0)
    expected = torch.where(rollout.observations[..., 0] == 0, V0, V1)
    torch.testing.assert_close(rollout.returns, expected, atol=2e-5, rtol=0)


def test_final_values_read_the_final_observation_with_the_state_that_follows_the_step():
    # value = 100 observation + observations counted: a wrong observation or a wrong state cannot hide.
    rollout, _ = run(Chain([2, 3]), 6, lambda observation, counted: 100 * observation[:, 0] + counted[:, 0])
    # limit 2: final state 0, third observation of the episode; limit 3: final state 1, fourth observation.
    assert rollout.final_values[rollout.truncated[:, 0], 0].tolist() == [3.0, 3.0, 3.0]
    assert rollout.final_values[rollout.truncated[:, 1], 1].tolist() == [104.0, 104.0]


def test_starts_follow_ends_by_one_row_and_the_carry_goes_on():
    chain = Chain([2, 3])
    rollout, carry = run(chain, 6, true_value)
    ended = rollout.terminated | rollout.truncated
    assert torch.equal(rollout.starts[1:], ended[:-1])
    assert rollout.starts[0].all()
    assert torch.equal(carry.starts, ended[-1])


def test_entry_states_are_kept_at_chunk_starts_before_the_reset():
    rollout, _ = run(Chain([2, 3]), 6, true_value)
    assert rollout.entry_states[0].shape == (3, 2, 1)
    assert rollout.entry_states[0][0].flatten().tolist() == [77.0, 77.0]  # row 0 starts: the reset is data
    assert rollout.entry_states[0][1].flatten().tolist() == [2.0, 2.0]
    assert rollout.entry_states[0][2].flatten().tolist() == [2.0, 1.0]


def test_next_value_is_read_with_the_last_state():
    rollout, _ = run(Chain([10, 4]), 6, lambda observation, counted: counted[:, 0])
    assert rollout.next_value.tolist() == [7.0, 3.0]


def test_a_false_from_on_step_stops_the_collection():
    chain = Chain([3])
    carry = Carry(torch.zeros(1, 1), (torch.zeros(1, 1),), torch.ones(1, dtype=torch.bool))
    rollout = Rollout(4, 4, carry.observation, torch.zeros(1), carry.state)
    zeros = torch.zeros(1)

    def act(t, carry):
        return Decision(zeros, zeros, zeros, carry.state, np.zeros(1), np.zeros(1))

    assert collect(rollout, carry, act, lambda *_: zeros, chain.step, lambda *_: False) is None
