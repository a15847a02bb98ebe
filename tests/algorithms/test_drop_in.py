"""A script written for sb3_contrib.RecurrentPPO runs after changing the import alone."""

import inspect
import io
import math

import gymnasium as gym
import numpy as np
import pytest
import sb3_contrib
import torch
from gymnasium import spaces
from stable_baselines3.common.callbacks import CheckpointCallback, EvalCallback
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.evaluation import evaluate_policy
from stable_baselines3.common.vec_env import DummyVecEnv, SubprocVecEnv, VecFrameStack, VecNormalize

import recurrent_rl
from recurrent_rl.policies import MLPFeatures


class Spaces(gym.Env):
    """Eight-step episodes with any spaces."""

    def __init__(self, observation_space, action_space):
        self.observation_space, self.action_space = observation_space, action_space
        self.clock = 0

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.clock = 0
        return self.observation_space.sample(), {}

    def step(self, action):
        assert self.action_space.contains(action), action
        self.clock += 1
        return self.observation_space.sample(), 1.0, False, self.clock == 8, {}


BOX = spaces.Box(-1, 1, (3,))
IMAGE = spaces.Box(0, 255, (36, 36, 1), np.uint8)
DICT = spaces.Dict({"image": IMAGE, "vector": BOX})


def script(library, tmp_path):
    """Written for sb3-contrib; `library` is the one import that changes."""
    train = VecNormalize(make_vec_env("CartPole-v1", n_envs=4, seed=1))
    evaluation = VecNormalize(make_vec_env("CartPole-v1", n_envs=1), training=False, norm_reward=False)
    model = library.RecurrentPPO(
        "MlpLstmPolicy",
        train,
        learning_rate=lambda progress: 1e-3 * progress,
        n_steps=32,
        batch_size=64,
        n_epochs=2,
        clip_range=lambda progress: 0.2 * progress,
        clip_range_vf=0.5,
        target_kl=0.5,
        seed=1,
        policy_kwargs={
            "lstm_hidden_size": 16,
            "n_lstm_layers": 2,
            "enable_critic_lstm": True,
            "lstm_kwargs": {"dropout": 0.1},
            "net_arch": {"pi": [8], "vf": [8]},
            "activation_fn": torch.nn.ReLU,
            "ortho_init": False,
        },
    )
    callbacks = [
        EvalCallback(evaluation, eval_freq=32, n_eval_episodes=2, best_model_save_path=str(tmp_path), verbose=0),
        CheckpointCallback(64, str(tmp_path / "checkpoints"), save_vecnormalize=True),
    ]
    model.learn(300, callback=callbacks, progress_bar=False)
    path = tmp_path / "model"
    model.save(path)
    before, _ = evaluate_policy(model, evaluation, 3)
    assert before > 0
    weights = model.get_parameters()
    del model
    model = library.RecurrentPPO.load(path, env=train)
    model.set_parameters(weights)
    assert model.get_env() is train
    model.set_env(train)
    model.learn(128, reset_num_timesteps=False)
    observation, states, starts = evaluation.reset(), None, np.ones(1, dtype=bool)
    for _ in range(20):
        action, states = model.predict(observation, state=states, episode_start=starts, deterministic=True)
        observation, _, starts, _ = evaluation.step(action)
    return model


@pytest.mark.parametrize("library", [sb3_contrib, recurrent_rl], ids=lambda library: library.__name__)
@pytest.mark.filterwarnings("ignore")
def test_script_written_for_sb3_contrib_runs(library, tmp_path):
    model = script(library, tmp_path)
    assert model.num_timesteps > 300
    assert (tmp_path / "checkpoints").exists()
    assert (tmp_path / "best_model.zip").exists()


def test_constructor_arguments_and_defaults_are_sb3_contribs():
    theirs = inspect.signature(sb3_contrib.RecurrentPPO.__init__).parameters
    ours = inspect.signature(recurrent_rl.RecurrentPPO.__init__).parameters
    assert list(ours)[: len(theirs)] == list(theirs)
    assert {name: ours[name].default for name in theirs} == {name: theirs[name].default for name in theirs}


@pytest.mark.parametrize(
    ("policy", "observations", "policy_kwargs"),
    [
        ("MlpLstmPolicy", BOX, {"shared_lstm": True, "enable_critic_lstm": False}),
        ("MlpLstmPolicy", BOX, {"enable_critic_lstm": False}),
        ("MlpLstmPolicy", BOX, {"share_features_extractor": False, "net_arch": [8]}),
        ("CnnLstmPolicy", IMAGE, {"lstm_hidden_size": 8}),
        ("MultiInputLstmPolicy", DICT, {"lstm_hidden_size": 8}),
        ("MlpRecurrentPolicy", spaces.Discrete(4), {}),
        ("MlpRecurrentPolicy", spaces.MultiDiscrete([3, 2]), {"optimizer_class": torch.optim.SGD}),
        ("MlpRecurrentPolicy", BOX, {"features_extractor_class": MLPFeatures, "optimizer_class": torch.optim.RMSprop}),
        ("CnnRecurrentPolicy", IMAGE, {}),
        ("MultiInputRecurrentPolicy", DICT, {}),
    ],
)
def test_policy_and_observation_space(policy, observations, policy_kwargs, tmp_path):
    env = DummyVecEnv([lambda: Spaces(observations, spaces.Discrete(2))] * 2)
    model = recurrent_rl.RecurrentPPO(policy, env, n_steps=10, batch_size=20, n_epochs=1, policy_kwargs=policy_kwargs)
    model.learn(40)
    assert model.logger.name_to_value["train/first_ratio_error"] < 1e-5
    model.save(tmp_path / "model")
    loaded = recurrent_rl.RecurrentPPO.load(tmp_path / "model")
    observation = model.get_env().reset()
    assert np.array_equal(
        loaded.predict(observation, deterministic=True)[0], model.predict(observation, deterministic=True)[0]
    )


