"""Step a batch of ours beside popgym's own environments, each put into the same hidden state."""

import warnings
from collections.abc import Callable
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

import pomdp_envs

Inject = Callable[[Any, np.ndarray], Any]
COLUMNS = 25


@pytest.fixture(params=[pytest.param(50, id="50"), pytest.param(1000, id="1000", marks=pytest.mark.slow)])
def episodes(request) -> int:
    """How many episodes to compare."""
    return request.param


def make_theirs(name: str):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # popgym warns about its mazes
        theirs = pytest.importorskip("popgym.envs")  # its mazes do not install on every Python
        return getattr(theirs, name)()


def assert_equal(ours, theirs, what: str) -> None:
    ours = ours if isinstance(ours, tuple) else (ours,)
    theirs = theirs if isinstance(theirs, tuple) else (theirs,)
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(a, b, err_msg=what)


@pytest.fixture
def assert_agrees_with_popgym():
    """Compare spaces, and observation, reward, terminated and truncated of every step, exactly."""

    def check(
        name: str,
        inject: Inject,
        episodes: int,
        before_step: Callable[[Any, np.ndarray], None] | None = None,
        policy: Callable[[np.ndarray, gym.Space], np.ndarray] | None = None,
    ) -> int:
        """Play `episodes` episodes of `<name>` ("RepeatFirstEasy") and return the number of steps compared.

        Args:
            name: popgym's class and the middle of our id.
            inject: (their environment just after reset, our hidden state [S]) -> their first observation, after their
                hidden state is set to ours.
            episodes: how many.
            before_step: (their environment, our hidden state [S] after the step) -> None: inject the step's random numbers.
            policy: (our hidden states [B, S], batched action space) -> actions; uniform without one.
        """
        env = gym.make_vec(f"pomdp_envs/{name}-v0", num_envs=COLUMNS, autoreset_mode="Disabled").unwrapped
        theirs = [make_theirs(name) for _ in range(COLUMNS)]
        assert env.single_observation_space == theirs[0].observation_space
        assert env.single_action_space == theirs[0].action_space
        env.action_space.seed(0)
        ended, played, steps = np.ones(COLUMNS, dtype=bool), 0, 0
        observation, _ = env.reset(seed=7)
        while played < episodes:
            hidden = env.hidden_state()
            for column in np.flatnonzero(ended):
                theirs[column].reset(seed=0)
                first = inject(theirs[column], hidden[column].copy())
                assert_equal(pomdp_envs.observations.row(observation, column), first, f"first, column {column}")
            actions = env.action_space.sample() if policy is None else policy(hidden, env.action_space)
            observation, rewards, terminated, truncated, _ = env.step(actions)
            following = env.hidden_state()
            for column in range(COLUMNS):
                if before_step is not None:
                    before_step(theirs[column], following[column])
                expected = theirs[column].step(actions[column])
                assert_equal(pomdp_envs.observations.row(observation, column), expected[0], f"step {steps}, {column}")
                assert (rewards[column], terminated[column], truncated[column]) == tuple(expected[1:4])
                steps += 1
            ended = terminated | truncated
            played += ended.sum()
            if ended.any():
                observation, _ = env.reset(options={"reset_mask": ended})
        return steps

    return check
