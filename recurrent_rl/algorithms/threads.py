"""How many of torch's threads collection and updates keep busy."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn

WORTH_TWO_THREADS = 2**21  # multiplications in a step of the environments; below, a second thread saves nothing
WORTH_TWO_TO_LEARN = 2**23  # in the forward pass of a minibatch


def threads_to_act(policy: nn.Module, n_envs: int, wanted: int | None) -> int:
    """Return the number of threads for acting in `n_envs` columns: `wanted`, or what was measured to be best.

    A small policy gets one. With idle cores that is as fast as two; with a busy core beside it two took eight times as
    long, since each waits for the other at the end of every parallel operation. Others and convolutions get torch's number.
    """
    return _few(policy, n_envs, WORTH_TWO_THREADS) if wanted is None else wanted


def threads_to_learn(policy: nn.Module, rows: int) -> int:
    """Return the number of threads for minibatches of `rows` rows: one where policy and minibatch are small.

    An update of 2048 rows x 10 epochs with a GRU of 64 units, milliseconds with one thread and with two: 137 and 144 on idle
    cores in minibatches of 128 rows (145 and 425 beside a busy core), 89 and 90 in 256 (79 and 242), 34 and 23 in 2048.
    """
    return _few(policy, rows, WORTH_TWO_TO_LEARN)


def _few(policy: nn.Module, rows: int, worth_two: int) -> int:
    weights = list(policy.parameters())
    work = rows * sum(weight.numel() for weight in weights)  # a multiplication per weight and row
    dense = all(weight.dim() <= 2 for weight in weights)  # a convolution's weight serves many times
    return 1 if dense and work < worth_two else torch.get_num_threads()


@contextmanager
def torch_threads(number: int) -> Iterator[None]:
    """Give torch `number` threads, and its own number back afterwards."""
    before = torch.get_num_threads()
    torch.set_num_threads(number)
    try:
        yield
    finally:
        torch.set_num_threads(before)
