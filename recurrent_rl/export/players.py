"""Imported agents in PettingZoo: as one of the players, and as those a learner plays against."""

from collections.abc import Mapping
from typing import Any

import gymnasium as gym
import numpy as np

from recurrent_rl.export.numpy_agent import OPERATIONS, Agent


class Player:
    """An agent as one player of a PettingZoo environment.

        player = Player(load_agent("gru.npz"), "player_1")
        for name in env.agent_iter():                                        # an AEC environment
            env.step(player.turn(env) if name == "player_1" else mine(env))

        observations, infos = env.reset()                                    # a parallel one
        while env.agents:
            actions = {"player_1": player.move(env, observations), "player_0": mine(observations)}
            observations, rewards, *_ = env.step(actions)

    Each reset of the environment starts a new episode: the player counts them, by a `reset` that it puts in place of the
    environment's own. Reset the very object that the player is given, not one below it.

    Where an observation is a dict with "observation" and "action_mask", as in PettingZoo's board games, the agent sees the
    first and chooses among what the second allows.

    Args:
        agent: It is copied.
        name: Of the player.
        deterministic: The likeliest action in place of a drawn one; `player.agent.seed(n)` makes those the same again.
    """

    def __init__(self, agent: Agent, name: str, deterministic: bool = True) -> None:
        self.agent, self.name, self.deterministic = agent.twin(), name, deterministic
        self._game: tuple[Any, int] | None = None

    def reset(self) -> None:
        """Start a new episode."""
        self.agent.reset()

    def turn(self, env: Any) -> Any:
        """Return the action in an AEC environment whose turn it is; None, as PettingZoo wants it, where its game is over."""
        self._look_at(env)
        observation, reward, terminated, truncated, _ = env.last()
        if terminated or truncated:
            self.reset()
            return None
        return self.answer(observation, reward)

    def move(self, env: Any, observations: Mapping[str, Any], rewards: Mapping[str, float] | None = None) -> Any:
        """Return the action for what a parallel environment gave; None where this player is out, and then it starts anew.

        Args:
            env: The environment: whether it was reset since the last move is asked of it.
            observations: Of all players.
            rewards: Of the move before, for a policy that was trained with them.
        """
        self._look_at(env)
        if self.name not in observations:
            self.reset()
            return None
        return self.answer(observations[self.name], (rewards or {}).get(self.name))

    def _look_at(self, env: Any) -> None:
        """Start a new episode where the environment is another one, or was reset since the last look."""
        game = (env, _Resets.of(env).count)
        if self._game is None or self._game[0] is not env or self._game[1] != game[1]:
            self.reset()
        self._game = game

    def answer(self, observation: Any, reward: float | None = None) -> Any:
        """Return the action for an observation."""
        mask = None
        if isinstance(observation, Mapping) and "action_mask" in observation:
            mask = np.asarray(observation["action_mask"], dtype=bool)
            reads_it = any(part["name"] == "action_mask" for part in self.agent.header["parts"])
            observation = observation if reads_it else observation["observation"]
        action = self.agent.act(observation, deterministic=self.deterministic, reward=reward)
        if mask is None or mask[action]:
            return action
        allowed = self._allowed(mask)
        self.agent.played(allowed)
        return allowed

    def _allowed(self, mask: np.ndarray) -> Any:
        logits = np.where(mask, self.agent.parameters["logits"][0], -np.inf)
        if self.deterministic:
            return logits.argmax()
        probabilities = OPERATIONS["softmax"](logits.astype(np.float64), -1, None)
        return self.agent.random.choice(len(logits), p=probabilities)


class _Resets:
    """An environment's `reset` that counts its calls; a copy of the environment gets one of its own."""

    def __init__(self, env: Any) -> None:
        self.env, self.own, self.count = env, vars(env).get("reset"), 0

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        self.count += 1
        return (
            type(self.env).reset(self.env, *arguments, **named) if self.own is None else self.own(*arguments, **named)
        )

    @staticmethod
    def of(env: Any) -> "_Resets":
        """Return the counter of an environment, put in place at the first time."""
        found = vars(env).get("reset")
        if not isinstance(found, _Resets):
            found = env.reset = _Resets(env)
        return found


class AgainstPlayers(gym.Env):
    """A PettingZoo parallel environment as a Gymnasium one for a learner, the other players being imported agents.

    The episode ends for the learner when it is out.

    Args:
        env: A parallel environment; `pettingzoo.utils.conversions.aec_to_parallel` makes one of an AEC environment whose
            players move at once.
        learner: Its name.
        players: Everybody else.

    Raises:
        ValueError: A player is missing or unknown, or the environment is one of turns.
    """

    def __init__(self, env: Any, learner: str, players: list[Player]) -> None:
        if hasattr(env, "agent_iter"):
            raise ValueError(
                "AgainstPlayers needs a parallel environment, and this one goes by turns: make it one by "
                "pettingzoo.utils.conversions.aec_to_parallel(env)."
            )
        self.env, self.learner, self.players = env, learner, players
        missing = set(env.possible_agents) ^ {learner, *(player.name for player in players)}
        if missing:
            raise ValueError(
                f"The environment has the players {env.possible_agents}; missing or unknown: {sorted(missing)}."
            )
        self.observation_space, self.action_space = env.observation_space(learner), env.action_space(learner)
        self._seen: Mapping[str, Any] = {}
        self._rewards: Mapping[str, float] = {}

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Start an episode for all."""
        super().reset(seed=seed)
        self._seen, infos = self.env.reset(seed=seed, options=options)
        self._rewards = {}
        for number, player in enumerate(self.players):
            player.reset()
            if seed is not None:
                player.agent.seed(seed + number)
        return self._seen[self.learner], infos.get(self.learner, {})

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Let all move at once."""
        moves = {
            player.name: player.move(self.env, self._seen, self._rewards)
            for player in self.players
            if player.name in self.env.agents
        }
        found = self.env.step({self.learner: action, **moves})
        me, last = self.learner, self._seen[self.learner]
        self._seen, self._rewards, terminated, truncated, infos = found
        over = terminated.get(me, True), truncated.get(me, False)  # one that is no longer told of is out
        self._seen = {me: last, **self._seen}
        return self._seen[me], self._rewards.get(me, 0.0), *over, infos.get(me, {})

    def render(self) -> Any:
        """Render the environment."""
        return self.env.render()

    def close(self) -> None:
        """Close the environment."""
        self.env.close()
