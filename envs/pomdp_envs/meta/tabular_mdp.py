"""Explore and exploit small random Markov decision processes."""

import numpy as np
from gymnasium import spaces

from pomdp_envs.dynamics import checked_count
from pomdp_envs.meta.trials import TrialDynamics
from pomdp_envs.random import normals

REWARD_MEAN = 1.0


class TabularMDP(TrialDynamics):
    """A Markov decision process with random transitions and rewards, which stays for the whole trial.

    Action space: Discrete(actions).
    Observation space: Box(float32, (states + actions + 2,)): the state one-hot, the previous action one-hot, the previous
        reward, and whether that step ended an episode; the last three are 0 at the start of a trial.
    Start: for every state and action the probabilities of the next state are drawn from a Dirichlet distribution with all
        parameters 1, and the mean reward from N(1, 1). Every episode starts in state 0.
    Reward: normal around the mean of (state, action), with variance 1.
    End: an episode is over after `episode_steps` steps, a trial terminates after `episodes` of them; it is never truncated.
    Hidden state: [cumulative probabilities of the next state, by state, action, next state (states^2 actions entries), mean
        rewards by state, action (states actions), the state, steps in this episode, episodes that have ended, ended,
        previous action, previous reward], float64.

    The best return is not known. By default an agent that knows nothing earns 100 in the mean, one that knew the process
    would earn about 218, posterior sampling earns about 134, and planning with the posterior's mean and a bonus for what
    was seldom tried about 152. Without memory little more than 100 can be earned, since of the process only the last reward
    is seen, without the state that it came from.

    Args:
        states: 10 unless given.
        actions: 5 unless given.
        episodes: 10 unless given (Duan et al.: 10 to 100).
        episode_steps: 10 unless given.
        tasks: "all", "train" or "held-out": which processes are drawn; they are made of uniform numbers of which the first
            is an even multiple of 2^-53 in training and an odd one when held out.

    Raises:
        ValueError: no positive integer, an unknown `tasks`, or a process of 2^16 numbers or more.

    Source: Duan et al. (2016), "RL^2: Fast reinforcement learning via slow reinforcement learning", section 3.2.

    Versions: v0, the first.
    """

    world_size = 1
    advance_draws = 3

    def __init__(
        self, states: int = 10, actions: int = 5, episodes: int = 10, episode_steps: int = 10, tasks: str = "all"
    ) -> None:
        self.states, self.actions = checked_count("states", states), checked_count("actions", actions)
        self._pairs = self.states * self.actions
        self._chances = self._pairs * self.states
        self.task_size = self._chances + self._pairs
        self.task_draws = self._chances + self._pairs + self._pairs % 2
        if self.task_draws >= 2**16:
            raise ValueError(f"states={states} and actions={actions} make too large a process: take fewer")
        super().__init__(spaces.Discrete(self.states), spaces.Discrete(self.actions), episodes, episode_steps, tasks)

    def sample_task(self, uniforms: np.ndarray) -> np.ndarray:
        """Draw the cumulative probabilities and the mean rewards: [states^2 actions + states actions, B]."""
        exponentials = -np.log(uniforms[: self._chances] + 2.0**-54)  # finite; normalised they are Dirichlet(1)
        summed = exponentials.reshape(self._pairs, self.states, -1).cumsum(axis=1)
        summed /= summed[:, -1:]
        means = normals(uniforms[self._chances :])[: self._pairs]
        means += REWARD_MEAN
        return np.concatenate([summed.reshape(self._chances, -1), means])

    def start(self, task: np.ndarray, uniforms: np.ndarray) -> np.ndarray:
        """Return state 0."""
        return np.zeros((1, task.shape[1]))

    def advance(
        self, task: np.ndarray, world: np.ndarray, action: np.ndarray, uniforms: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Draw the reward and the next state."""
        columns = np.arange(len(action))
        pair = world[0].astype(np.int64) * self.actions + action
        reward = task[self._chances + pair, columns] + normals(uniforms[:2])[0]
        bounds = task[pair * self.states + np.arange(self.states - 1)[:, None], columns]  # [states - 1, B]
        world[0] = (uniforms[2] >= bounds).sum(axis=0)
        return world, reward, np.zeros(len(action), dtype=bool)

    def see(self, task: np.ndarray, world: np.ndarray) -> np.ndarray:
        """Show the state, int64 [B]."""
        return world[0].astype(np.int64)

    def sketch(self, task: np.ndarray, world: np.ndarray) -> str:
        """Write the state and its mean rewards."""
        state = int(world[0])
        means = task[self._chances :].reshape(self.states, self.actions)[state]
        return f"state {state}, mean rewards " + " ".join(f"{mean:.2f}" for mean in means.tolist())
