import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.vector import AutoresetMode

from pomdp_envs import BatchedEnv, SingleEnv
from pomdp_envs.classic import TMaze
from pomdp_envs.meta import SameStart, TrialDynamics
from pomdp_envs.meta.trials import of_split

B = 5


class Counter(TrialDynamics):
    """Counts up from a random start by the action; over at the task's length; the reward is the count, noise in [0, 1)."""

    task_size, world_size, task_draws, start_draws, advance_draws = 1, 2, 1, 1, 1

    def __init__(self, episodes=3, episode_steps=4, tasks="all"):
        super().__init__(spaces.Box(0, 1000, (2,), np.float32), spaces.Discrete(3), episodes, episode_steps, tasks)

    def sample_task(self, uniforms):
        return 2.0 + np.floor(uniforms * 8)  # the length, 2 to 9

    def start(self, task, uniforms):
        return np.stack([np.floor(uniforms[0] * 100) * 10, np.zeros(task.shape[1])])

    def advance(self, task, world, action, uniforms):
        world[0] += action
        world[1] += 1
        return world, world[0] + uniforms[0], world[1] >= task[0]

    def see(self, task, world):
        return world.T.astype(np.float32)

    def sketch(self, task, world):
        return f"{world[0]} of {task[0]}"


def with_length(env: SingleEnv, length: float) -> None:
    state = env.get_state()
    state["hidden"][0, 0] = length
    env.set_state(state)


def test_a_trial_by_hand():
    env = SingleEnv(Counter(episodes=2, episode_steps=4))
    first, _ = env.reset(seed=0)
    assert env.observation_space.shape == (2 + 3 + 1 + 1,)
    assert first[1:].tolist() == [0, 0, 0, 0, 0, 0]  # step 0; no action, no reward, nothing ended
    with_length(env, 2)
    start, task = first[0], env.hidden_state()[0]

    seen, reward, terminated, truncated, _ = env.step(2)
    assert seen.tolist() == [start + 2, 1, 0, 0, 1, np.float32(reward), 0]
    assert (terminated, truncated) == (False, False)

    seen, reward, terminated, truncated, _ = env.step(1)  # ends the first episode
    assert start + 3 <= reward < start + 4
    assert seen[1:].tolist() == [0, 0, 1, 0, np.float32(reward), 1]  # the next one's first observation
    assert seen[0] % 10 == 0
    assert (terminated, truncated) == (False, False)
    second_start = seen[0]

    seen, reward, *_ = env.step(0)
    assert seen.tolist() == [second_start, 1, 1, 0, 0, np.float32(reward), 0]
    seen, reward, terminated, truncated, _ = env.step(2)  # ends the second, and the trial
    assert seen.tolist() == [second_start + 2, 2, 0, 0, 1, np.float32(reward), 1]  # the last observation
    assert (terminated, truncated) == (True, False)
    assert env.hidden_state()[0] == task


def test_episode_steps_end_an_episode_that_the_world_does_not():
    env = SingleEnv(Counter(episodes=2, episode_steps=3))
    env.reset(seed=0)
    with_length(env, 9)
    ended, terminated = [], []
    for _ in range(6):
        seen, _, over, cut, _ = env.step(0)
        ended.append(int(seen[-1]))
        terminated.append(over)
        assert not cut
    assert ended == [0, 0, 1, 0, 0, 1]
    assert terminated == [False] * 5 + [True]


def test_the_world_starts_each_episode_afresh_and_the_task_stays_until_the_trial_ends():
    env = BatchedEnv(Counter(episodes=50, episode_steps=2), 8)
    first, _ = env.reset(seed=0)
    tasks, starts = env.hidden_state()[:, 0], [first[:, 0]]
    for _ in range(50):
        env.step(np.zeros(8, dtype=int))
        seen, _, terminated, _, _ = env.step(np.zeros(8, dtype=int))
        starts.append(seen[:, 0])
        if not terminated.all():
            np.testing.assert_array_equal(env.hidden_state()[:, 0], tasks)
    assert terminated.all()
    assert len(np.unique(starts)) > 90  # of 100
    assert (env.hidden_state()[:, 0] != tasks).any()
    assert len(np.unique(tasks)) > 3


