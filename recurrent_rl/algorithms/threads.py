"""How many of torch's threads collection keeps busy."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn

WORTH_TWO_THREADS = 2**21  # multiplications in a step; below, a second thread saves nothing


def threads_to_act(policy: nn.Module, n_envs: int, wanted: int | None) -> int:
    """Return the number of threads for acting in `n_envs` columns: `wanted`, or what was measured to be best.

    A small policy gets one. With idle cores that is as fast as two; with a busy core beside it two took eight times as
    long, since each waits for the other at the end of every parallel operation. Others and convolutions get torch's number.
    """
    if wanted is not None:
        return wanted
    weights = list(policy.parameters())
    work = n_envs * sum(weight.numel() for weight in weights)  # a multiplication per weight and column
    dense = all(weight.dim() <= 2 for weight in weights)  # a convolution's weight serves many times
    return 1 if dense and work < WORTH_TWO_THREADS else torch.get_num_threads()


@contextmanager
def torch_threads(number: int) -> Iterator[None]:
    """Give torch `number` threads, and its own number back afterwards."""
    before = torch.get_num_threads()
    torch.set_num_threads(number)
    try:
        yield
    finally:
        torch.set_num_threads(before)
