"""A whole PPO loss and backward with everything but `starts` on the meta device: no host tensor, no host read."""

import gymnasium as gym
import numpy as np
import pytest
import torch
from gymnasium import spaces

from recurrent_rl.algorithms.ppo import RecurrentPPO
from recurrent_rl.memory import GRU, LSTM, RNN, FrameWindow, NoMemory
from recurrent_rl.rollout import Minibatch

T, N = 6, 3


class Blank(gym.Env):
    def __init__(self, action_space):
        self.observation_space, self.action_space = spaces.Box(-1, 1, (2,)), action_space

    def reset(self, *, seed=None, options=None):
        return np.zeros(2, dtype=np.float32), {}


@pytest.mark.parametrize("critic", ["shared", "separate"])
@pytest.mark.parametrize("memory", [RNN(), GRU(), LSTM(num_layers=2), FrameWindow(3), NoMemory()], ids=repr)
@pytest.mark.parametrize(
    "actions",
    [spaces.Discrete(3), spaces.MultiDiscrete([2, 3]), spaces.MultiBinary(2), spaces.Box(-1, 1, (2,))],
    ids=lambda space: type(space).__name__,
)
def test_loss_and_backward_run_on_meta(memory, critic, actions):
    model = RecurrentPPO(
        "MlpRecurrentPolicy", Blank(actions), memory=memory, policy_kwargs={"critic": critic}, clip_range_vf=0.2
    )
    model._logger = type("Silent", (), {"record": lambda *_, **__: None})()
    model._update_objective()
    policy = model.policy.to("meta")
    rows = torch.zeros(T, N, device="meta")
    blank = policy.blank_actions(N)
    minibatch = Minibatch(
        observations=torch.zeros(T, N, 2, device="meta"),
        actions=blank.expand(T, *blank.shape),
        starts=torch.rand(T, N) < 0.3,
        valid=torch.ones(T, N, dtype=torch.bool, device="meta"),
        entry_state=policy.initial_state(N),
        values=rows,
        log_probs=rows,
        advantages=rows,
        returns=rows,
    )
    loss, figures = model.loss(minibatch)
    loss.backward()
    assert loss.device.type == "meta"
    assert all(figure.device.type == "meta" for figure in figures.values())
