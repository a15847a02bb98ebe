"""What may stand for an environment: ids in all their forms."""

import os
import subprocess
import sys

import gymnasium as gym
import numpy as np
import pytest

import pomdp_envs  # noqa: F401 - registers the environments
from recurrent_rl import RecurrentPPO
from recurrent_rl.vector import as_vec_env, check_id

IDS = {
    "CartPole-v1": "CartPole-v1",
    "CartPole-v0": "CartPole-v0",
    "CartPole": "CartPole-v1",
    "pomdp_envs/TMaze": "pomdp_envs/TMaze-v0",
    "pomdp_envs/TMaze-v0": "pomdp_envs/TMaze-v0",
    "pomdp_envs:pomdp_envs/CartPoleNoVel-v0": "pomdp_envs/CartPoleNoVel-v0",
    "pomdp_envs:pomdp_envs/CartPoleNoVel": "pomdp_envs/CartPoleNoVel-v0",
    "gymnasium.envs.classic_control:CartPole-v1": "CartPole-v1",
}


@pytest.mark.parametrize("name", IDS)
def test_an_id_stands_for_the_registered_one(name):
    assert check_id(name) == IDS[name]


@pytest.mark.parametrize("name", ["CartPole", "pomdp_envs/TMaze", "pomdp_envs:pomdp_envs/CartPoleNoVel-v0"])
def test_every_form_of_an_id_makes_an_environment(name):
    env = as_vec_env(name, n_envs=2, seed=0)
    assert np.array_equal(env.reset(), as_vec_env(IDS[name], n_envs=2, seed=0).reset())
    assert RecurrentPPO("MlpRecurrentPolicy", name, n_steps=8, batch_size=8).learn(8).num_timesteps == 8


@pytest.mark.parametrize("name", ["pomdp_envs:pomdp_envs/TMaze-v0", "pomdp_envs/TMaze-v0", "pomdp_envs/TMaze"])
def test_the_module_is_imported_where_nothing_was_before(name):
    code = f"from recurrent_rl.vector import as_vec_env; print(as_vec_env({name!r}).observation_space.shape)"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert result.stdout.strip() == "(3,)", result.stderr


def test_a_given_module_is_imported_even_if_the_id_is_known(tmp_path, monkeypatch):
    (tmp_path / "registers_more.py").write_text("import os\nos.environ['REGISTERS_MORE'] = 'yes'\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("REGISTERS_MORE", "no")
    check_id("registers_more:CartPole-v1")
    assert os.environ["REGISTERS_MORE"] == "yes"


def test_the_highest_of_several_versions_is_taken():
    for version in (2, 10):
        gym.register(f"Versioned-v{version}", entry_point="gymnasium.envs.classic_control:CartPoleEnv")
    assert check_id("Versioned") == "Versioned-v10"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("no_such_module:CartPole-v1", "no module 'no_such_module'"),
        ("gymnasium.no_such_part:CartPole-v1", r"no module 'gymnasium\.no_such_part'"),
        ("gymnasium.envs.classic_control.cartpole.x:CartPole-v1", r"no module 'gymnasium\.envs"),
        (":CartPole-v1", "no module ''"),
        (".relative:CartPole-v1", r"no module '\.relative'"),
        ("gymnasium:CartPol-v1", "Did you mean .*CartPole-v1"),
        ("CartPole-v99", "Did you mean .*CartPole-v"),
        ("pomdp_envs/TMazes", "Did you mean .*pomdp_envs/TMaze-v0"),
        ("no_such_package/Thing-v0", "There is no environment"),
        ("pomdp_envs/", "There is no environment"),
        ("", "There is no environment"),
        ("Cart Pole!", "There is no environment"),
    ],
)
def test_unknown_ids_and_modules_are_refused_by_name(name, message):
    with pytest.raises(ValueError, match=message):
        as_vec_env(name)


def test_what_a_module_misses_itself_is_raised_as_it_is(tmp_path, monkeypatch):
    (tmp_path / "misses_something.py").write_text("import no_such_dependency\n")
    monkeypatch.syspath_prepend(tmp_path)
    for name in ("misses_something:CartPole-v1", "misses_something/Thing-v0"):
        with pytest.raises(ModuleNotFoundError, match="no_such_dependency"):
            as_vec_env(name)


def test_an_id_without_a_namespace_imports_nothing(tmp_path, monkeypatch):
    (tmp_path / "Bystander.py").write_text("raise RuntimeError('imported')\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ValueError, match="no environment 'Bystander'"):
        as_vec_env("Bystander")
