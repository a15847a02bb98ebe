"""The same seeded dynamics through every face give the same training rows (pitfalls 9 and 10)."""

import sys
from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest
import torch
from gymnasium.vector import AsyncVectorEnv, AutoresetMode, SyncVectorEnv
from stable_baselines3.common.evaluation import evaluate_policy
from stable_baselines3.common.vec_env import DummyVecEnv

sys.path.insert(0, str(Path(__file__).parent))
from streams import Counter, stream

import pomdp_envs  # noqa: F401 - registers the environments
from recurrent_rl import RecurrentPPO
from recurrent_rl.memory import GRU
from recurrent_rl.vector import (
    FILLER,
    GymVecEnv,
    as_vec_env,
    find_non_finite,
    get_env_state,
    read_step,
    set_env_state,
    why_not_resumable,
)
from recurrent_rl.vector import VecNormalize as OurNormalize

MODES = list(AutoresetMode)
B, STEPS = 3, 60


def pole():
    return gym.make("pomdp_envs/CartPoleNoVel-v0")


def faces(make):
    yield "dummy", as_vec_env(DummyVecEnv([make] * B))
    for mode in MODES:
        yield f"sync {mode.value}", as_vec_env(SyncVectorEnv([make] * B, autoreset_mode=mode))
        yield (
            f"sync without copies {mode.value}",
            as_vec_env(SyncVectorEnv([make] * B, autoreset_mode=mode, copy=False)),
        )


@pytest.mark.parametrize("make", [Counter, lambda: Counter(as_dict=True), pole], ids=["array", "dict", "pole"])
def test_every_face_gives_the_same_rows(make):
    streams = {name: stream(face, STEPS) for name, face in faces(make)}
    reference = streams["dummy"]
    assert any(row[3] for column in reference for row in column)  # terminations
    if make is not pole:
        assert any(row[4] for column in reference for row in column)  # truncations
        assert all((row[5] is not None) == row[4] for column in reference for row in column)
    for name, found in streams.items():
        for column, expected in zip(found, reference, strict=True):
            assert column == expected[: len(column)], name
            assert len(column) == STEPS or "NextStep" in name
            assert len(column) > STEPS // 2


@pytest.mark.parametrize("mode", MODES)
def test_native_batch_gives_the_same_rows_as_single_environments(mode):
    native = as_vec_env(gym.make_vec("pomdp_envs/CartPoleNoVel-v0", num_envs=B, autoreset_mode=mode))
    for found, expected in zip(stream(native, STEPS), stream(as_vec_env(DummyVecEnv([pole] * B)), STEPS), strict=True):
        assert found == expected[: len(found)]


def test_async_gives_the_same_rows():
    face = as_vec_env(AsyncVectorEnv([Counter] * 2, autoreset_mode=AutoresetMode.SAME_STEP))
    found = stream(face, 20)
    face.close()
    assert found == [column[:20] for column in stream(as_vec_env(DummyVecEnv([Counter] * 2)), 20)]


def test_id_and_single_environment_give_the_same_rows():
    by_id = stream(as_vec_env("pomdp_envs/CartPoleNoVel-v0"), STEPS)
    assert by_id == stream(as_vec_env(pole()), STEPS)
    sync = as_vec_env("CartPole-v1", n_envs=2)
    assert sync.mode is AutoresetMode.SAME_STEP
    assert stream(sync, STEPS) == stream(as_vec_env(DummyVecEnv([lambda: gym.make("CartPole-v1")] * 2)), STEPS)


def train(env):
    model = RecurrentPPO(
        "MlpRecurrentPolicy", env, memory=GRU(hidden_size=4), n_steps=32, batch_size=32, n_epochs=1, seed=1
    )
    model.learn(1)  # one rollout
    return model


def test_training_tensors_are_identical_through_every_face_without_filler_rows():
    models = {name: train(face) for name, face in faces(Counter) if "NextStep" not in name}
    reference = models.pop("dummy").rollout_buffer
    for name, model in models.items():
        for field in (
            "observations",
            "actions",
            "rewards",
            "starts",
            "terminated",
            "truncated",
            "values",
            "advantages",
            "final_values",
        ):
            assert torch.equal(getattr(model.rollout_buffer, field), getattr(reference, field)), (name, field)


def test_filler_rows_are_invalid_start_nothing_and_the_row_after_them_starts():
    model = train(SyncVectorEnv([Counter] * B, autoreset_mode=AutoresetMode.NEXT_STEP))
    rollout = model.rollout_buffer
    ended = rollout.terminated | rollout.truncated
    assert torch.equal(~rollout.valid[1:], ended[:-1])
    assert torch.equal(rollout.starts[1:], ~rollout.valid[:-1])
    assert not ended[~rollout.valid].any()
    assert (rollout.rewards[~rollout.valid] == 0).all()
    assert model.num_timesteps == int(rollout.valid.sum())


