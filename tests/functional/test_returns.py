import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from recurrent_rl.functional import generalised_advantage
from recurrent_rl.functional.returns import _loop_backwards, _scan_backwards


def per_episode_advantages(rewards, values, next_value, final_values, terminated, truncated, discount, trace):
    """Cut every column into episodes and sum each row's discounted deltas outright."""
    steps, columns = rewards.shape
    advantages = torch.zeros_like(rewards)
    for b in range(columns):
        ends = [t for t in range(steps) if terminated[t, b] or truncated[t, b]]
        for t in range(steps):
            end = next((e for e in ends if e >= t), steps - 1)
            for k in range(t, end + 1):
                after = values[k + 1, b] if k + 1 < steps else next_value[b]
                if truncated[k, b]:
                    after = final_values[k, b]
                if terminated[k, b]:
                    after = 0.0
                delta = rewards[k, b] + discount * after - values[k, b]
                advantages[t, b] += (discount * trace) ** (k - t) * delta
    return advantages


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    steps=st.integers(1, 12),
    columns=st.integers(1, 4),
    discount=st.sampled_from([0.0, 0.5, 0.99, 1.0]),
    trace=st.sampled_from([0.0, 0.9, 1.0]),
)
def test_gae_equals_brute_force_per_episode(seed, steps, columns, discount, trace):
    generator = torch.Generator().manual_seed(seed)
    rewards, values, final_values = torch.randn(3, steps, columns, generator=generator, dtype=torch.float64)
    next_value = torch.randn(columns, generator=generator, dtype=torch.float64)
    terminated = torch.rand(steps, columns, generator=generator) < 0.2
    truncated = (torch.rand(steps, columns, generator=generator) < 0.2) & ~terminated
    arguments = (rewards, values, next_value, final_values, terminated, truncated)
    found = generalised_advantage(*arguments, discount=discount, trace=trace)
    torch.testing.assert_close(found, per_episode_advantages(*arguments, discount, trace), atol=1e-10, rtol=0)
    single = generalised_advantage(
        *(x.float() if x.is_floating_point() else x for x in arguments), discount=discount, trace=trace
    )
    torch.testing.assert_close(single, found.float(), atol=1e-5, rtol=1e-5)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), steps=st.integers(1, 40), columns=st.integers(1, 4))
def test_the_scan_equals_the_loop(seed, steps, columns):
    generator = torch.Generator().manual_seed(seed)
    deltas, carry = torch.randn(2, steps, columns, generator=generator, dtype=torch.float64)
    expected = _loop_backwards(deltas, carry)
    torch.testing.assert_close(_scan_backwards(deltas, carry), expected, atol=1e-10, rtol=1e-10)


def test_other_types_and_strides_are_taken():
    rewards, values, final_values = torch.randn(3, 6, 8)
    ended = torch.rand(6, 8) < 0.2
    arguments = (values, torch.zeros(8), final_values, ended, ~ended & (torch.rand(6, 8) < 0.2))
    expected = generalised_advantage(rewards, *arguments, discount=0.9, trace=0.9)
    strided = rewards.t().contiguous().t()
    assert torch.equal(generalised_advantage(strided, *arguments, discount=0.9, trace=0.9), expected)
    doubled = generalised_advantage(rewards.double(), *arguments, discount=0.9, trace=0.9)
    torch.testing.assert_close(doubled.float(), expected)


def test_golden_rollout_with_a_termination_and_a_truncation():
    # discount 0.5, trace 1, all values 1: worked by hand.
    rewards = torch.tensor([[1.0], [2.0], [3.0], [4.0]])
    values = torch.ones(4, 1)
    terminated = torch.tensor([[False], [True], [False], [False]])
    truncated = torch.tensor([[False], [False], [True], [False]])
    found = generalised_advantage(
        rewards, values, torch.tensor([10.0]), torch.full((4, 1), 8.0), terminated, truncated, discount=0.5, trace=1.0
    )
    # row 3: 4 + 0.5*10 - 1 = 8;  row 2: 3 + 0.5*8 - 1 = 6;  row 1: 2 - 1 = 1;  row 0: 1 + 0.5 - 1 + 0.5*1 = 1
    assert found.squeeze(1).tolist() == [1.0, 1.0, 6.0, 8.0]


def test_trace_one_gives_monte_carlo_and_trace_zero_one_step_targets():
    rewards, values = torch.ones(5, 1), torch.zeros(5, 1)
    no = torch.zeros(5, 1, dtype=torch.bool)
    last = no.clone()
    last[4] = True
    monte_carlo = generalised_advantage(rewards, values, torch.zeros(1), values, last, no, discount=1.0, trace=1.0)
    assert monte_carlo.squeeze(1).tolist() == [5, 4, 3, 2, 1]
    one_step = generalised_advantage(rewards, values, torch.zeros(1), values, last, no, discount=1.0, trace=0.0)
    assert one_step.squeeze(1).tolist() == [1, 1, 1, 1, 1]


def test_nothing_flows_across_an_episode_end_even_from_nan():
    rewards = torch.tensor([[1.0], [float("nan")], [1.0]])
    values = torch.zeros(3, 1)
    terminated = torch.tensor([[False], [False], [True]])
    no = torch.zeros(3, 1, dtype=torch.bool)
    found = generalised_advantage(
        rewards, values, torch.zeros(1), torch.full((3, 1), float("nan")), terminated, no, discount=0.9, trace=0.9
    )
    assert found[2].item() == 1.0  # final_values are not read where nothing was truncated
