import subprocess
import sys

import gymnasium as gym
import pytest
from gymnasium.vector import AutoresetMode
from gymnasium.wrappers import TimeLimit

from pomdp_envs import BatchedEnv, SingleEnv, dynamics_of

IDS = [f"pomdp_envs/{name}-v0" for name in ("CartPoleNoVel", "PendulumNoVel", "MountainCarContinuousNoVel", "TMaze")]


def run_python(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()


@pytest.mark.parametrize("env_id", IDS)
def test_an_id_makes_the_single_view_without_a_second_time_limit(env_id):
    env = gym.make(env_id)
    assert isinstance(env.unwrapped, SingleEnv)
    while env is not env.unwrapped:
        assert not isinstance(env, TimeLimit)
        env = env.env


@pytest.mark.parametrize("env_id", IDS)
def test_an_id_makes_the_native_batch_with_same_step_resets(env_id):
    env = gym.make_vec(env_id, num_envs=64)
    assert isinstance(env, BatchedEnv)
    assert env.num_envs == 64
    assert env.metadata["autoreset_mode"] is AutoresetMode.SAME_STEP
    assert env.spec is not None
    assert env.spec.id == env_id


@pytest.mark.parametrize("mode", list(AutoresetMode))
def test_the_autoreset_mode_is_an_argument_by_member_or_by_value(mode):
    for argument in (mode, mode.value):
        assert gym.make_vec(IDS[0], num_envs=2, autoreset_mode=argument).metadata["autoreset_mode"] is mode


def test_the_corridor_length_is_an_argument_of_both_views():
    assert gym.make(IDS[3], corridor_length=3).unwrapped.dynamics.time_limit == 40
    assert gym.make_vec(IDS[3], num_envs=2, corridor_length=3, time_limit=9).dynamics.time_limit == 9


def test_an_id_with_its_module_imports_it():
    made = "import gymnasium; print(gymnasium.make('pomdp_envs:pomdp_envs/CartPoleNoVel-v0').spec.id)"
    assert run_python(made) == "pomdp_envs/CartPoleNoVel-v0"


def test_the_package_needs_numpy_and_gymnasium_only():
    heavy = "{'torch', 'stable_baselines3', 'recurrent_rl'}"
    assert run_python(f"import sys, pomdp_envs; print({heavy} & set(sys.modules))") == "set()"


def test_what_is_not_natively_batched_has_no_dynamics(monkeypatch):
    monkeypatch.setattr(
        gym, "make_vec", lambda env_id, num_envs: gym.vector.SyncVectorEnv([lambda: gym.make("CartPole-v1")])
    )
    with pytest.raises(ValueError, match="has no Dynamics: it is a SyncVectorEnv"):
        dynamics_of("pomdp_envs/HopperNoVel-v0")
