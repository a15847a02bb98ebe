"""Join k episodes of one task of any Gymnasium environment into one episode of the learner."""

from collections.abc import Callable
from typing import Any

import gymnasium
import numpy as np
from gymnasium.utils import RecordConstructorArgs

from pomdp_envs.dynamics import checked_count
from pomdp_envs.wrappers.encoding import Observation, action_width, encode_actions
from pomdp_envs.wrappers.trial_observation import encode_observations, trial_observations, trial_space

Restart = Callable[[gymnasium.Env[Any, Any]], tuple[Observation, dict[str, Any]]]


class Trials(gymnasium.Wrapper[np.ndarray, Any, Observation, Any], RecordConstructorArgs):
    """Play k episodes of one task as one trial (RL^2); for worlds of this package, `meta.TrialDynamics` does it in batches.

    `reset` begins a trial, with the environment's own `reset`, which samples a task. At the end of each episode but the
    last, `restart(env)` begins the next one in the same task, and the step that ended the episode returns its reward and
    the first observation of the next episode (and that one's info), with the flag `ended` at 1. The end of the last episode
    terminates the trial, whether that episode was terminated or truncated; its last observation is shown, also with the flag
    at 1.

    Every observation is one float32 row: the environment's observation (flat, and one-hot where it is a choice), the
    previous action (likewise), the previous reward, and `ended`. The last three are 0 at the start of a trial only.

    Several at once, in any autoreset mode: `gymnasium.vector.SyncVectorEnv([lambda: Trials(...)] * n, autoreset_mode=...)`.

    Args:
        env: One whose tasks can be kept.
        episodes: k.
        restart: Begins the next episode in the task of the last one, such as
            `lambda env: env.reset(options={"same_task": True})` for an environment that knows this option.

    Raises:
        ValueError: an observation or action space that cannot be laid out flat, or no positive number of episodes.

    Source: Duan et al. (2016), "RL^2: Fast reinforcement learning via slow reinforcement learning", section 2.2.
    """

    def __init__(self, env: gymnasium.Env[Any, Any], episodes: int, restart: Restart) -> None:
        RecordConstructorArgs.__init__(self, episodes=episodes, restart=restart)
        gymnasium.Wrapper.__init__(self, env)
        self.episodes = checked_count("episodes", episodes)
        self.observation_space = trial_space(env.observation_space, env.action_space)
        self._restart = restart
        self._ended_episodes = 0

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        """Begin a trial: the environment samples a task."""
        observation, info = self.env.reset(seed=seed, options=options)
        self._ended_episodes = 0
        nothing = np.zeros((1, action_width(self.env.action_space)), dtype=np.float32)
        return self._join(observation, nothing, 0.0, False), info

    def step(self, action: Any) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        """Advance; at the end of an episode, begin the next one in the same task."""
        observation, reward, terminated, truncated, info = self.env.step(action)
        ended = terminated or truncated
        self._ended_episodes += ended
        finished = self._ended_episodes == self.episodes
        if ended and not finished:
            observation, info = self._restart(self.env)
        encoded = encode_actions(self.env.action_space, np.asarray(action)[None])  # [1, A]
        return self._join(observation, encoded, float(reward), ended), float(reward), finished, False, info

    def _join(self, observation: Observation, action: np.ndarray, reward: float, ended: bool) -> np.ndarray:
        parts = observation if isinstance(observation, tuple) else (observation,)
        batch = tuple(np.asarray(part)[None] for part in parts)  # [1, ...] each
        seen = encode_observations(self.env.observation_space, batch if isinstance(observation, tuple) else batch[0])
        return trial_observations(seen, action, np.array([reward]), np.array([ended]))[0]
