"""A frozen policy as a feature: what it would do, and what it remembers, beside the observation."""

from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces

from recurrent_rl.export.numpy_agent import OPERATIONS, Agent, Array
from recurrent_rl.export.spaces import from_description

DISTRIBUTION_KEY, STATE_KEY = "policy_distribution", "policy_state"


class PolicyFeatures(gym.Wrapper):
    """Adds an agent's action distribution and hidden state to the observation.

    A one-dimensional Box becomes one flat float32 Box [observation, distribution, state]; a Dict gets the keys
    "policy_distribution" and "policy_state"; anything else becomes a Dict of "observation" and these. The distribution is
    probabilities of choices (one after the other where there are several), or means and deviations of numbers; the state is
    the one that follows the observation.

    Args:
        env: Its observations are what the agent reads.
        agent: It is copied, and steps once for each observation.

    Raises:
        ValueError: The agent reads other observations, or its own actions where the environment takes others, or the
            observations have one of the new keys already.
    """

    def __init__(self, env: gym.Env, agent: Agent) -> None:
        super().__init__(env)
        self.agent, self._over = agent.twin(), False
        self._tells_action = agent.header["past"] is not None
        if self._tells_action and from_description(agent.action_space) != env.action_space:
            raise ValueError(
                f"The agent reads what was done, one of {from_description(agent.action_space)}, and the environment takes "
                f"{env.action_space}."
            )
        try:  # the first step tells how many numbers there are
            self.agent.act(env.observation_space.sample())
        except (ValueError, KeyError, IndexError, TypeError) as error:
            raise ValueError(f"The agent does not read observations of {env.observation_space}: {error}") from error
        self._distribution, self._state = (len(part) for part in features_of(self.agent))
        self._flat = isinstance(env.observation_space, spaces.Box) and len(env.observation_space.shape) == 1
        self.observation_space = self._space(env.observation_space)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Start an episode for the environment and the agent."""
        observation, info = self.env.reset(seed=seed, options=options)
        self.agent.reset()
        self._over = False
        return self._joined(observation, None), info

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """Step the environment, and show the agent what follows."""
        if self._over:  # the environment below begins the next episode by itself
            self.agent.reset()
        if self._tells_action:
            self.agent.played(action)
        observation, reward, terminated, truncated, info = self.env.step(action)
        self._over = terminated or truncated
        return self._joined(observation, reward), reward, terminated, truncated, info

    def _joined(self, observation: Any, reward: Any) -> Any:
        self.agent.act(observation, reward=reward)
        distribution, state = features_of(self.agent)
        if self._flat:
            return np.concatenate([observation, distribution, state], dtype=np.float32)
        parts = observation if isinstance(self.env.observation_space, spaces.Dict) else {"observation": observation}
        return {**parts, DISTRIBUTION_KEY: distribution, STATE_KEY: state}

    def _space(self, space: spaces.Space) -> spaces.Space:
        if self._flat:
            assert isinstance(space, spaces.Box)
            free = np.full(self._distribution + self._state, np.inf, dtype=np.float32)
            low, high = np.concatenate([space.low, -free]), np.concatenate([space.high, free])
            return spaces.Box(low.astype(np.float32), high.astype(np.float32), dtype=np.float32)
        parts = dict(space.spaces) if isinstance(space, spaces.Dict) else {"observation": space}
        if taken := parts.keys() & {DISTRIBUTION_KEY, STATE_KEY}:
            raise ValueError(f"The observation has the keys {sorted(taken)} already; rename them below this wrapper.")
        parts[DISTRIBUTION_KEY] = spaces.Box(-np.inf, np.inf, (self._distribution,), np.float32)
        parts[STATE_KEY] = spaces.Box(-np.inf, np.inf, (self._state,), np.float32)
        return spaces.Dict(parts)


def features_of(agent: Agent) -> tuple[Array, Array]:
    """Return the distribution and the state after an agent's last step with one observation, float32, one-dimensional."""
    assert agent.state is not None
    parameters, kind = agent.parameters, agent.action_space["kind"]
    if kind == "Box":
        rows = [parameters["mean"][0], parameters["deviation"][0]]
    elif kind == "MultiBinary":
        rows = [OPERATIONS["sigmoid"](parameters["logits"][0])]
    else:
        cuts = np.cumsum(agent.action_space["nvec"])[:-1] if kind == "MultiDiscrete" else []
        rows = [OPERATIONS["softmax"](part, -1, None) for part in np.split(parameters["logits"][0], cuts)]
    state = [leaf[0].ravel() for leaf in agent.state] or [np.zeros(0)]
    return np.concatenate(rows).astype(np.float32), np.concatenate(state).astype(np.float32)