def test_the_loss_does_not_read_filler_rows():
    from recurrent_rl.rollout import whole_rollout

    model = train(SyncVectorEnv([Counter] * B, autoreset_mode=AutoresetMode.NEXT_STEP))
    chunks = whole_rollout(model.rollout_buffer)
    assert not chunks.valid.all()
    expected = model.loss(chunks)[0].item()
    for field in (chunks.advantages, chunks.returns, chunks.log_probs, chunks.values):
        field[~chunks.valid] = float("nan")
    assert model.loss(chunks)[0].item() == expected


def test_evaluate_policy_scores_the_same_with_filler_rows():
    model = train(as_vec_env(DummyVecEnv([pole] * B)))
    scores = []
    for mode in (AutoresetMode.SAME_STEP, AutoresetMode.NEXT_STEP):
        env = as_vec_env(SyncVectorEnv([pole] * B, autoreset_mode=mode))
        env.seed(9)
        scores.append(evaluate_policy(model, env, 12, return_episode_rewards=True))
    assert sorted(scores[0][0]) == sorted(scores[1][0])
    assert sorted(scores[0][1]) == sorted(scores[1][1])


def test_columns_where_nothing_happened_share_one_empty_dict_and_episodes_carry_statistics():
    env = as_vec_env("pomdp_envs/CartPoleNoVel-v0", n_envs=4, seed=0)
    env.reset()
    total, length = np.zeros(4), np.zeros(4, dtype=int)
    for _ in range(100):
        _, rewards, dones, infos = env.step(np.zeros(4, dtype=int))
        total, length = total + rewards, length + 1
        quiet = [info for info, done in zip(infos, dones, strict=True) if not done]
        assert all(info is quiet[0] and not info for info in quiet)
        for b in np.flatnonzero(dones):
            assert infos[b]["episode"]["r"] == total[b]
            assert infos[b]["episode"]["l"] == length[b]
            assert infos[b]["terminal_observation"].shape == (2,)
            total[b] = length[b] = 0


def test_an_old_key_of_the_final_observation_is_read_and_a_missing_one_is_named():
    class Renamed(SyncVectorEnv):
        key = "final_observation"

        def step(self, actions):
            *result, infos = super().step(actions)
            if "final_obs" in infos:
                final = infos.pop("final_obs")
                if self.key:
                    infos[self.key] = final
            return (*result, infos)

    env = Renamed([Counter] * B, autoreset_mode=AutoresetMode.SAME_STEP)
    assert stream(as_vec_env(env), 20) == stream(as_vec_env(DummyVecEnv([Counter] * B)), 20)
    env.key = None
    with pytest.raises(ValueError, match="gives no infos"):
        stream(as_vec_env(env), 20)


@pytest.mark.parametrize("make", [Counter, pole], ids=["counter", "pole"])
def test_a_state_put_into_a_fresh_environment_goes_on_identically(make):
    builders = dict.fromkeys(("dummy", *(mode.value for mode in MODES)))
    builders["dummy"] = lambda: OurNormalize(as_vec_env(DummyVecEnv([make] * B)))
    for mode in MODES:
        builders[mode.value] = lambda mode=mode: OurNormalize(
            as_vec_env(SyncVectorEnv([make] * B, autoreset_mode=mode))
        )
    for name, build in builders.items():
        env = build()
        env.seed(4)
        env.reset()
        actions = np.random.default_rng(0).integers(2, size=(60, B))
        for row in actions[:23]:
            env.step(row)
        state = get_env_state(env)
        expected = [env.step(row) for row in actions[23:]]
        fresh = build()
        fresh.reset()
        set_env_state(fresh, state)
        for row, (observation, rewards, dones, infos) in zip(actions[23:], expected, strict=True):
            found = fresh.step(row)
            assert np.array_equal(found[0], observation), name
            assert np.array_equal(found[1], rewards), name
            assert np.array_equal(found[2], dones), name
            for one, other in zip(found[3], infos, strict=True):
                assert one.get("episode", {}).get("r") == other.get("episode", {}).get("r"), name


def test_why_not_resumable_names_the_layer_and_wrong_sizes_are_refused():
    env = as_vec_env("CartPole-v1", n_envs=2)
    env.reset()
    assert "CartPoleEnv has no get_state" in why_not_resumable(env)
    assert get_env_state(env) is None
    two, three = (as_vec_env("pomdp_envs/CartPoleNoVel-v0", n_envs=n) for n in (2, 3))
    two.reset()
    three.reset()
    with pytest.raises(ValueError, match="2 columns, the environment 3"):
        set_env_state(three, get_env_state(two))


def test_non_finite_values_are_found_by_column_and_a_large_sum_is_no_false_alarm():
    observation = np.full((4, 3), 3e38, dtype=np.float32)
    assert find_non_finite(observation, np.zeros(4)) is None
    observation[2, 1] = np.nan
    assert find_non_finite(observation, np.zeros(4)) == (2, "observation")
    assert find_non_finite({"x": observation}, None) == (2, "observation 'x'")
    assert find_non_finite(np.zeros((4, 3)), np.array([0, 0, 0, np.inf])) == (3, "reward")
    assert find_non_finite(np.zeros((4, 3), dtype=np.uint8), None) is None


