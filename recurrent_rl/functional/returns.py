"""Returns and advantages over a rollout whose columns hold several episodes."""

import numpy as np
import torch
from torch import Tensor

from recurrent_rl.compiled.choice import alike, why_not


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
    rows = (rewards, values, next_value, final_values, terminated, truncated)
    if why_not(values) is None and _one_layout(*rows):
        return _in_one_pass(*rows, discount=discount, trace=trace)
    after = torch.cat([values[1:], next_value.unsqueeze(0)])  # [T, B]
    after = torch.where(truncated, final_values, after)
    after = torch.where(terminated, torch.zeros_like(after), after)
    deltas = rewards + discount * after - values
    carry = discount * trace * (~(terminated | truncated)).to(deltas.dtype)  # [T, B]
    return _scan_backwards(deltas, carry) if deltas.is_cuda else _loop_backwards(deltas, carry)


def _loop_backwards(deltas: Tensor, carry: Tensor) -> Tensor:
    """Return A with A[t] = deltas[t] + carry[t] A[t + 1] and nothing after the last row; all [T, B]."""
    advantages, advantage = torch.empty_like(deltas), torch.zeros_like(deltas[0])
    for t in range(len(deltas) - 1, -1, -1):
        advantage = torch.addcmul(deltas[t], carry[t], advantage)
        advantages[t] = advantage
    return advantages


def _scan_backwards(deltas: Tensor, carry: Tensor) -> Tensor:
    """The same in log2 T steps over all rows: after each, a row holds the sum over twice as many rows."""
    length, reach = len(deltas), 1
    while reach < length:
        kept = length - reach  # the rows below look past the end, and are complete
        summed = torch.addcmul(deltas[:kept], carry[:kept], deltas[reach:])
        deltas = torch.cat([summed, deltas[kept:]])
        carry = torch.cat([carry[:kept] * carry[reach:], carry[kept:]])
        reach *= 2
    return deltas


def _one_layout(
    rewards: Tensor, values: Tensor, next_value: Tensor, final_values: Tensor, terminated: Tensor, truncated: Tensor
) -> bool:
    """Whether the compiled pass, which reads memory by addresses alone, finds what it expects there."""
    flags = alike(terminated, truncated) and terminated.dtype == torch.bool and terminated.shape == values.shape
    return flags and values.dim() == 2 and alike(values, rewards, final_values) and alike(values[0], next_value)


def _in_one_pass(*tensors: Tensor, discount: float, trace: float) -> Tensor:
    """The same by one compiled call; tensors in the order of `generalised_advantage`."""
    from recurrent_rl.compiled.threads import run_task
    from recurrent_rl.functional import kernels

    rows = [tensor.contiguous() for tensor in tensors]
    result, weights = torch.empty_like(rows[1]), np.array([discount, trace], dtype=np.float64)
    run_task(kernels.advantages, *rows[1].shape, *rows, weights.ctypes.data, result)
    return result
