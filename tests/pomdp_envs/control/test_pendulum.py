import numpy as np

from pomdp_envs import BatchedEnv
from pomdp_envs.control import PendulumNoVel


def test_every_step_equals_gymnasiums_bit_for_bit(assert_agrees_with_gymnasium):
    env = BatchedEnv(PendulumNoVel(), 16)
    rng = np.random.default_rng(0)

    def policy(hidden):
        spin = np.sign(hidden[:, 1]) * (np.arange(16) % 2)  # every other one is driven up to the speed limit
        return (rng.uniform(-3, 3, 16) + 3 * spin)[:, None].astype(np.float32)

    ends = assert_agrees_with_gymnasium(env, "Pendulum-v1", slice(0, 2), policy, steps=1000)
    assert ends == {"terminated": 0, "truncated": 16 * 5}


def test_an_oracle_with_finite_differences_swings_up_and_no_linear_memoryless_policy_does(mean_return):
    def oracle(history):
        now, before = history[-1], history[max(len(history) - 2, 0)]
        angle = np.arctan2(now[:, 1], now[:, 0])
        turned = np.arctan2(before[:, 1], before[:, 0])
        velocity = ((angle - turned + np.pi) % (2 * np.pi) - np.pi) / 0.05
        energy = velocity**2 / 6 + 5 * (np.cos(angle) - 1)  # zero at rest at the top
        pump = np.where(energy < 0, 2, -2) * np.where(velocity >= 0, 1, -1)
        hold = -10 * angle - 2 * velocity
        near = (np.abs(angle) < 0.5) & (np.abs(velocity) < 3)
        return np.clip(np.where(near, hold, pump), -2, 2)[:, None].astype(np.float32)

    assert mean_return(BatchedEnv(PendulumNoVel(), 100), oracle).mean() > -217.9

    directions = np.repeat(np.linspace(0, 2 * np.pi, 48, endpoint=False), 20)

    def memoryless(history):
        cos, sin = history[-1].T
        return 4 * (np.cos(directions) * sin + np.sin(directions) * cos)[:, None].astype(np.float32)

    returns = mean_return(BatchedEnv(PendulumNoVel(), len(directions)), memoryless).reshape(48, 20)
    assert returns.mean(axis=1).max() < -700
