"""Returns and advantages over a rollout whose columns hold several episodes."""

import torch
from torch import Tensor

from recurrent_rl.compiled.choice import why_not


def generalised_advantage(
    rewards: Tensor,
    values: Tensor,
    next_value: Tensor,
    final_values: Tensor,
    terminated: Tensor,
    truncated: Tensor,
    *,
    discount: float,
    trace: float,
) -> Tensor:
    """Return generalised advantage estimates A[t].

    With v[t] = values[t], backwards in t:

        after[t] = 0                 if terminated[t]      the world ended
                   final_values[t]   if truncated[t]       V(final observation), state after step t
                   v[t + 1]          otherwise             v[T] = next_value
        delta[t] = rewards[t] + discount * after[t] - v[t]
        A[t]     = delta[t] + discount * trace * (0 if terminated[t] or truncated[t] else A[t + 1])

    The critic's target is `A + values`. A filler row of a next-step autoreset follows an ended row, so
    nothing flows out of it; its own A means nothing and `valid` drops it.

    Args:
        rewards: [T, B] float32, rewards[t] follows action[t].
        values: [T, B], V of observation t.
        next_value: [B], V of the observation after the last row.
        final_values: [T, B], read only where `truncated`.
        terminated: [T, B] bool.
        truncated: [T, B] bool, truncated and not terminated.
        discount: Discount per step, in [0, 1].
        trace: Lambda, in [0, 1]; 1 gives Monte-Carlo returns, 0 one-step targets.

    Source: Schulman et al. 2016, High-Dimensional Continuous Control Using Generalized Advantage
    Estimation; Pardo et al. 2018, Time Limits in Reinforcement Learning (the bootstrap at truncation).
    """
    if why_not(values) is None:
        return _in_one_pass(
            rewards, values, next_value, final_values, terminated, truncated, discount=discount, trace=trace
        )
    after = torch.cat([values[1:], next_value.unsqueeze(0)])  # [T, B]
    after = torch.where(truncated, final_values, after)
    after = torch.where(terminated, torch.zeros_like(after), after)
    deltas = rewards + discount * after - values
    carry = discount * trace * (~(terminated | truncated)).to(deltas.dtype)  # [T, B]
    advantages = torch.empty_like(deltas)
    advantage = torch.zeros_like(next_value)
    for t in range(len(deltas) - 1, -1, -1):
        advantage = torch.addcmul(deltas[t], carry[t], advantage)
        advantages[t] = advantage
    return advantages


def _in_one_pass(*tensors: Tensor, discount: float, trace: float) -> Tensor:
    """The same by one compiled call; tensors in the order of `generalised_advantage`."""
    from recurrent_rl.compiled.threads import run_task
    from recurrent_rl.functional import kernels

    rows = [tensor.contiguous() for tensor in tensors]
    result, weights = torch.empty_like(rows[1]), torch.tensor([discount, trace], dtype=torch.float64)
    run_task(kernels.advantages, *rows[1].shape, *rows, weights, result)
    return result