@pytest.mark.parametrize("mode", list(AutoresetMode))
@pytest.mark.parametrize("dynamics", [Counter(), SameStart(TMaze(2, 5), 3)], ids=["Counter", "TMaze"])
def test_a_batch_of_trials_equals_its_columns_alone_in_every_autoreset_mode(dynamics, mode):
    env = BatchedEnv(dynamics, B, mode)
    alone = [BatchedEnv(dynamics, 1, mode) for _ in range(B)]
    observations, _ = env.reset(seed=3)
    np.testing.assert_array_equal(observations, [one.reset(seed=3 + i)[0][0] for i, one in enumerate(alone)])
    env.action_space.seed(0)
    trials, ended = 0, np.zeros(B, dtype=bool)
    for _ in range(200):
        if mode is AutoresetMode.DISABLED and ended.any():
            env.reset(options={"reset_mask": ended})
            for i in np.flatnonzero(ended):
                alone[i].reset()
        actions = env.action_space.sample()
        result = env.step(actions)
        for i, one in enumerate(alone):
            expected = one.step(actions[i : i + 1])
            for ours, theirs in zip(result[:4], expected[:4]):
                np.testing.assert_array_equal(ours[i], theirs[0])
            if "final_obs" in expected[4]:
                np.testing.assert_array_equal(result[4]["final_obs"][i], expected[4]["final_obs"][0])
        ended = result[2] | result[3]
        trials += ended.sum()
    assert trials > B


def test_at_a_trials_end_the_final_observation_shows_the_last_step_and_the_next_trial_begins_with_zeros():
    env = BatchedEnv(Counter(episodes=1, episode_steps=1), 3, AutoresetMode.SAME_STEP)
    env.reset(seed=0)
    seen, rewards, terminated, _, infos = env.step(np.array([0, 1, 2]))
    assert terminated.all()
    np.testing.assert_array_equal(seen[:, 2:], 0)
    final = np.stack(list(infos["final_obs"]))
    np.testing.assert_array_equal(final[:, 2:5], np.eye(3))
    np.testing.assert_array_equal(final[:, 5], rewards.astype(np.float32))
    np.testing.assert_array_equal(final[:, 6], 1)


def test_training_and_held_out_tasks_are_made_of_numbers_that_the_other_never_gives():
    numbers = np.concatenate([np.array([0.0, 2**-53, 1 - 2**-53, 0.5]), np.random.default_rng(0).random(19_996)])
    train, held_out = (of_split(numbers.reshape(2, -1), tasks) for tasks in ("train", "held-out"))
    assert (train[0] * 2**53 % 2 == 0).all()
    assert (held_out[0] * 2**53 % 2 == 1).all()
    assert np.intersect1d(train[0], held_out[0]).size == 0
    assert of_split(numbers, "all") is numbers
    for row in (*train, *held_out):
        assert ((row >= 0) & (row < 1)).all()
        assert np.abs(np.sort(row) - np.arange(0.5, 10_000) / 10_000).max() < 0.02  # Kolmogorov-Smirnov, P < 0.001
    assert np.abs(np.corrcoef(np.concatenate([train, held_out])) - np.eye(4)).max() < 0.04


def test_wrong_arguments_are_refused():
    with pytest.raises(ValueError, match=r"tasks must be one of \['all', 'train', 'held-out'\], not 'test'"):
        Counter(tasks="test")
    for wrong in ({"episodes": 0}, {"episode_steps": 1.5}):
        with pytest.raises(ValueError, match="must be an integer of at least 1"):
            Counter(**wrong)


def test_an_observation_is_cut_into_its_parts():
    dynamics = Counter()
    seen, action, reward, ended = dynamics.split_observation(np.arange(14.0).reshape(2, 7) - 6)
    assert seen.tolist() == [[-6, -5], [1, 2]]
    assert action.tolist() == [[-4, -3, -2], [3, 4, 5]]
    assert reward.tolist() == [-1, 6]
    assert ended.tolist() == [False, True]


def test_the_text_says_how_far_the_trial_is():
    env = SingleEnv(Counter(episodes=2, episode_steps=2), render_mode="ansi")
    env.reset(seed=0)
    env.step(0)
    assert env.render().startswith("episode 1 of 2, step 1\n")
    env.step(0)
    assert env.render().startswith("episode 2 of 2, step 0\n")