def test_a_filler_row_is_marked_for_sb3_and_memory_starts_after_it():
    env = GymVecEnv(SyncVectorEnv([Counter] * 1, autoreset_mode=AutoresetMode.NEXT_STEP))
    env.seed(0)
    env.reset()
    while not read_step(env, np.zeros(1, dtype=int)).terminated[0]:
        pass
    observation, rewards, dones, infos = env.step(np.ones(1, dtype=int))
    assert dones[0]
    assert infos[0][FILLER]
    assert rewards[0] == 0
    assert observation[0, 0] == 0  # the new episode's first observation


def test_a_normaliser_over_unmonitored_environments_reports_raw_rewards_and_keeps_its_place():
    from stable_baselines3.common.callbacks import EvalCallback
    from stable_baselines3.common.vec_env import VecNormalize

    def build():
        return VecNormalize(DummyVecEnv([Counter]))

    model = RecurrentPPO("MlpRecurrentPolicy", build(), n_steps=32, batch_size=32, n_epochs=1, seed=0)
    model.learn(32, callback=EvalCallback(build(), eval_freq=16, n_eval_episodes=1, verbose=0))
    assert isinstance(model.get_env(), VecNormalize)
    for episode in model.ep_info_buffer:  # rewards 0.5, 1, 1.5, ... and the action's 0 or 1
        assert episode["r"] >= 0.25 * episode["l"] * (episode["l"] + 1)


def test_an_environment_whose_wrapper_cannot_give_a_state_trains_all_the_same():
    from pomdp_envs import PreviousActionReward

    model = RecurrentPPO("MlpRecurrentPolicy", PreviousActionReward(gym.make("CartPole-v1")), n_steps=16, batch_size=16)
    model.learn(16)
    assert "get_state fails" in why_not_resumable(model.get_env())


@pytest.mark.parametrize("mode", MODES)
def test_what_the_environment_says_on_the_last_step_comes_once_with_done(mode):
    class Success(Counter):
        def step(self, action):
            *result, info = super().step(action)
            return (*result, {**info, "is_success": True} if result[2] or result[3] else info)

    env = as_vec_env(SyncVectorEnv([Success] * B, autoreset_mode=mode))
    env.reset()
    ends = 0
    for _ in range(40):
        _, _, dones, infos = env.step(np.zeros(B, dtype=int))
        ends += dones.sum()
        for done, info in zip(dones, infos, strict=True):
            assert info.get("is_success", False) == done
            assert ("episode" in info) == done
            assert not done or info["clock"] == info["episode"]["l"]
    assert ends > 5


def test_a_vector_environment_that_does_not_say_how_it_resets_is_refused():
    env = SyncVectorEnv([Counter] * 2)
    env.metadata = {}
    with pytest.raises(ValueError, match="does not say how it resets"):
        as_vec_env(env)


def test_a_snapshot_does_not_change_with_the_environment():
    class Live(Counter):
        def __init__(self):
            super().__init__()
            self.live = np.zeros(1)

        def step(self, action):
            self.live += 1
            return super().step(action)

        def get_state(self):
            return {"live": self.live}

    env = as_vec_env(DummyVecEnv([Live]))
    env.reset()
    state = get_env_state(env)
    env.step(np.zeros(1, dtype=int))
    assert state["own"]["envs"][0][-1]["live"] == 0


def test_a_reset_mask_that_is_ignored_late_is_noticed_in_training():
    class IgnoresLater(SyncVectorEnv):
        resets = 0

        def reset(self, *, seed=None, options=None):
            self.resets += 1
            return super().reset(seed=seed, options=options if self.resets < 4 else None)

    env = IgnoresLater([Counter] * B, autoreset_mode=AutoresetMode.DISABLED)
    with pytest.raises(ValueError, match="changes others"):
        stream(as_vec_env(env), 60)


def test_a_bad_final_observation_is_named_by_its_own_column():
    from recurrent_rl.vector import Transition, find_non_finite_step

    env = as_vec_env("pomdp_envs/CartPoleNoVel-v0", n_envs=4)
    dones = np.array([False, True, True, False])
    rows, none = np.zeros((4, 2), dtype=np.float32), np.zeros(4, dtype=bool)
    for bad in (1, 2):
        infos = [
            {"terminal_observation": np.full(2, np.nan if b == bad else 0.0)} if dones[b] else {} for b in range(4)
        ]
        transition = Transition(
            observation=rows, reward=np.zeros(4, dtype=np.float32), terminated=dones, truncated=none, valid=~none,
            starts=dones, final_observation=None, final_columns=np.array([], dtype=np.int64), dones=dones, infos=infos,
        )  # fmt: skip
        assert find_non_finite_step(env, transition) == (bad, "final observation")
