"""From a vector environment to minibatches of chunks: collector, storage, chunks. Plain torch."""

from recurrent_rl.rollout.chunks import Minibatch, shuffled, whole_rollout
from recurrent_rl.rollout.collector import Carry, Decision, Transition, collect
from recurrent_rl.rollout.horizon import chunks_per_minibatch, resolve_horizon
from recurrent_rl.rollout.observation import to_device
from recurrent_rl.rollout.refresh import refresh_entry_states, state_drift
from recurrent_rl.rollout.storage import Rollout

__all__ = [
    "Carry",
    "Decision",
    "Minibatch",
    "Rollout",
    "Transition",
    "chunks_per_minibatch",
    "collect",
    "refresh_entry_states",
    "resolve_horizon",
    "shuffled",
    "state_drift",
    "to_device",
    "whole_rollout",
]
