"""Trials of any world of this package, whose episodes start in one state."""

import numpy as np

from pomdp_envs.dynamics import Dynamics, Observation
from pomdp_envs.meta.trials import TrialDynamics

_FOREVER = 2**62


class SameStart(TrialDynamics):
    """k episodes of one world that start in one state: `BatchedEnv(SameStart(TMaze(), episodes=3), num_envs=256)`.

    The task is the world's initial state (a maze, a deck of cards, the sign of a T-maze), sampled once per trial; what a
    world draws at its steps is drawn afresh in each episode.

    Action space: the world's.
    Observation space: Box(float32): the world's observation, flat, and one-hot where it is a choice; the previous action,
        the previous reward, and whether that step ended an episode.
    Start: the world's, once; every later episode starts there too.
    Reward: the world's.
    End: an episode is over where the world terminates or its time limit cuts; a trial terminates after `episodes` of them.
    Hidden state: [the world's initial state, its state, steps in this episode, episodes that have ended, ended, previous
        action, previous reward], float64 (which holds integers exactly up to 2^53).

    Args:
        dynamics: The world.
        episodes: k.

    Raises:
        ValueError: an observation that cannot be laid out flat, or no positive number of episodes.

    Source: Duan et al. (2016), "RL^2", section 3.3, plays two episodes in each maze.

    Versions: v0, the first.
    """

    def __init__(self, dynamics: Dynamics, episodes: int) -> None:
        self.dynamics = dynamics
        self.task_draws, self.advance_draws = dynamics.initial_draws, dynamics.transition_draws
        example = dynamics.initial(np.zeros((dynamics.initial_draws, 1)))
        self._dtype = example.dtype
        self.task_size = self.world_size = len(example)
        steps = dynamics.time_limit or dynamics.episode_length or _FOREVER
        super().__init__(dynamics.observation_space, dynamics.action_space, episodes, steps)

    def sample_task(self, uniforms: np.ndarray) -> np.ndarray:
        """Take an initial state of the world as the task."""
        return self.dynamics.initial(uniforms)

    def start(self, task: np.ndarray, uniforms: np.ndarray) -> np.ndarray:
        """Return to it."""
        return task

    def advance(
        self, task: np.ndarray, world: np.ndarray, action: np.ndarray, uniforms: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Advance the world."""
        return self.dynamics.transition(world.astype(self._dtype), action, uniforms)

    def see(self, task: np.ndarray, world: np.ndarray) -> Observation:
        """Show what the world shows."""
        return self.dynamics.observe(world.astype(self._dtype))

    def sketch(self, task: np.ndarray, world: np.ndarray) -> str:
        """Draw the world."""
        return self.dynamics.text(world.astype(self._dtype))
