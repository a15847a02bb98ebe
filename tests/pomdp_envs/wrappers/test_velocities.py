"""The table of velocities against the environments themselves."""

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import SyncVectorEnv
from gymnasium.wrappers import TimeAwareObservation

from pomdp_envs import MaskObservation, VectorMaskObservation, velocity_entries
from pomdp_envs.extras import is_installed
from pomdp_envs.wrappers.velocities import VELOCITIES, task_of

BOX2D = pytest.mark.skipif(not is_installed("box2d"), reason="needs the extra box2d")
MUJOCO = [
    pytest.mark.skipif(not is_installed("mujoco"), reason="needs the extra mujoco"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # of the versions v4
]

# Index of every velocity in the state that the environment itself keeps.
CLASSIC = {
    "CartPole-v1": lambda env: env.state[[1, 3]],
    "Pendulum-v1": lambda env: env.state[[1]],
    "MountainCar-v0": lambda env: env.state[[1]],
    "MountainCarContinuous-v0": lambda env: env.state[[1]],
    "Acrobot-v1": lambda env: env.state[[2, 3]],
}
ROBOTS = (
    "InvertedPendulum InvertedDoublePendulum Reacher Pusher Swimmer Hopper HalfCheetah Walker2d Ant Humanoid "
    "HumanoidStandup"
)
VERSIONS = [f"{name}-{v}" for name in ROBOTS.split() for v in ("v4", "v5") if (name, v) != ("Pusher", "v4")]
OPTIONS = [
    ("Swimmer", {"exclude_current_positions_from_observation": False}),
    ("Hopper", {"exclude_current_positions_from_observation": False}),
    ("HalfCheetah", {"exclude_current_positions_from_observation": False}),
    ("Walker2d", {"exclude_current_positions_from_observation": False}),
    ("Ant", {"exclude_current_positions_from_observation": False}),
    ("Humanoid", {"exclude_current_positions_from_observation": False}),
]
CASES = [(env_id, {}) for env_id in VERSIONS]
CASES += [(f"{name}-{v}", options) for name, options in OPTIONS for v in ("v4", "v5")]
CASES += [("HumanoidStandup-v5", {"exclude_current_positions_from_observation": False})]
for positions in (True, False):
    shown = {"exclude_current_positions_from_observation": positions}
    CASES += [("Ant-v4", {"use_contact_forces": True, **shown})]
    CASES += [("Ant-v5", {"include_cfrc_ext_in_observation": False, **shown})]


def masked(env: gym.Env, observation: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the entries that are hidden by name and those that are not."""
    hidden = np.isin(np.arange(len(observation)), velocity_entries(task_of(env), len(observation)))
    return observation[hidden], observation[~hidden]


@pytest.mark.parametrize("env_id", CLASSIC)
def test_classic_control(env_id):
    env = gym.make(env_id)
    env.reset(seed=0)
    for _ in range(10):
        observation = env.step(env.action_space.sample())[0]
    state = np.array(env.unwrapped.state)
    env.unwrapped.state = state
    np.testing.assert_array_equal(masked(env, observation)[0], CLASSIC[env_id](env.unwrapped).astype(np.float32))


@BOX2D
@pytest.mark.parametrize("env_id", ["LunarLander-v3", "LunarLanderContinuous-v3"])
def test_the_lander(env_id):
    env = gym.make(env_id)
    env.reset(seed=0)
    env.action_space.seed(0)
    for _ in range(20):
        observation = env.step(env.action_space.sample())[0]
    lander = env.unwrapped.lander
    found, kept = masked(env, observation)
    velocity = lander.linearVelocity
    scales = np.array([10.0 / 50, 200 / 30 / 50, 20.0 / 50])
    np.testing.assert_allclose(found, np.array([velocity.x, velocity.y, lander.angularVelocity]) * scales, rtol=1e-5)
    assert kept[2] == np.float32(lander.angle)
    assert kept.shape == (5,)


@BOX2D
@pytest.mark.parametrize("env_id", ["BipedalWalker-v3", "BipedalWalkerHardcore-v3"])
def test_the_walker(env_id):
    env = gym.make(env_id)
    env.reset(seed=0)
    env.action_space.seed(0)
    for _ in range(20):
        observation = env.step(env.action_space.sample())[0]
    hull, joints = env.unwrapped.hull, env.unwrapped.joints
    found, kept = masked(env, observation)
    speeds = [joint.speed / top for joint, top in zip(joints, (4, 6, 4, 6), strict=True)]
    velocity = hull.linearVelocity
    expected = [2 * hull.angularVelocity / 50, 0.3 * velocity.x * 20 / 50, 0.3 * velocity.y * (400 / 30) / 50, *speeds]
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    angles = [joint.angle + shift for joint, shift in zip(joints, (0, 1, 0, 1), strict=True)]
    np.testing.assert_allclose(kept[[0, 1, 2, 4, 5]], [hull.angle, *angles], rtol=1e-5)


@pytest.mark.parametrize(("env_id", "options"), CASES, ids=[f"{i} {' '.join(map(str, o.values()))}" for i, o in CASES])
class TestRobots:
    pytestmark = MUJOCO

    def test_hidden_entries_are_the_velocities_of_the_simulator(self, env_id, options):
        env = gym.make(env_id, **options)
        env.reset(seed=0)
        env.action_space.seed(0)
        for _ in range(5):
            observation = env.step(env.action_space.sample())[0]
        data = env.unwrapped.data
        velocities = data.qvel.copy()
        if task_of(env) in ("Hopper", "Walker2d", "InvertedDoublePendulum"):
            velocities = np.clip(velocities, -10, 10)
        if task_of(env) in ("Reacher", "Pusher"):
            velocities = velocities[: 2 if task_of(env) == "Reacher" else 7]  # the rest belongs to what it shall reach
        if task_of(env).startswith("Humanoid"):
            bodies = data.cvel if env_id.endswith("v4") else data.cvel[1:]
            velocities = np.concatenate([velocities, bodies.ravel()])
        found, kept = masked(env, observation)
        np.testing.assert_array_equal(found, velocities)
        assert not np.isin(kept[kept != 0], data.qvel).any()

    def test_what_is_left_does_not_change_with_the_velocities(self, env_id, options):
        env = gym.make(env_id, **options)
        env.reset(seed=0)
        base = env.unwrapped
        before = base._get_obs()
        base.set_state(base.data.qpos.copy(), base.data.qvel + 0.125)
        after = base._get_obs()
        changed = np.flatnonzero(before != after)
        hidden = velocity_entries(task_of(env), len(before))
        assert set(changed) <= set(hidden)
        assert set(changed) & set(hidden)


def test_every_task_of_the_table_is_tested():
    tested = {env_id.rsplit("-", 1)[0] for env_id in (*CLASSIC, *VERSIONS)}
    assert set(VELOCITIES) == tested | {
        "LunarLander",
        "LunarLanderContinuous",
        "BipedalWalker",
        "BipedalWalkerHardcore",
    }


def test_velocities_are_hidden_by_name_in_every_view():
    single = MaskObservation(gym.make("CartPole-v1"))
    filled = MaskObservation(gym.make("CartPole-v1"), fill=0.0)
    batches = [
        VectorMaskObservation(gym.make_vec("CartPole-v1", num_envs=2, vectorization_mode=mode))
        for mode in ("sync", "vector_entry_point")
    ]
    batches.append(VectorMaskObservation(SyncVectorEnv([lambda: gym.make("CartPole-v1")] * 2)))
    seen = gym.make("CartPole-v1").reset(seed=3)[0]
    assert single.reset(seed=3)[0].tolist() == seen[[0, 2]].tolist()
    assert filled.reset(seed=3)[0].tolist() == (seen * [1, 0, 1, 0]).tolist()
    for batch in batches:
        assert batch.reset(seed=3)[0].shape == (2, 2)


def test_what_is_not_in_the_table_is_refused_with_what_to_do():
    with pytest.raises(ValueError, match="velocities of Blackjack are not known: give their indices"):
        velocity_entries("Blackjack", 3)
    with pytest.raises(ValueError, match=r"Ant is known with 27 or .* not 28: give the"):
        velocity_entries("Ant", 28)
    with pytest.raises(ValueError, match="not one of Gymnasium's own"):
        MaskObservation(gym.make("pomdp_envs/CartPoleNoVel-v0"))
    from gymnasium.envs.classic_control import CartPoleEnv

    with pytest.raises(ValueError, match="not made by an id"):
        MaskObservation(CartPoleEnv())


def test_a_wrapper_that_changes_the_observation_is_not_guessed_through():
    for wrap, env in (
        (MaskObservation, TimeAwareObservation(gym.make("CartPole-v1"))),
        (VectorMaskObservation, SyncVectorEnv([lambda: TimeAwareObservation(gym.make("CartPole-v1"))])),
    ):
        with pytest.raises(ValueError, match=r"shape \(5,\) where CartPole-v1 has \(4,\)"):
            wrap(env)
