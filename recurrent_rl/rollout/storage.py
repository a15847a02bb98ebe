"""One rollout [T, B] on the training device, and the time alignment that everything relies on.

    index t            0    1    2    3    4
    observation        o0   o1   o2  |o0   o1        | the environment was reset
    starts             1    0    0    1    0
    action, reward     a0   a1   a2   a0   a1        reward[t] follows action[t]
    terminated         0    0    1    0    0         the world ended: the value after it is 0
    truncated          0    0    0    0    0         a clock cut it: the value after it is V(final obs)
    valid              1    1    1    1    1         0 on the filler row of a next-step autoreset

`starts[t + 1] = terminated[t] | truncated[t]`, and `truncated` means truncated and not terminated. The
memory state that enters row t is stored for t = 0, K, 2K, ... only, K being the BPTT horizon.
"""

import torch
from torch import Tensor

from recurrent_rl.functional import generalised_advantage
from recurrent_rl.functional.observation import Observation, map_observation
from recurrent_rl.memory import State


class Rollout:
    """Preallocated storage for n_steps rows of n_envs columns.

    Everything that a policy computes or reads stays on its device. What the environment reports (rewards
    and flags) is written on the host and copied over once per rollout by `finish`; `starts` never leaves
    the host, where memories read it.

    Args:
        n_steps: T.
        horizon: K, the BPTT horizon; divides T.
        observation: An observation [B, ...] on the training device, for shapes and types.
        action: Actions [B, ...] on the training device, for shapes and types.
        state: The policy's state, leaves [B, ...].
    """

    def __init__(self, n_steps: int, horizon: int, observation: Observation, action: Tensor, state: State) -> None:
        n_envs, device = action.shape[0], action.device
        self.n_steps, self.n_envs, self.horizon, self.device = n_steps, n_envs, horizon, device

        def rows(x: Tensor) -> Tensor:
            return x.new_zeros((n_steps, *x.shape))  # [T, B, ...]

        self.observations = map_observation(rows, observation)
        self.actions = rows(action)
        self.entry_states: State = tuple(leaf.new_zeros((n_steps // horizon, *leaf.shape)) for leaf in state)
        self.log_probs, self.values, self.final_values, self.advantages = torch.zeros(
            (4, n_steps, n_envs), device=device
        )
        self.next_value = torch.zeros(n_envs, device=device)
        pinned = device.type == "cuda"  # `finish` then copies without waiting
        self.host_rewards = torch.zeros((n_steps, n_envs), pin_memory=pinned)
        self.host_flags = torch.zeros((3, n_steps, n_envs), dtype=torch.bool, pin_memory=pinned)  # three as below
        self.starts = torch.zeros((n_steps, n_envs), dtype=torch.bool)
        self.rewards = torch.zeros((n_steps, n_envs), device=device)
        self.terminated, self.truncated, self.valid = torch.zeros((3, n_steps, n_envs), dtype=torch.bool, device=device)

    @property
    def returns(self) -> Tensor:
        """The critic's targets [T, B]: advantage plus the value that it was measured from."""
        return self.advantages + self.values

    def write_entry_state(self, t: int, state: State) -> None:
        """Keep the state that enters row t, where a chunk begins there."""
        if t % self.horizon == 0:
            for stored, leaf in zip(self.entry_states, state, strict=True):
                stored[t // self.horizon].copy_(leaf)

    def finish(self, discount: float, trace: float) -> None:
        """Copy the host rows over and compute advantages; `next_value` and `final_values` must be in place."""
        self.rewards.copy_(self.host_rewards, non_blocking=True)
        for device_rows, host_rows in zip((self.terminated, self.truncated, self.valid), self.host_flags):
            device_rows.copy_(host_rows, non_blocking=True)
        self.advantages = generalised_advantage(
            self.rewards,
            self.values,
            self.next_value,
            self.final_values,
            self.terminated,
            self.truncated,
            discount=discount,
            trace=trace,
        )
