"""The single view and the batch of HMM world, with the belief."""

from typing import Any

import numpy as np
from gymnasium.vector import AutoresetMode

from pomdp_envs.batched import BatchedEnv
from pomdp_envs.classic.hmm_world import BELIEF
from pomdp_envs.making import load
from pomdp_envs.single import SingleEnv


class HMMBatch(BatchedEnv):
    """A batch whose exact Bayes beliefs can be asked for."""

    def belief(self) -> np.ndarray:
        """Return P(hidden state | the episode's observations so far) of every column, float64 [B, K], a copy.

        It goes with the observation that `reset` or `step` returned last: where an episode has just ended, in
        SAME_STEP mode, with the next one's first observation.

        Raises:
            ResetNeeded: before the first reset.
        """
        return self.hidden_state()[:, BELIEF:]


class HMMSingle(SingleEnv):
    """One environment whose exact Bayes belief can be asked for."""

    def belief(self) -> np.ndarray:
        """Return P(hidden state | the episode's observations so far), float64 [K], a copy.

        Raises:
            ResetNeeded: before the first reset.
        """
        return self.hidden_state()[BELIEF:]


def make_single(dynamics: str, render_mode: str | None = None, **arguments: Any) -> HMMSingle:
    """Make one environment; the arguments are those of HMMWorld."""
    return HMMSingle(load(dynamics)(**arguments), render_mode)


def make_batch(
    dynamics: str,
    num_envs: int = 1,
    autoreset_mode: AutoresetMode | str = AutoresetMode.SAME_STEP,
    render_mode: str | None = None,
    max_episode_steps: int | None = None,
    **arguments: Any,
) -> HMMBatch:
    """Make a batch; the arguments are those of HMMWorld."""
    return HMMBatch(load(dynamics)(**arguments), num_envs, autoreset_mode, render_mode, max_episode_steps)
