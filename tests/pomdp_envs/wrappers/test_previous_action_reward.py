import gymnasium as gym
import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.utils.env_checker import check_env
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from gymnasium.wrappers import TimeAwareObservation

from pomdp_envs import PreviousActionReward, VectorPreviousActionReward

IDS = [f"pomdp_envs/{name}-v0" for name in ("CartPoleNoVel", "PendulumNoVel", "MountainCarContinuousNoVel", "TMaze")]
MODES = list(AutoresetMode)
B = 4


class Pictures(gym.Env):
    """Two-step episodes with an observation that is no flat Box."""

    observation_space = spaces.Box(0, 255, (2, 2), np.uint8)
    action_space = spaces.MultiBinary(2)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self._count = 0
        return np.zeros((2, 2), dtype=np.uint8), {}

    def step(self, action):
        self._count += 1
        return np.full((2, 2), self._count, dtype=np.uint8), float(self._count), self._count == 2, False, {}


class Parts(Pictures):
    """The same with a Dict observation."""

    observation_space = spaces.Dict({"picture": Pictures.observation_space, "count": spaces.Discrete(3)})

    def reset(self, *, seed=None, options=None):
        picture, info = super().reset(seed=seed)
        return {"picture": picture, "count": self._count}, info

    def step(self, action):
        picture, *rest = super().step(action)
        return {"picture": picture, "count": self._count}, *rest


def batch(env_id: str, mode: AutoresetMode, num_envs: int = B) -> VectorPreviousActionReward:
    return VectorPreviousActionReward(gym.make_vec(env_id, num_envs=num_envs, autoreset_mode=mode))


def columns(env_id: str, mode: AutoresetMode) -> SyncVectorEnv:
    return SyncVectorEnv([lambda: PreviousActionReward(gym.make(env_id)) for _ in range(B)], autoreset_mode=mode)


def advance(env, actions, ended):
    """One step, with the reset that DISABLED mode asks for; returns that reset's observations too."""
    first = None
    if ended.any() and env.metadata["autoreset_mode"] is AutoresetMode.DISABLED:
        first, _ = env.reset(options={"reset_mask": ended})
    return first, *env.step(actions)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("env_id", IDS)
def test_a_wrapped_batch_equals_its_wrapped_columns_in_every_autoreset_mode(env_id, mode):
    left, right = batch(env_id, mode), columns(env_id, mode)
    assert left.observation_space == right.observation_space
    np.testing.assert_array_equal(left.reset(seed=2)[0], right.reset(seed=2)[0])
    left.action_space.seed(0)
    ended, episodes = np.zeros(B, dtype=bool), 0
    for _ in range(1010 if "MountainCar" in env_id else 250):
        actions = left.action_space.sample()
        ours, theirs = advance(left, actions, ended), advance(right, actions, ended)
        for a, b in zip(ours[:5], theirs[:5], strict=True):
            np.testing.assert_array_equal(a, b)
        for a, b in zip(ours[5].get("final_obs", []), theirs[5].get("final_obs", []), strict=True):
            np.testing.assert_array_equal(a, b)
        ended = ours[3] | ours[4]
        episodes += ended.sum()
    assert episodes >= B


@pytest.mark.parametrize("mode", MODES)
def test_an_episode_starts_without_a_past_and_ends_with_the_true_one(mode):
    env = batch("pomdp_envs/TMaze-v0", mode, num_envs=1)
    observation, _ = env.reset(seed=0)
    assert observation[0, 3:].tolist() == [0] * 5
    for _ in range(10):
        observation = env.step(np.array([1]))[0]
        assert observation[0, 3:].tolist() == [0, 1, 0, 0, 0]
    observation, rewards, terminated, _, infos = env.step(np.array([2]))
    assert terminated.all()
    last = infos["final_obs"][0] if mode is AutoresetMode.SAME_STEP else observation[0]
    assert last.tolist() == [0, 1, 0, 0, 0, 1, 0, np.float32(rewards[0])]
    if mode is AutoresetMode.NEXT_STEP:
        observation = env.step(np.array([3]))[0]  # the ignored action leaves no trace
    if mode is AutoresetMode.DISABLED:
        observation = env.reset(options={"reset_mask": np.array([True])})[0]
    assert observation[0, 3:].tolist() == [0] * 5


def test_a_masked_reset_keeps_the_past_of_the_other_columns():
    env = batch("pomdp_envs/TMaze-v0", AutoresetMode.DISABLED, num_envs=2)
    env.reset(seed=0)
    before = env.step(np.array([1, 1]))[0]
    after, _ = env.reset(options={"reset_mask": np.array([False, True])})
    np.testing.assert_array_equal(after[0], before[0])
    assert after[1, 3:].tolist() == [0] * 5


