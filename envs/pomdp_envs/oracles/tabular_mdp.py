"""Players of the tabular Markov decision processes."""

import numpy as np

from pomdp_envs.meta.tabular_mdp import REWARD_MEAN, TabularMDP
from pomdp_envs.players import Player


class TabularMDPOracle(Player):
    """Plan at every episode's start with the posterior's mean, and a bonus for what was seldom tried: good, not the best.

    Source: Kolter and Ng (2009), "Near-Bayesian exploration in polynomial time" (bonus / (1 + visits)).
    """

    dynamics: TabularMDP
    bonus = 0.3

    def begin(self) -> None:
        """Count every column's transitions and pulls, and add up the rewards."""
        pairs = self.num_envs, self.dynamics.states, self.dynamics.actions
        self.transitions = np.zeros((*pairs, self.dynamics.states))
        self.visits, self.rewards = np.zeros(pairs), np.zeros(pairs)
        self.state, self.step = np.zeros((2, self.num_envs), dtype=np.int64)
        self.policy = np.zeros((self.dynamics.episode_steps, self.num_envs, self.dynamics.states), dtype=np.int64)

    def act(self, observation: np.ndarray, starts: np.ndarray) -> np.ndarray:
        """Learn from the last step, at an episode's start plan anew, and follow the plan."""
        seen, last_action, reward, ended = self.dynamics.split_observation(observation)
        following = seen.argmax(axis=1)
        self._learn(last_action.argmax(axis=1), reward, following, ended, starts)
        again = np.flatnonzero(starts | ended)
        self.step += 1
        self.step[again] = 0
        if len(again):
            self.policy[:, again] = self._plan(again)
        self.state = following
        return self.policy[self.step, np.arange(self.num_envs), following]

    def _learn(
        self, action: np.ndarray, reward: np.ndarray, following: np.ndarray, ended: np.ndarray, starts: np.ndarray
    ) -> None:
        """Count; the last transition of an episode is not seen."""
        for memory in (self.transitions, self.visits, self.rewards):
            memory[starts] = 0
        stepped = np.flatnonzero(~starts)
        pair = stepped, self.state[stepped], action[stepped]
        self.visits[pair] += 1
        self.rewards[pair] += reward[stepped]
        inside = np.flatnonzero(~starts & ~ended)
        self.transitions[inside, self.state[inside], action[inside], following[inside]] += 1

    def _believed(self, columns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the process to plan with: chances [n, states, actions, states] and rewards [n, states, actions]."""
        chances = 1 + self.transitions[columns]
        visits = 1 + self.visits[columns]
        means = (REWARD_MEAN + self.rewards[columns] + self.bonus) / visits
        return chances / chances.sum(axis=-1, keepdims=True), means

    def _plan(self, columns: np.ndarray) -> np.ndarray:
        """Solve the processes of the columns [n] backwards: actions [episode_steps, n, states]."""
        chances, means = self._believed(columns)
        value, policy = np.zeros((len(columns), self.dynamics.states)), []
        for _ in range(self.dynamics.episode_steps):
            worth = means + np.einsum("nsat,nt->nsa", chances, value)
            policy.append(worth.argmax(axis=-1))
            value = worth.max(axis=-1)
        return np.stack(policy[::-1])


class TabularMDPPosteriorSampling(TabularMDPOracle):
    """Plan with a process that is drawn from the posterior.

    Source: Strens (2000), "A Bayesian framework for reinforcement learning"; Osband, Russo and Van Roy (2013), "(More)
        efficient reinforcement learning via posterior sampling".
    """

    def begin(self) -> None:
        """Draw from a stream of its own."""
        super().begin()
        self.rng = np.random.default_rng(0)

    def _believed(self, columns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        chances = self.rng.standard_gamma(1 + self.transitions[columns])  # normalised they are Dirichlet
        visits = 1 + self.visits[columns]
        means = self.rng.normal((REWARD_MEAN + self.rewards[columns]) / visits, visits**-0.5)
        return chances / chances.sum(axis=-1, keepdims=True), means


class TabularMDPMemoryless(Player):
    """Repeat the last action if it paid more than the mean, otherwise take the next one."""

    dynamics: TabularMDP

    def act(self, observation: np.ndarray, starts: np.ndarray) -> np.ndarray:
        """Read the last action and its reward."""
        _, last_action, reward, _ = self.dynamics.split_observation(observation)
        return (last_action.argmax(axis=1) + (reward <= REWARD_MEAN)) % self.dynamics.actions