@pytest.mark.parametrize(
    ("actions", "arguments"),
    [
        (spaces.Discrete(3), {}),
        (spaces.MultiDiscrete([3, 2]), {}),
        (spaces.MultiBinary(4), {}),
        (spaces.Box(-2, 3, (2,)), {}),
        (spaces.Box(-2, 3, (2, 2), np.float32), {}),
        (spaces.Box(-2, 3, (2,)), {"use_sde": True, "sde_sample_freq": 2}),
        (spaces.Box(-2, 3, (2,)), {"use_sde": True, "policy_kwargs": {"squash_output": True}}),
    ],
)
@pytest.mark.parametrize("algorithm", [recurrent_rl.RecurrentPPO, recurrent_rl.RecurrentA2C])
def test_action_space(algorithm, actions, arguments):
    env = DummyVecEnv([lambda: Spaces(BOX, actions)] * 3)
    model = algorithm("MlpRecurrentPolicy", env, n_steps=12, **arguments)
    model.learn(72)
    observation = env.reset()
    action, _ = model.predict(observation)
    assert all(actions.contains(row) for row in action)
    single, _ = model.predict(observation[0])
    assert actions.contains(single if single.shape else int(single))


def test_batch_size_above_the_rollout_is_one_batch_and_an_odd_one_runs():
    for batch_size in (100_000, 37):
        recurrent_rl.RecurrentPPO("MlpLstmPolicy", "CartPole-v1", n_steps=16, batch_size=batch_size, n_epochs=1).learn(
            32
        )


def test_optimiser_and_a2c_defaults_are_as_sb3_selects_them():
    ppo = recurrent_rl.RecurrentPPO("MlpLstmPolicy", "CartPole-v1")
    assert type(ppo.policy.optimizer) is torch.optim.Adam
    assert ppo.policy.optimizer.defaults["eps"] == 1e-5
    a2c = recurrent_rl.RecurrentA2C("MlpLstmPolicy", "CartPole-v1")
    assert type(a2c.policy.optimizer) is torch.optim.RMSprop
    assert (
        type(recurrent_rl.RecurrentA2C("MlpLstmPolicy", "CartPole-v1", use_rms_prop=False).policy.optimizer)
        is torch.optim.Adam
    )


def test_a_model_saves_to_and_loads_from_an_open_file():
    model = recurrent_rl.RecurrentPPO("MlpLstmPolicy", "CartPole-v1")
    file = io.BytesIO()
    model.save(file)
    file.seek(0)
    loaded = recurrent_rl.RecurrentPPO.load(file)
    for one, other in zip(model.policy.parameters(), loaded.policy.parameters(), strict=True):
        assert torch.equal(one, other)


def test_custom_objects_of_sb3_scripts_are_taken(tmp_path):
    recurrent_rl.RecurrentPPO("MlpLstmPolicy", "CartPole-v1").save(tmp_path / "model")
    objects = {"learning_rate": 0.0, "lr_schedule": lambda _: 0.0, "clip_range": lambda _: 0.0}
    loaded = recurrent_rl.RecurrentPPO.load(tmp_path / "model", custom_objects=objects, tensorboard_log=str(tmp_path))
    assert loaded.learning_rate == 0.0
    assert loaded.tensorboard_log == str(tmp_path)


def test_wrappers_between_stack(tmp_path):
    env = VecFrameStack(VecNormalize(make_vec_env("CartPole-v1", n_envs=2)), 2)
    recurrent_rl.RecurrentPPO("MlpLstmPolicy", env, n_steps=16, batch_size=16).learn(64)


def test_callbacks_see_dones_and_one_dict_per_column():
    seen = []

    def callback(local_variables, _):
        infos, dones = local_variables["infos"], local_variables["dones"]
        assert len(infos) == len(dones) == 3
        assert [bool(info.get("episode")) for info in infos] == dones.tolist()
        seen.extend(info for info, done in zip(infos, dones, strict=True) if done)
        return True

    env = gym.make_vec(
        "CartPole-v1", num_envs=3, vectorization_mode="sync", vector_kwargs={"autoreset_mode": "SameStep"}
    )
    recurrent_rl.RecurrentPPO("MlpLstmPolicy", env, n_steps=64, batch_size=64).learn(64 * 3, callback=callback)
    assert seen
    assert all({"r", "l", "t"} <= set(info["episode"]) for info in seen)