@pytest.mark.parametrize(("make", "keys"), [(Pictures, {"observation"}), (Parts, {"picture", "count"})])
@pytest.mark.parametrize("mode", MODES)
def test_other_observations_become_a_flat_dict_alike_in_both_views(mode, make, keys):
    left = VectorPreviousActionReward(SyncVectorEnv([make] * 2, autoreset_mode=mode))
    right = SyncVectorEnv([lambda: PreviousActionReward(make())] * 2, autoreset_mode=mode)
    assert left.observation_space == right.observation_space
    assert set(left.observation_space.spaces) == {*keys, "previous_action", "previous_reward"}
    left.reset(seed=0)
    right.reset(seed=0)
    ended = np.zeros(2, dtype=bool)
    for count in range(6):
        actions = np.array([[1, 0], [count % 2, 1]], dtype=np.int8)
        _, ours, _, terminated, _, infos = advance(left, actions, ended)
        _, theirs, _, _, _, reference_infos = advance(right, actions, ended)
        assert left.observation_space.contains(ours)
        for key in left.observation_space.spaces:
            np.testing.assert_array_equal(ours[key], theirs[key])
            for a, b in zip(infos.get("final_obs", []), reference_infos.get("final_obs", []), strict=True):
                np.testing.assert_array_equal(a[key], b[key])
        ended = terminated


def test_returned_observations_do_not_change_later():
    env = VectorPreviousActionReward(SyncVectorEnv([Pictures] * 2, autoreset_mode=AutoresetMode.DISABLED))
    env.reset(seed=0)
    observation = env.step(np.ones((2, 2), dtype=np.int8))[0]
    env.reset()
    assert observation["previous_action"].all()


@pytest.mark.parametrize("mode", MODES)
def test_a_wrapped_batch_resumes_exactly(mode):
    env, twin = batch("pomdp_envs/CartPoleNoVel-v0", mode), batch("pomdp_envs/CartPoleNoVel-v0", mode)
    env.reset(seed=0)
    ended = np.zeros(B, dtype=bool)
    rng = np.random.default_rng(0)
    for _ in range(150):
        actions = rng.integers(0, 2, B)
        twin.set_state(env.get_state())
        ours, theirs = advance(env, actions, ended), advance(twin, actions, ended)
        for a, b in zip(ours[1:5], theirs[1:5], strict=True):
            np.testing.assert_array_equal(a, b)
        ended = ours[3] | ours[4]


def test_a_wrapped_single_environment_resumes_exactly_with_the_keys_of_a_batch():
    env = PreviousActionReward(gym.make("pomdp_envs/CartPoleNoVel-v0"))
    twin = PreviousActionReward(gym.make("pomdp_envs/CartPoleNoVel-v0"))
    twin.reset(seed=9)
    env.reset(seed=0)
    env.step(1)
    state = env.get_state()
    wrapped_batch = batch("pomdp_envs/CartPoleNoVel-v0", AutoresetMode.DISABLED, num_envs=1)
    wrapped_batch.set_state(state)
    twin.set_state(state)
    expected = env.step(1)
    np.testing.assert_array_equal(twin.step(1)[0], expected[0])
    np.testing.assert_array_equal(wrapped_batch.step(np.array([1]))[0][0], expected[0])
    assert set(wrapped_batch.get_state()) == set(state)


def test_a_wrapper_between_that_may_keep_a_state_is_refused():
    env = PreviousActionReward(TimeAwareObservation(gym.make("CartPole-v1")))
    env.reset(seed=0)
    with pytest.raises(TypeError, match="no get_state"):
        env.get_state()


def test_a_state_that_does_not_fit_is_refused():
    env = batch("pomdp_envs/CartPoleNoVel-v0", AutoresetMode.SAME_STEP)
    env.reset(seed=0)
    state = env.get_state()
    with pytest.raises(ValueError, match="seed"):
        env.set_state(state | {"wrapper": state["wrapper"] | {"seed": np.zeros(B + 1)}})
    del state["environment"]
    with pytest.raises(ValueError, match="needs the keys"):
        env.set_state(state)


@pytest.mark.parametrize("env_id", IDS)
@pytest.mark.filterwarnings("ignore::UserWarning")  # rewards have no bound, and the checker dislikes any wrapper
def test_gymnasiums_checker_passes(env_id):
    check_env(PreviousActionReward(gym.make(env_id)))
