import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from gymnasium.vector import AutoresetMode
from gymnasium.wrappers import TimeLimit

import pomdp_envs
from pomdp_envs import MaskObservation, extras, velocity_entries

TASKS = {
    "LunarLanderNoVel": ("LunarLander-v3", "box2d", 5),
    "BipedalWalkerNoVel": ("BipedalWalker-v3", "box2d", 17),
    "HopperNoVel": ("Hopper-v5", "mujoco", 5),
    "HalfCheetahNoVel": ("HalfCheetah-v5", "mujoco", 8),
    "AntNoVel": ("Ant-v5", "mujoco", 91),
    "WalkerNoVel": ("Walker2d-v5", "mujoco", 8),
}
MODES = list(AutoresetMode)


def name_of(task: str) -> str:
    return f"pomdp_envs/{task}-v0"


def needs(extra: str):
    return pytest.mark.skipif(not extras.is_installed(extra), reason=f"needs the extra {extra}")


tasks = pytest.mark.parametrize(
    ("task", "base", "shown"),
    [pytest.param(task, base, shown, marks=needs(extra)) for task, (base, extra, shown) in TASKS.items()],
)


@pytest.mark.parametrize("task", TASKS)
def test_an_id_is_registered_with_gymnasiums_time_limit_whatever_is_installed(task):
    base, extra, _ = TASKS[task]
    assert gym.spec(name_of(task)).max_episode_steps == gym.spec(base).max_episode_steps
    assert (name_of(task) in pomdp_envs.ids()) == extras.is_installed(extra)


@pytest.mark.parametrize("make", [gym.make, gym.make_vec])
@pytest.mark.parametrize("task", TASKS)
def test_a_missing_extra_is_named(task, make, monkeypatch):
    monkeypatch.setattr(extras, "find_spec", lambda module: None)
    assert name_of(task) not in pomdp_envs.ids()
    _, extra, _ = TASKS[task]
    for kind in (ImportError, gym.error.DependencyNotInstalled):
        with pytest.raises(kind, match=rf"needs .*: install the extra, .*recurrent-rl\[{extra}\]"):
            make(name_of(task))


@tasks
def test_it_is_gymnasiums_task_without_the_velocities(task, base, shown):
    env, full = gym.make(name_of(task)), gym.make(base)
    assert env.observation_space.shape == (shown,)
    assert env.action_space == full.action_space
    filled = gym.make(name_of(task), fill=0.0)
    size = full.observation_space.shape[0]
    kept = np.isin(np.arange(size), velocity_entries(base.split("-")[0], size), invert=True)
    env.reset(seed=3)
    full.reset(seed=3)
    filled.reset(seed=3)
    full.action_space.seed(0)
    for _ in range(60):
        action = full.action_space.sample()
        ours, theirs, zeros = env.step(action), full.step(action), filled.step(action)
        np.testing.assert_array_equal(ours[0], theirs[0][kept])
        np.testing.assert_array_equal(zeros[0], theirs[0] * kept)
        assert ours[1:4] == theirs[1:4]
        if ours[2]:
            break


@tasks
@pytest.mark.filterwarnings("ignore::UserWarning")  # the checker dislikes any wrapper, and infinite bounds
def test_gymnasiums_checker_passes(task, base, shown):
    env = gym.make(name_of(task))
    check_env(env, skip_render_check=True)


@tasks
def test_one_time_limit_which_make_can_replace(task, base, shown):
    env = gym.make(name_of(task))
    layers = [env]
    while layers[-1] is not layers[-1].unwrapped:
        layers.append(layers[-1].env)
    assert sum(isinstance(layer, TimeLimit) for layer in layers) == 1
    assert sum(isinstance(layer, MaskObservation) for layer in layers) == 1
    for short in (gym.make(name_of(task), max_episode_steps=3), gym.make_vec(name_of(task), max_episode_steps=3)):
        short.reset(seed=0)
        ends = [bool(np.any(short.step(short.action_space.sample())[3])) for _ in range(3)]
        assert ends == [False, False, True]
    again = gym.make(env.spec)
    np.testing.assert_array_equal(again.reset(seed=2)[0], env.reset(seed=2)[0])


@tasks
@pytest.mark.parametrize("mode", MODES)
def test_a_vector_environment_is_the_single_ones_in_every_autoreset_mode(task, base, shown, mode):
    batch = gym.make_vec(name_of(task), num_envs=2, autoreset_mode=mode, max_episode_steps=9)
    sync = gym.make_vec(
        name_of(task),
        num_envs=2,
        vectorization_mode="sync",
        vector_kwargs={"autoreset_mode": mode},
        max_episode_steps=9,
    )
    assert batch.spec is not None
    assert batch.spec.id == name_of(task)
    assert batch.observation_space == sync.observation_space
    np.testing.assert_array_equal(batch.reset(seed=5)[0], sync.reset(seed=5)[0])
    batch.action_space.seed(0)
    ended = np.zeros(2, dtype=bool)
    for _ in range(25):
        actions = batch.action_space.sample()
        for env in (batch, sync):
            if ended.any() and mode is AutoresetMode.DISABLED:
                env.reset(options={"reset_mask": ended.copy()})
        ours, theirs = batch.step(actions), sync.step(actions)
        for a, b in zip(ours[:4], theirs[:4], strict=True):
            np.testing.assert_array_equal(a, b)
        ended = ours[2] | ours[3]


@tasks
def test_batches_reset_in_the_same_step_unless_told_otherwise(task, base, shown):
    assert gym.make_vec(name_of(task)).metadata["autoreset_mode"] is AutoresetMode.SAME_STEP


@tasks
def test_the_hidden_state_and_its_text_hold_the_velocities(task, base, shown):
    env, full = gym.make(name_of(task), render_mode="ansi"), gym.make(base)
    batch = gym.make_vec(name_of(task), num_envs=2, render_mode="ansi")
    with pytest.raises(gym.error.ResetNeeded):
        env.get_wrapper_attr("hidden_state")()
    seen, _ = full.reset(seed=1)
    env.reset(seed=1)
    batch.reset(seed=1)
    for _ in range(3):
        action = full.action_space.sample()
        env.step(action)
        batch.step(np.stack([action, action]))
        seen = full.step(action)[0]
        hidden = env.get_wrapper_attr("hidden_state")()
        velocities = seen[list(velocity_entries(base.split("-")[0], len(seen)))]
        limit = 10.0 if base in ("Walker2d-v5", "Hopper-v5") else np.inf  # Gymnasium shows these clipped
        assert all(np.abs(hidden.clip(-limit, limit) - velocity).min() < 1e-5 for velocity in velocities)
        np.testing.assert_array_equal(batch.hidden_state()[0], hidden)
    assert env.render() == batch.render()[0]
    assert len(env.render().split()) == len(hidden)
