"""Collection takes one thread for a small policy, and leaves torch's number as it was."""

import pytest
import torch
from stable_baselines3.common.callbacks import BaseCallback
from torch import nn

from recurrent_rl import RecurrentA2C, RecurrentPPO
from recurrent_rl.algorithms.threads import threads_to_act, threads_to_learn, torch_threads
from recurrent_rl.memory import GRU
from recurrent_rl.vector import as_vec_env


@pytest.fixture(autouse=True)
def _two_threads():
    with torch_threads(2):
        yield


class Seen(BaseCallback):
    """The number of threads at every step; fails at one of them if asked to."""

    def __init__(self, fail=False):
        super().__init__()
        self.fail, self.threads = fail, set()

    def _on_step(self):
        self.threads.add(torch.get_num_threads())
        if self.fail:
            raise KeyError("asked to")
        return True


def make():
    return RecurrentA2C("MlpRecurrentPolicy", as_vec_env("pomdp_envs/CartPoleNoVel-v0", n_envs=2), n_steps=4)


@pytest.mark.parametrize(("wanted", "expected"), [(None, 1), (2, 2), (1, 1)])
def test_collection_has_its_own_number_of_threads(wanted, expected):
    model, seen = make(), Seen()
    model.collection_threads = wanted
    model.learn(16, callback=seen)
    assert seen.threads == {expected}
    assert torch.get_num_threads() == 2


def test_the_number_is_given_back_where_a_callback_fails():
    with pytest.raises(KeyError):
        make().learn(16, callback=Seen(fail=True))
    assert torch.get_num_threads() == 2


def test_large_policies_and_convolutions_keep_torchs_number():
    assert threads_to_act(nn.Linear(1024, 1024), 64, None) == 2
    assert threads_to_act(nn.Linear(64, 64), 8, None) == 1
    assert threads_to_act(nn.Conv2d(1, 1, 3), 1, None) == 2
    assert threads_to_act(nn.Linear(1024, 1024), 64, 1) == 1


@pytest.mark.parametrize(("hidden", "expected"), [(8, 1), (256, 2)])
def test_an_update_has_one_thread_where_policy_and_minibatch_are_small(hidden, expected, monkeypatch):
    env = as_vec_env("pomdp_envs/CartPoleNoVel-v0", n_envs=2)
    model = RecurrentPPO(
        "MlpRecurrentPolicy", env, memory=GRU(hidden_size=hidden), n_steps=64, batch_size=64, n_epochs=1
    )
    seen, step = set(), model._step_minibatch
    monkeypatch.setattr(model, "_step_minibatch", lambda *args: (seen.add(torch.get_num_threads()), step(*args))[1])
    model.learn(128)
    assert seen == {expected}
    assert torch.get_num_threads() == 2
    assert threads_to_learn(nn.Linear(64, 64), 64) == 1
