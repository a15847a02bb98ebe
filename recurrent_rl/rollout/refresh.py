"""Entry states go stale while the weights change over epochs: recompute them, and measure how far they drifted."""

from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor

from recurrent_rl.functional.observation import Observation, map_observation
from recurrent_rl.memory import State
from recurrent_rl.rollout.chunks import Minibatch

Remember = Callable[[Observation, State, Tensor], State]


@torch.no_grad()
def refresh_entry_states(chunks: Minibatch, n_envs: int, remember: Remember) -> Minibatch:
    """Return the chunks of a whole rollout with entry states that today's weights give.

    The rollout is replayed from the stored states of its first row, which stay as they are: what came before them is
    gone.

    Args:
        chunks: From `whole_rollout`, [K, M] in rollout order.
        n_envs: B; M is a multiple of it.
        remember: (observations [K, B, ...], state, starts [K, B]) -> the state that follows.
    """
    count = chunks.starts.shape[1] // n_envs
    state: State = tuple(leaf[:n_envs] for leaf in chunks.entry_state)
    states = [state]
    for chunk in range(count - 1):
        columns = slice(chunk * n_envs, (chunk + 1) * n_envs)
        observations = map_observation(lambda x, columns=columns: x[:, columns], chunks.observations)
        state = remember(observations, state, chunks.starts[:, columns])
        states.append(state)
    entry_state = tuple(torch.cat(leaves) for leaves in zip(*states, strict=True))  # [M, ...]
    return replace(chunks, entry_state=entry_state)


def state_drift(stored: Minibatch, refreshed: Minibatch) -> Tensor | None:
    """Return |stored - refreshed| / |stored| over the entry states, or None where there is nothing to compare.

    Chunks that begin an episode are left out (their entry state is replaced), and so are a rollout's first chunks, whose
    difference is zero by construction.
    """
    enters = ~stored.starts[0]
    difference, size = [], []
    for old, new in zip(stored.entry_state, refreshed.entry_state, strict=True):
        if old.is_floating_point():
            kept = enters.to(old.device, non_blocking=True).view(-1, *[1] * (old.dim() - 1))  # [M, 1, ...]
            difference.append(((old - new) * kept).square().sum())
            size.append((old * kept).square().sum())
    if not size:
        return None
    return (torch.stack(difference).sum() / torch.stack(size).sum().clamp(min=1e-12)).sqrt()
