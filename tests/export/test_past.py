"""An agent of a policy that reads its previous action and reward adds them by itself, as the wrapper does."""

import gymnasium as gym
import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.wrappers import TransformObservation
from stable_baselines3.common.vec_env import DummyVecEnv

from pomdp_envs import PreviousActionReward
from recurrent_rl import RecurrentPPO
from recurrent_rl.export import exportable, load_agent, to_numpy, to_onnx, to_torch_export
from recurrent_rl.vector import VecNormalize
from tests.export.conftest import FOUR, Counting, make


class Drawn(Counting):
    def __init__(self, actions):
        self.action_space = actions

    def step(self, action):
        self.steps += 1
        return self._seen(), float(self.steps), self.steps >= 7, False, {}


@pytest.mark.parametrize(
    "actions",
    [spaces.Discrete(3), spaces.MultiDiscrete([2, 3]), spaces.MultiBinary(3), spaces.Box(-1, 1, (2,))],
    ids=lambda space: type(space).__name__,
)
@pytest.mark.parametrize("flat", [True, False])
def test_the_agent_reads_what_the_wrapper_shows(actions, flat, tmp_path):
    bare: gym.Env = Drawn(actions)
    if not flat:
        bare = TransformObservation(bare, lambda x: x.reshape(2, 2), spaces.Box(-1, 1, (2, 2)))
    env = PreviousActionReward(bare)
    policy = make(env.observation_space, actions)
    alone = load_agent(to_numpy(exportable(policy, past=True), tmp_path / "agent"))
    wrapped = exportable(policy).agent()
    assert alone.observation_space["shape"] == list(bare.observation_space.shape)
    for _ in range(2):
        shown, _ = env.reset()
        reward, over = None, False
        wrapped.reset()
        alone.reset()
        while not over:
            seen = shown["observation"] if isinstance(shown, dict) else shown[:4]
            wanted, found = wrapped.act(shown), alone.act(seen, reward=reward)
            np.testing.assert_allclose(found, wanted, atol=1e-5)
            shown, reward, over, _, _ = env.step(wanted)


def test_columns_forget_their_past_one_by_one():
    policy = make(PreviousActionReward(Drawn(spaces.Discrete(3))).observation_space)
    agent = exportable(policy, past=True).agent()
    rows = np.full((2, 4), 0.3, dtype=np.float32)
    agent.act(rows, reward=[9.0, 9.0])  # of no step: it counts for nothing
    first = agent.parameters["logits"]
    np.testing.assert_array_equal(first[0], first[1])
    agent.act(rows, starts=[True, False], reward=[5.0, 5.0])
    np.testing.assert_allclose(agent.parameters["logits"][0], first[0], rtol=1e-6)
    assert not np.allclose(agent.parameters["logits"][1], first[0])


def test_a_policy_without_a_past_is_told():
    with pytest.raises(ValueError, match="Leave it out"):
        exportable(make(FOUR), past=True)


def test_a_missing_reward_is_told():
    policy = make(PreviousActionReward(Drawn(spaces.Discrete(3))).observation_space)
    agent = exportable(policy, past=True).agent()
    agent.act(np.zeros(4))
    with pytest.raises(ValueError, match="reward="):
        agent.act(np.zeros(4))
    agent.reset()
    agent.act(np.zeros(4))


def test_a_dict_that_was_normalised_plays_alike_in_all_forms(tmp_path):
    bare = TransformObservation(Drawn(spaces.Discrete(3)), lambda x: x.reshape(2, 2), spaces.Box(-1, 1, (2, 2)))
    env = DummyVecEnv([lambda: PreviousActionReward(bare)])
    model = RecurrentPPO("MultiInputRecurrentPolicy", VecNormalize(env), n_steps=16, seed=0).learn(32)
    for write in (to_numpy, to_onnx, to_torch_export):
        load_agent(write(exportable(model, past=True), tmp_path / "agent"), trust=True)
