"""k episodes of one sampled task, joined into one episode of the learner."""

from abc import abstractmethod

import numpy as np

from pomdp_envs.dynamics import ActionSpace, Dynamics, Observation, ObservationSpace, checked_count
from pomdp_envs.random import other_uniforms
from pomdp_envs.wrappers.encoding import encode_actions
from pomdp_envs.wrappers.trial_observation import encode_observations, flat_space, trial_observations, trial_space

TASKS = ("all", "train", "held-out")
STEP, EPISODES, ENDED = range(3)


class TrialDynamics(Dynamics):
    """A family of worlds, of which each trial samples one (the task) and plays k episodes in it.

    A trial is one episode for the learner: it is terminated by the end of its last episode (whether that world ended or
    `episode_steps` were over), never truncated, and the learner's memory persists until then. A step that ends an earlier
    episode returns that step's reward and the first observation of the next episode, with the flag `ended` at 1; the
    ended episode's last observation is not shown. The step that ends the trial shows the last episode's last
    observation, also with the flag at 1.

    Every observation is one float32 row: the world's observation (one-hot where it is a choice), the previous action
    (one-hot for choices), the previous reward, and `ended`. The last three are 0 at the start of a trial only.

    A subclass is one family: it sets the sizes below and writes `sample_task`, `start`, `advance`, `see` and `sketch`, pure
    and batched as those of `Dynamics`. Tasks and worlds are float64 arrays [P, B] and [S, B]; the hidden state is [task
    (P entries), world (S), steps in this episode, episodes that have ended, `ended`, previous action, previous reward].

    Attributes:
        task_size: P.
        world_size: S.
        task_draws: uniform numbers that `sample_task` needs per column.
        start_draws: uniform numbers that `start` needs per column.
        advance_draws: uniform numbers that `advance` needs per column.

    Args:
        observation_space: what the world shows.
        action_space: of the world and of the trial.
        episodes: k.
        episode_steps: an episode of the world ends at the latest after this many steps.
        tasks: "train" and "held-out" draw from disjoint sets of tasks, "all" from both. The sets differ in the last of the
            53 bits of the first uniform number that a task is made of, so both are distributed like "all", and one seed
            gives unrelated tasks in both; a family with few tasks must split them itself, in `sample_task`.

    Raises:
        ValueError: an unknown `tasks`, or a count that is no positive integer.

    Source: Duan et al. (2016), "RL^2: Fast reinforcement learning via slow reinforcement learning"; Wang et al. (2016),
        "Learning to reinforcement learn".
    """

    task_size: int
    world_size: int
    task_draws: int
    start_draws: int = 0
    advance_draws: int = 0
    time_limit = None
    memory_span = "the whole trial"

    def __init__(
        self,
        observation_space: ObservationSpace,
        action_space: ActionSpace,
        episodes: int,
        episode_steps: int,
        tasks: str = "all",
    ) -> None:
        if tasks not in TASKS:
            raise ValueError(f"tasks must be one of {list(TASKS)}, not {tasks!r}")
        self.tasks = tasks
        self.episodes = checked_count("episodes", episodes)
        self.episode_steps = checked_count("episode_steps", episode_steps)
        self.world_observation_space = observation_space
        self.observation_space = trial_space(observation_space, action_space)
        self.action_space = action_space
        self.episode_length = self.episodes * self.episode_steps
        self._shown = len(flat_space(observation_space).low)  # O
        self.initial_draws = self.task_draws + self.start_draws
        self.transition_draws = self.start_draws + self.advance_draws

    @abstractmethod
    def sample_task(self, uniforms: np.ndarray) -> np.ndarray:
        """Make tasks [P, B] from uniform numbers [task_draws, B]."""

    @abstractmethod
    def start(self, task: np.ndarray, uniforms: np.ndarray) -> np.ndarray:
        """Return where an episode in these tasks [P, B] starts, [S, B], from uniform numbers [start_draws, B]."""

    @abstractmethod
    def advance(
        self, task: np.ndarray, world: np.ndarray, action: np.ndarray, uniforms: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Advance an episode by one step.

        Args:
            task: [P, B], not to be changed.
            world: [S, B]; it may be changed in place and returned.
            action: [B, ...], as `Dynamics.transition` gets it.
            uniforms: [advance_draws, B].

        Returns:
            The next world [S, B], the reward float64 [B], and whether the world has ended, bool [B].
        """

    @abstractmethod
    def see(self, task: np.ndarray, world: np.ndarray) -> Observation:
        """Show what the agent sees of worlds [S, B]: [B, ...], or a tuple of such arrays."""

    @abstractmethod
    def sketch(self, task: np.ndarray, world: np.ndarray) -> str:
        """Draw one task [P] and its world [S] with characters."""

    def initial(self, uniforms: np.ndarray) -> np.ndarray:
        """Sample a task and start its first episode."""
        task = self.sample_task(of_split(uniforms[: self.task_draws], self.tasks))
        world = self.start(task, uniforms[self.task_draws :])
        clock_and_last = np.zeros((3 + int(np.prod(self.action_space.shape or ())) + 1, uniforms.shape[1]))
        return np.concatenate([task, world, clock_and_last], dtype=np.float64)

    def transition(
        self, state: np.ndarray, action: np.ndarray, uniforms: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Advance the world; where its episode is over, start the next one or end the trial."""
        task, world, clock, last = self._parts(state)
        world[:], reward, over = self.advance(task, world, action, uniforms[self.start_draws :])
        clock[STEP] += 1
        over = over | (clock[STEP] >= self.episode_steps)
        clock[EPISODES] += over
        clock[ENDED] = over
        last[:-1] = action.reshape(len(action), -1).T  # [K, B]
        last[-1] = reward
        finished = clock[EPISODES] >= self.episodes
        again = np.flatnonzero(over & ~finished)
        if len(again):
            clock[STEP, again] = 0
            world[:, again] = self.start(task, uniforms[: self.start_draws])[:, again]
        return state, reward, finished

    def observe(self, state: np.ndarray) -> np.ndarray:
        """Show the world, and the last step, float32 [B, O + A + 2]."""
        task, world, clock, last = self._parts(state)
        seen = encode_observations(self.world_observation_space, self.see(task, world))
        actions = encode_actions(self.action_space, last[:-1].T.reshape(-1, *(self.action_space.shape or ())))  # [B, A]
        actions[(clock[STEP] == 0) & (clock[EPISODES] == 0)] = 0.0
        return trial_observations(seen, actions, last[-1], clock[ENDED])

    def text(self, state: np.ndarray) -> str:
        """Write how far the trial is, and draw the world."""
        task, world, clock, _ = self._parts(state)
        episode = min(int(clock[EPISODES]) + 1, self.episodes)
        return f"episode {episode} of {self.episodes}, step {int(clock[STEP])}\n{self.sketch(task, world)}"

    def split_observation(self, observation: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Cut observations [B, O + A + 2] into the world's [B, O], previous action [B, A], reward [B] and ended bool [B]."""
        return (
            observation[:, : self._shown],
            observation[:, self._shown : -2],
            observation[:, -2],
            observation[:, -1] > 0,
        )

    def _parts(self, state: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Cut states [.., B] (or one state) into task, world, clock (3 rows) and last action and reward: views."""
        world_at, clock_at = self.task_size, self.task_size + self.world_size
        return state[:world_at], state[world_at:clock_at], state[clock_at : clock_at + 3], state[clock_at + 3 :]


def of_split(uniforms: np.ndarray, tasks: str) -> np.ndarray:
    """Make the uniform numbers [n, B] belong to the tasks.

    No number that "train" returns in its first row is ever returned there by "held-out": the former are even multiples of
    2^-53, the latter odd ones. And the rows that the two return for the same seed look independent.
    """
    if tasks == "all":
        return uniforms
    numbers = other_uniforms(uniforms) if tasks == "held-out" else uniforms.copy()
    numbers[0] = np.floor(numbers[0] * 2.0**52) * 2.0**-52 + (2.0**-53 if tasks == "held-out" else 0.0)
    return numbers
