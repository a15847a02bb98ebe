import gymnasium as gym
import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.utils.env_checker import check_env
from gymnasium.vector import AutoresetMode, SyncVectorEnv

from pomdp_envs import BatchedEnv, SingleEnv, Trials
from pomdp_envs.classic import TMaze
from pomdp_envs.meta import SameStart

B = 4


class Counting(gym.Env):
    """A user's own: the task is a secret number; an episode ends when it is guessed, or is cut after 3 guesses."""

    observation_space, action_space = spaces.Discrete(4), spaces.Discrete(5)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        if not (options or {}).get("same_task"):
            self.secret = int(self.np_random.integers(5))
        self.guesses = 0
        return 0, {"secret": self.secret}

    def step(self, action):
        self.guesses += 1
        right = int(action) == self.secret
        return self.guesses, float(right), right, self.guesses == 3, {}


def same_task(env: gym.Env):
    return env.reset(options={"same_task": True})


def test_a_trial_by_hand():
    env = Trials(Counting(), 2, same_task)
    first, info = env.reset(seed=0)
    assert env.observation_space.shape == (4 + 5 + 2,)
    assert first.tolist() == [1, 0, 0, 0] + [0] * 7
    secret = info["secret"]
    wrong = (secret + 1) % 5
    one_hot = np.eye(5).tolist()
    for guess in range(3):
        seen, reward, terminated, truncated, info = env.step(wrong)
        shown = np.eye(4)[(guess + 1) % 3].tolist()  # after the third the next episode's first
        assert seen.tolist() == shown + one_hot[wrong] + [0, guess == 2]
        assert (reward, terminated, truncated) == (0.0, False, False)
    assert info["secret"] == secret  # the next episode has the same task
    seen, reward, terminated, truncated, _ = env.step(secret)
    assert seen.tolist() == [0, 1, 0, 0, *one_hot[secret], 1, 1]
    assert (reward, terminated, truncated) == (1.0, True, False)


def test_a_trial_whose_last_episode_is_cut_is_terminated():
    env = Trials(Counting(), 1, same_task)
    _, info = env.reset(seed=0)
    for _ in range(3):
        result = env.step((info["secret"] + 1) % 5)
    assert result[2:4] == (True, False)


def test_every_trial_samples_a_task():
    env = Trials(Counting(), 2, same_task)
    assert len({env.reset(seed=0 if trial == 0 else None)[1]["secret"] for trial in range(40)}) == 5


@pytest.mark.filterwarnings("ignore")
def test_gymnasiums_checker_passes():
    check_env(Trials(Counting(), 2, same_task), skip_render_check=True)


def test_the_specification_makes_the_wrapped_environment_again():
    env = Trials(gym.make("pomdp_envs/TMaze-v0"), 2, lambda env: env.reset())
    again = gym.make(env.spec)
    assert isinstance(again, Trials)
    assert again.episodes == 2


class KeepsItsStart(gym.Wrapper):
    """Can return to the state that the last reset led to."""

    def reset(self, **arguments):
        self.first = super().reset(**arguments)
        self.start = self.unwrapped.get_state()
        return self.first

    def again(self):
        self.unwrapped.set_state(self.start)
        return self.first


@pytest.mark.parametrize("mode", list(AutoresetMode))
def test_a_sync_vector_of_wrapped_environments_equals_the_native_batch_in_every_autoreset_mode(mode):
    world = TMaze(corridor_length=2, time_limit=5)
    native = BatchedEnv(SameStart(world, episodes=3), B, mode)
    make = lambda: Trials(KeepsItsStart(SingleEnv(world)), 3, KeepsItsStart.again)  # noqa: E731
    sync = SyncVectorEnv([make] * B, autoreset_mode=mode)
    assert sync.single_observation_space == native.single_observation_space
    np.testing.assert_array_equal(native.reset(seed=5)[0], sync.reset(seed=5)[0])
    native.action_space.seed(0)
    trials, ended = 0, np.zeros(B, dtype=bool)
    for _ in range(150):
        if mode is AutoresetMode.DISABLED and ended.any():
            for env in (native, sync):
                env.reset(options={"reset_mask": ended})
        actions = native.action_space.sample()
        ours, theirs = native.step(actions), sync.step(actions)
        for a, b in zip(ours[:4], theirs[:4]):
            np.testing.assert_array_equal(a, b)
        ended = ours[2] | ours[3]
        trials += ended.sum()
        if mode is AutoresetMode.SAME_STEP and ended.any():
            for a, b in zip(ours[4]["final_obs"][ended], theirs[4]["final_obs"][ended]):
                np.testing.assert_array_equal(a, b)
    assert trials > B


def test_spaces_that_cannot_be_laid_out_flat_are_refused():
    class Pictures(Counting):
        observation_space = spaces.Dict({"a": spaces.Discrete(2)})

    with pytest.raises(ValueError, match="FlattenObservation"):
        Trials(Pictures(), 2, same_task)
    with pytest.raises(ValueError, match="episodes must be an integer of at least 1"):
        Trials(Counting(), 0, same_task)
