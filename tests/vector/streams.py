"""An environment with short episodes of both kinds, and what the collector sees of it through each face."""

import gymnasium as gym
import numpy as np
from gymnasium import spaces

from recurrent_rl.vector import read_step


class Counter(gym.Env):
    """Counts steps; a seeded draw decides how long an episode is and whether it terminates or is truncated."""

    action_space = spaces.Discrete(2)

    def __init__(self, as_dict=False):
        self.as_dict = as_dict
        box = spaces.Box(-100, 100, (3,), np.float32)
        self.observation_space = (
            spaces.Dict({"a": box, "b": spaces.Box(-100, 100, (1,), np.float32)}) if as_dict else box
        )
        self.clock = self.episode = self.length = 0

    def observe(self):
        row = np.array([self.clock, self.episode, self.length], dtype=np.float32)
        return {"a": row, "b": row[:1]} if self.as_dict else row

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.clock, self.episode = 0, 1 if seed is not None else self.episode + 1
        self.length = int(self.np_random.integers(1, 6))
        self.ends = bool(self.np_random.integers(2))
        return self.observe(), {}

    def step(self, action):
        self.clock += 1
        done = self.clock == self.length
        return (
            self.observe(),
            0.5 * self.clock + int(action),
            done and self.ends,
            done and not self.ends,
            {"clock": self.clock},
        )

    def get_state(self):
        return {
            "clock": self.clock,
            "episode": self.episode,
            "length": self.length,
            "ends": self.ends,
            "generator": repr(self.np_random.bit_generator.state),
        }

    def set_state(self, state):
        import ast

        self.clock, self.episode, self.length = state["clock"], state["episode"], state["length"]
        self.ends = state["ends"]
        self.np_random.bit_generator.state = ast.literal_eval(state["generator"])


def columns_of(observation, n):
    """Rows as plain lists, one per column."""
    if isinstance(observation, dict):
        return [{key: value[b].tolist() for key, value in observation.items()} for b in range(n)]
    return [observation[b].tolist() for b in range(n)]


def stream(vec_env, steps, seed=3):
    """Per column, the valid rows: (observation, starts, reward, terminated, truncated, final observation)."""
    n = vec_env.num_envs
    vec_env.seed(seed)
    observation, starts = vec_env.reset(), np.ones(n, dtype=bool)
    rows = [[] for _ in range(n)]
    for _ in range(steps):
        before, began = columns_of(observation, n), starts
        # The action depends on the column's own valid rows alone, so that all faces take the same ones.
        actions = np.array([len(column) % 2 for column in rows])
        step = read_step(vec_env, actions)
        finals = (
            {}
            if step.final_observation is None
            else dict(
                zip(
                    step.final_columns.tolist(),
                    columns_of(step.final_observation, len(step.final_columns)),
                    strict=True,
                )
            )
        )
        for b in range(n):
            if step.valid[b]:
                rows[b].append(
                    (
                        before[b],
                        bool(began[b]),
                        float(step.reward[b]),
                        bool(step.terminated[b]),
                        bool(step.truncated[b]),
                        finals.get(b),
                    )
                )
        observation, starts = step.observation, step.starts
    return rows


def shortest(streams):
    """The common length of streams: next-step autoreset spends rows on resets."""
    return [column[: min(len(column) for column in streams[0])] for column in streams[0]]
