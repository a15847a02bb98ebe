"""A finished rollout as shuffled minibatches of equally long chunks.

    rollout [T, B]  ->  chunks [K, M], M = (T / K) B  ->  minibatches [K, N]

A chunk is K consecutive rows of one column with the memory state that enters it. It may cross episode
starts: the reset inside is data. Nothing is padded.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from recurrent_rl.functional import Stored
from recurrent_rl.functional.observation import Observation, map_observation
from recurrent_rl.memory import State
from recurrent_rl.rollout.storage import Rollout


@dataclass(frozen=True, slots=True, kw_only=True)
class Minibatch:
    """N chunks of K rows; every field is [K, N, ...] but the entry state, whose leaves are [N, ...]."""

    observations: Observation
    actions: Tensor
    starts: Tensor  # on the host
    valid: Tensor
    entry_state: State
    values: Tensor
    log_probs: Tensor
    advantages: Tensor
    returns: Tensor

    @property
    def stored(self) -> Stored:
        """What a loss compares with what the policy says now."""
        return Stored(
            log_probs=self.log_probs,
            advantages=self.advantages,
            returns=self.returns,
            values=self.values,
            valid=self.valid,
        )


def whole_rollout(rollout: Rollout) -> Minibatch:
    """Return all chunks of a finished rollout in their order, as one minibatch [K, M]; m = chunk B + column."""
    horizon = rollout.horizon

    def fold(x: Tensor) -> Tensor:
        chunks = x.unflatten(0, (-1, horizon))  # [T / K, K, B, ...]
        return chunks.transpose(0, 1).flatten(1, 2)  # [K, M, ...]

    return Minibatch(
        observations=map_observation(fold, rollout.observations),
        actions=fold(rollout.actions),
        starts=fold(rollout.starts),
        valid=fold(rollout.valid),
        entry_state=tuple(leaf.flatten(0, 1) for leaf in rollout.entry_states),  # [M, ...]
        values=fold(rollout.values),
        log_probs=fold(rollout.log_probs),
        advantages=fold(rollout.advantages),
        returns=fold(rollout.returns),
    )


def shuffled(chunks: Minibatch, size: int) -> Iterator[Minibatch]:
    """Yield minibatches of `size` chunks in a new random order (torch's global generator); the last may be smaller."""
    count = chunks.starts.shape[1]
    host_order = torch.randperm(count)
    if size >= count:
        yield chunks
        return
    order = host_order.to(chunks.values.device, non_blocking=True)
    for host_index, index in zip(host_order.split(size), order.split(size), strict=True):
        yield _select(chunks, host_index, index)


def _select(chunks: Minibatch, host_index: Tensor, index: Tensor) -> Minibatch:

    def pick(x: Tensor) -> Tensor:
        return x.index_select(1, index)  # [K, N, ...]

    return Minibatch(
        observations=map_observation(pick, chunks.observations),
        actions=pick(chunks.actions),
        starts=chunks.starts.index_select(1, host_index),
        valid=pick(chunks.valid),
        entry_state=tuple(leaf.index_select(0, index) for leaf in chunks.entry_state),
        values=pick(chunks.values),
        log_probs=pick(chunks.log_probs),
        advantages=pick(chunks.advantages),
        returns=pick(chunks.returns),
    )
