from collections.abc import Callable

import gymnasium as gym
import numpy as np
import pytest

from pomdp_envs import BatchedEnv

Policy = Callable[[np.ndarray], np.ndarray]


@pytest.fixture
def assert_agrees_with_gymnasium():
    """Step a SAME_STEP batch beside Gymnasium's own environments, each put into the batch's states."""

    def check(env: BatchedEnv, reference_id: str, visible: slice, policy: Policy, steps: int) -> dict[str, int]:
        references = [gym.make(reference_id, disable_env_checker=True) for _ in range(env.num_envs)]
        ends = {"terminated": 0, "truncated": 0}

        def restart(column: int) -> None:
            references[column].reset()
            references[column].unwrapped.state = env.get_state()["hidden"][column, :state_size].copy()

        env.reset(seed=7)
        references[0].reset()
        state_size = len(references[0].unwrapped.state)
        for column in range(env.num_envs):
            restart(column)
        for _ in range(steps):
            actions = policy(env.get_state()["hidden"])
            observations, rewards, terminated, truncated, infos = env.step(actions)
            for column, reference in enumerate(references):
                expected = reference.step(actions[column])
                ended = expected[2] or expected[3]
                seen = infos["final_obs"][column] if ended else observations[column]
                np.testing.assert_array_equal(seen, expected[0][visible])
                assert (rewards[column], terminated[column], truncated[column]) == expected[1:4]
                ends["terminated"] += expected[2]
                ends["truncated"] += expected[3]
                if ended:
                    restart(column)
        return ends

    return check


@pytest.fixture
def mean_return():
    """Play one episode in every column of a SAME_STEP batch; the policy maps the history to actions."""

    def play(env: BatchedEnv, policy: Callable[[list[np.ndarray]], np.ndarray], seed: int = 0) -> np.ndarray:
        observation, _ = env.reset(seed=seed)
        history, returns, alive = [observation], np.zeros(env.num_envs), np.ones(env.num_envs, dtype=bool)
        while alive.any():
            observation, rewards, terminated, truncated, _ = env.step(policy(history))
            history.append(observation)
            returns += rewards * alive
            alive &= ~(terminated | truncated)
        return returns

    return play
