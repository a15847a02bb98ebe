import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from stable_baselines3.common.vec_env import DummyVecEnv, VecMonitor
from stable_baselines3.common.vec_env import VecNormalize as SB3VecNormalize

from recurrent_rl import RecurrentPPO
from recurrent_rl.vector import ENDED, FILLER, VecNormalize, as_vec_env, refuse_plain_normalize_over_next_step


def pendulum(mode):
    make = lambda: gym.make("CartPole-v1", max_episode_steps=15)  # noqa: E731
    return as_vec_env(SyncVectorEnv([make] * 3, autoreset_mode=mode), seed=0)


def test_without_filler_rows_it_is_sb3s_bit_for_bit():
    ours, theirs = VecNormalize(pendulum(AutoresetMode.SAME_STEP)), SB3VecNormalize(pendulum(AutoresetMode.SAME_STEP))
    assert np.array_equal(ours.reset(), theirs.reset())
    for row in np.random.default_rng(0).integers(2, size=(80, 3)):
        one, other = ours.step(row), theirs.step(row)
        for a, b in zip(one[:3], other[:3], strict=True):
            assert np.array_equal(a, b)
        for a, b in zip(one[3], other[3], strict=True):
            assert np.array_equal(a.get("terminal_observation", 0), b.get("terminal_observation", 0))
    assert np.array_equal(ours.obs_rms.var, theirs.obs_rms.var)
    assert np.array_equal(ours.ret_rms.var, theirs.ret_rms.var)


def test_filler_rows_enter_no_statistics():
    env = VecNormalize(pendulum(AutoresetMode.NEXT_STEP))
    env.reset()
    valid, finals = 0, 0
    for row in np.random.default_rng(0).integers(2, size=(80, 3)):
        *_, infos = env.step(row)
        valid += sum(FILLER not in info for info in infos)
        finals += sum("recurrent_rl.ended" in info for info in infos)
    assert finals > 0
    assert env.ret_rms.count == pytest.approx(valid + 1e-4)
    # every observation that is acted upon: 3 at the reset, one per step, but for the final ones
    assert env.obs_rms.count == pytest.approx(3 + 80 * 3 - finals + 1e-4)


def test_a_final_observation_is_normalised_before_the_next_first_one_is_counted_with_next_step_only():
    def shown_and_raw(mode):
        env = VecNormalize(as_vec_env(SyncVectorEnv([lambda: gym.make("CartPole-v1")], autoreset_mode=mode), seed=0))
        env.reset()
        for row in range(1, 200):
            shown, _, dones, infos = env.step(np.ones(1, dtype=int))
            if ENDED in infos[0]:
                return shown[0], env.get_original_obs()[0], env, row
            if dones[0]:
                return infos[0]["terminal_observation"], None, env, row
        raise AssertionError("no episode ended")

    shown, raw, env, rows = shown_and_raw(AutoresetMode.NEXT_STEP)
    assert np.array_equal(shown, env.normalize_obs(raw))
    assert env.obs_rms.count == pytest.approx(rows + 1e-4)  # the first observation and all but the final one
    other, _, same, _ = shown_and_raw(AutoresetMode.SAME_STEP)
    assert np.array_equal(other, same.normalize_obs(raw))
    assert same.obs_rms.count == pytest.approx(rows + 1 + 1e-4)  # and the next first one
    assert not np.array_equal(shown, other)


def test_sb3s_monitor_over_filler_rows_is_refused_and_over_others_is_not():
    with pytest.raises(ValueError, match="Leave VecMonitor out"):
        RecurrentPPO("MlpLstmPolicy", VecMonitor(pendulum(AutoresetMode.NEXT_STEP)))
    with pytest.raises(ValueError, match="Leave VecMonitor out"):
        refuse_plain_normalize_over_next_step(VecNormalize(VecMonitor(pendulum(AutoresetMode.NEXT_STEP))))
    for mode in (AutoresetMode.SAME_STEP, AutoresetMode.DISABLED):
        refuse_plain_normalize_over_next_step(VecMonitor(pendulum(mode)))
    refuse_plain_normalize_over_next_step(VecMonitor(DummyVecEnv([lambda: gym.make("CartPole-v1")])))


def test_sb3s_normaliser_over_filler_rows_is_refused():
    with pytest.raises(ValueError, match=r"recurrent_rl\.vector\.VecNormalize"):
        RecurrentPPO("MlpLstmPolicy", SB3VecNormalize(pendulum(AutoresetMode.NEXT_STEP)))
