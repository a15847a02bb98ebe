"""Fill a rollout: environment -> policy -> environment, with boundaries where they belong."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from recurrent_rl.functional.observation import HostObservation, Observation
from recurrent_rl.memory import State
from recurrent_rl.rollout.observation import concatenate, rows_of, to_device, write_row
from recurrent_rl.rollout.storage import Rollout


class Transition(Protocol):
    """What one step of the vector environment reports, rows [B]; see `recurrent_rl.vector`."""

    @property
    def observation(self) -> HostObservation:
        """The observations to act on next [B, ...]."""
        ...

    @property
    def reward(self) -> np.ndarray:
        """float32 [B]."""
        ...

    @property
    def terminated(self) -> np.ndarray:
        """Bool [B]."""
        ...

    @property
    def truncated(self) -> np.ndarray:
        """Bool [B], truncated and not terminated."""
        ...

    @property
    def valid(self) -> np.ndarray:
        """Bool [B], False on a filler row."""
        ...

    @property
    def starts(self) -> np.ndarray:
        """Bool [B], True where `observation` is an episode's first."""
        ...

    @property
    def final_observation(self) -> HostObservation | None:
        """The last observations of the truncated columns [n, ...], None where n is 0."""
        ...

    @property
    def final_columns(self) -> np.ndarray:
        """The truncated columns [n], ascending."""
        ...


@dataclass(frozen=True, slots=True)
class Decision:
    """What the policy answers to B observations.

    actions [B, ...], values [B] and log_probs [B] on its device; the state that follows; the actions on the host, as they
    are and in the form that the environment takes (clipped or rescaled).
    """

    actions: Tensor
    values: Tensor
    log_probs: Tensor
    state: State
    host_actions: np.ndarray
    env_actions: np.ndarray


@dataclass(frozen=True, slots=True)
class Carry:
    """What passes from one rollout to the next.

    The observation to act on [B, ...], the state that enters it, and where it is an episode's first (bool [B], host).
    """

    observation: Observation
    state: State
    starts: Tensor


Act = Callable[[int, Carry], Decision]
Value = Callable[[Observation, State, Tensor], Tensor]
Step = Callable[[np.ndarray], Transition]
OnStep = Callable[[int, Carry, Decision, Transition], bool]


@torch.no_grad()
def collect(rollout: Rollout, carry: Carry, act: Act, value: Value, step: Step, on_step: OnStep) -> Carry | None:
    """Fill every row of `rollout` and return the carry for the next one.

    Args:
        rollout: Storage to fill; `finish` is left to the caller.
        carry: Where the previous rollout ended.
        act: (t, carry) -> decision.
        value: (observation [n, ...], state, starts [n]) -> V [n].
        step: env_actions -> transition.
        on_step: (t, carry that was acted on, decision, transition) -> whether to go on.

    Returns:
        The next carry, or None where on_step stopped collection (the rollout is then incomplete).
    """
    endings: list[_Ending] = []
    rows = _Rows(rollout)
    for t in range(rollout.n_steps):
        decision = act(t, carry)
        transition = step(decision.env_actions)
        rollout.write_entry_state(t, carry.state)
        rows.write(t, carry, decision, transition)
        if transition.final_observation is not None:
            endings.append(_ending(rollout, t, decision.state, transition))
        acted_on, carry = (
            carry,
            Carry(
                to_device(transition.observation, rollout.device), decision.state, torch.from_numpy(transition.starts)
            ),
        )
        if not on_step(t, acted_on, decision, transition):
            return None
    rollout.next_value.copy_(value(carry.observation, carry.state, carry.starts))
    if endings:
        _write_final_values(rollout, endings, value)
    return carry


class _Rows:
    """Writes rows of a rollout in place, through views that are made once per rollout."""

    def __init__(self, rollout: Rollout) -> None:
        self._observations = rows_of(rollout.observations)
        self._on_device = list(zip(rollout.actions, rollout.values, rollout.log_probs, strict=True))
        self._starts, self._rewards = rollout.starts.numpy(), rollout.host_rewards.numpy()
        self._terminated, self._truncated, self._valid = rollout.host_flags.numpy()

    def write(self, t: int, carry: Carry, decision: Decision, transition: Transition) -> None:
        """Write row t."""
        write_row(self._observations[t], carry.observation)
        actions, values, log_probs = self._on_device[t]
        actions.copy_(decision.actions)
        values.copy_(decision.values)
        log_probs.copy_(decision.log_probs)
        self._starts[t] = carry.starts.numpy()
        self._rewards[t] = transition.reward
        self._terminated[t] = transition.terminated
        self._truncated[t] = transition.truncated
        self._valid[t] = transition.valid


@dataclass(frozen=True, slots=True)
class _Ending:
    """Truncated columns of one row: their final observations and the states that follow row t in those columns."""

    rows: Tensor  # [n], all t
    columns: Tensor  # [n]
    observation: Observation
    state: State


def _ending(rollout: Rollout, t: int, state: State, transition: Transition) -> _Ending:
    assert transition.final_observation is not None
    columns = torch.from_numpy(transition.final_columns).to(rollout.device)
    return _Ending(
        torch.full_like(columns, t),
        columns,
        to_device(transition.final_observation, rollout.device),
        tuple(leaf.index_select(0, columns) for leaf in state),
    )


def _write_final_values(rollout: Rollout, endings: list[_Ending], value: Value) -> None:
    """Value every final observation of the rollout in one batch; the policy is the same throughout."""
    rows = torch.cat([ending.rows for ending in endings])
    columns = torch.cat([ending.columns for ending in endings])
    state = tuple(torch.cat(leaves) for leaves in zip(*(ending.state for ending in endings), strict=True))
    continues = torch.zeros(len(rows), dtype=torch.bool)
    values = value(concatenate([ending.observation for ending in endings]), state, continues)
    rollout.final_values[rows, columns] = values