def test_batch_size_none_is_the_whole_rollout():
    model = recurrent_rl.RecurrentPPO("MlpLstmPolicy", "CartPole-v1", n_steps=16, batch_size=None, n_epochs=3)
    model.learn(16)
    assert model.bptt_horizon == 16
    assert model.policy.optimizer.state_dict()["state"][0]["step"] == 3


def test_the_older_form_of_net_arch_is_taken():
    model = recurrent_rl.RecurrentPPO(
        "MlpLstmPolicy", "CartPole-v1", policy_kwargs={"net_arch": [{"pi": [8], "vf": [9]}]}
    )
    assert (model.policy.actor_layers[0].out_features, model.policy.critic_layers[0].out_features) == (8, 9)


def test_load_takes_another_n_steps_and_sets_attributes(tmp_path):
    recurrent_rl.RecurrentPPO("MlpLstmPolicy", "CartPole-v1", n_steps=16, batch_size=16).save(tmp_path / "model")
    objects = {"n_steps": 8}
    loaded = recurrent_rl.RecurrentPPO.load(tmp_path / "model", custom_objects=objects, num_timesteps=3, note="mine")
    assert (loaded.n_steps, loaded.bptt_horizon, loaded.num_timesteps, loaded.note) == (8, 8, 3, "mine")


def test_callbacks_see_raw_actions_and_what_else_sb3_contrib_names():
    seen = []

    def callback(local_variables, _):
        seen.append(local_variables["n_steps"])
        assert not np.array_equal(local_variables["actions"], local_variables["clipped_actions"])
        assert {"n_rollout_steps", "obs_tensor", "lstm_states", "episode_starts", "rollout_buffer"} <= set(
            local_variables
        )
        return True

    env = DummyVecEnv([lambda: Spaces(BOX, spaces.Box(-1e-6, 1e-6, (2,)))])
    recurrent_rl.RecurrentPPO("MlpLstmPolicy", env, n_steps=8, batch_size=8).learn(16, callback=callback)
    assert seen == [*range(8)] * 2


def test_a_schedule_without_a_value_at_zero_is_saved(tmp_path):
    model = recurrent_rl.RecurrentPPO("MlpLstmPolicy", "CartPole-v1", learning_rate=lambda p: 1e-4 / (1 - math.log(p)))
    model.save(tmp_path / "model")
    assert recurrent_rl.RecurrentPPO.load(tmp_path / "model", trust=True).learning_rate(1.0) == pytest.approx(1e-4)


def test_the_gradient_norm_is_logged_where_target_kl_stops_an_update():
    model = recurrent_rl.RecurrentPPO(
        "MlpLstmPolicy", "CartPole-v1", n_steps=64, batch_size=16, target_kl=1e-6, learning_rate=1e-2, seed=0
    )
    model.learn(64)
    assert model.logger.name_to_value["train/grad_norm"] > 0
    assert model.logger.name_to_value["train/kl_max"] > 1.5e-6


def test_drift_is_measured_without_dropout():
    model = recurrent_rl.RecurrentPPO(
        "MlpRecurrentPolicy", "CartPole-v1", n_steps=64, batch_size=16, learning_rate=0.0,
        memory=recurrent_rl.memory.GRU(hidden_size=8, num_layers=2, dropout=0.5),
    )  # fmt: skip
    model.learn(64)
    assert model.logger.name_to_value["memory/state_drift"] < 1e-5


def test_statistics_are_there_under_a_normaliser_without_monitor():
    env = VecNormalize(SubprocVecEnv([lambda: Spaces(BOX, spaces.Discrete(2))] * 2, start_method="fork"))
    model = recurrent_rl.RecurrentPPO("MlpLstmPolicy", env, n_steps=32, batch_size=16, n_epochs=1)
    model.learn(64)
    assert [(episode["r"], episode["l"]) for episode in model.ep_info_buffer] == [(8.0, 8)] * 8
    env.close()


def test_episode_statistics_are_read_as_sb3_reads_them():
    from stable_baselines3.common.base_class import BaseAlgorithm

    told = [{}, {"episode": {"r": 1.0}}, {"is_success": True}, {}, {"is_success": False, "episode": {"r": 2.0}}]
    dones = np.array([False, False, False, True, True])
    found = []
    for update in (recurrent_rl.RecurrentPPO._update_info_buffer, BaseAlgorithm._update_info_buffer):
        model = recurrent_rl.RecurrentPPO("MlpLstmPolicy", "CartPole-v1")
        model.learn(0)
        model.ep_info_buffer, model.ep_success_buffer = [], []
        update(model, told, dones)
        found.append((model.ep_info_buffer, model.ep_success_buffer))
    assert found[0] == found[1] == ([{"r": 1.0}, {"r": 2.0}], [False])
