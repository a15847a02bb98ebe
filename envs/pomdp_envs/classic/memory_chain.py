"""Remember a few bits from the first observation to the last, where one of them is asked for."""

import numpy as np
from gymnasium import spaces

from pomdp_envs.dynamics import Dynamics, checked_count


class MemoryChain(Dynamics):
    """Bits are shown at the first step; the last observation asks for one of them.

    Long chains with one bit (MemoryChain) ask for how long a memory holds, short ones with many (MemorySize) how much.

    Action space: Discrete(2): a bit. Only the last action counts.
    Observation space: Box(-1, max(1, num_bits - 1), (num_bits + 2,), float32): [1 - step / memory_length, number of the
        bit that is asked for (at step memory_length - 1, otherwise 0), each bit as -1 or 1 (at step 0, otherwise 0)].
    Start: every bit is 0 or 1 and each is asked for, all equally likely and independently.
    Reward: 1 for the right bit at the last step, -1 for the other; 0 before.
    End: terminated after memory_length steps; never truncated.
    Hidden state: [step, number of the bit that is asked for, the bits], int64.

    The best return is 1. Without memory it is 0 whatever the policy does: the observation on which the last action
    is taken says nothing about the bit.

    Args:
        memory_length: Observations from the first to the last that is acted on, both included. bsuite's memory_len
            varies it from 1 to 100 with one bit.
        num_bits: How many are shown. bsuite's memory_size varies it from 1 to 40, with memory_length 2.

    Raises:
        ValueError: a memory_length below 2 (nothing would be remembered), no bits, or one that is no integer.

    Source: Osband et al. (2020), "Behaviour suite for reinforcement learning", memory_len and memory_size. bsuite 0.3.5
        shows the first observation twice, before and after an action without effect; from there on the two are equal.

    Versions: v0, the first.
    """

    action_space = spaces.Discrete(2)
    time_limit = None
    optimal_return = 1.0
    memoryless_return = 0.0

    def __init__(self, memory_length: int = 10, num_bits: int = 1) -> None:
        self.memory_length = self.episode_length = checked_count("memory_length", memory_length, least=2)
        self.num_bits = checked_count("num_bits", num_bits)
        self.initial_draws = self.num_bits + 1
        self.observation_space = spaces.Box(-1.0, max(1.0, self.num_bits - 1.0), (self.num_bits + 2,), np.float32)
        self.memory_span = f"{self.memory_length - 1} step" + "s" * (self.memory_length > 2)

    def initial(self, uniforms: np.ndarray) -> np.ndarray:
        """Draw the question and the bits: int64 [num_bits + 2, B]."""
        state = np.zeros((self.num_bits + 2, uniforms.shape[1]), dtype=np.int64)
        state[1] = uniforms[0] * self.num_bits
        state[2:] = uniforms[1:] >= 0.5
        return state

    def transition(
        self, state: np.ndarray, action: np.ndarray, uniforms: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Count the step and judge the last action."""
        state[0] += 1
        ended = state[0] == self.memory_length
        reward = np.zeros(len(action))
        columns = np.flatnonzero(ended)
        if len(columns):
            asked = state[2 + state[1, columns], columns]
            reward[columns] = np.where(action[columns] == asked, 1.0, -1.0)
        return state, reward, ended

    def observe(self, state: np.ndarray) -> np.ndarray:
        """Show the time, and the bits or the question where it is time for them, float32 [B, num_bits + 2]."""
        step = state[0]
        seen = np.zeros((state.shape[1], self.num_bits + 2), dtype=np.float32)
        seen[:, 0] = 1 - step / self.memory_length
        seen[:, 1] = state[1] * (step == self.memory_length - 1)
        first = np.flatnonzero(step == 0)
        if len(first):
            seen[first, 2:] = 2 * state[2:, first].T - 1
        return seen

    def text(self, state: np.ndarray) -> str:
        """Write the step, the bits and the number of the one that is asked for."""
        bits = "".join(str(bit) for bit in state[2:])
        return f"step {state[0]} of {self.memory_length}: bits {bits}, number {state[1]} is asked for"
