"""How a rollout is cut: the BPTT horizon and the number of chunks in a minibatch."""

import math
from numbers import Integral


def resolve_horizon(bptt_horizon: int | None, n_steps: int, batch_size: int | None) -> int:
    """Return K, the length of a chunk.

    Args:
        bptt_horizon: The user's choice, which must divide n_steps; None takes the divisor of n_steps that is nearest
            to batch_size in ratio (the smaller of two equally near).
        n_steps: Rows of a rollout, T.
        batch_size: Rows of a minibatch; None for the whole rollout.

    Raises:
        ValueError: bptt_horizon does not divide n_steps; the message lists the divisors nearest to it.
    """
    batch_size = n_steps if batch_size is None else batch_size
    for number in (n_steps, batch_size, bptt_horizon or 1):
        if not isinstance(number, Integral):
            raise ValueError(f"n_steps, batch_size and bptt_horizon are whole numbers, not {number!r}.")
    if n_steps < 1 or batch_size < 1:
        raise ValueError(f"n_steps={n_steps} and batch_size={batch_size} must both be at least 1.")
    divisors = [k for k in range(1, n_steps + 1) if n_steps % k == 0]
    if bptt_horizon is None:
        return min(divisors, key=lambda k: abs(math.log(k / batch_size)))
    if bptt_horizon not in divisors:
        nearest = sorted(sorted(divisors, key=lambda k: abs(k - bptt_horizon))[:4])
        raise ValueError(
            f"bptt_horizon={bptt_horizon} does not divide n_steps={n_steps}: chunks must have equal length. "
            f"Take bptt_horizon from {nearest}, or change n_steps."
        )
    return bptt_horizon


def chunks_per_minibatch(batch_size: int, horizon: int) -> int:
    """Return the number of chunks of `horizon` rows that come nearest to `batch_size` rows, at least one."""
    return max(1, round(batch_size / horizon))
