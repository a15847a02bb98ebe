import numpy as np

from pomdp_envs import BatchedEnv
from pomdp_envs.control import PendulumNoVel
from pomdp_envs.oracles.pendulum import PendulumMemoryless, PendulumOracle
from pomdp_envs.players import play


def test_every_step_equals_gymnasiums_bit_for_bit(assert_agrees_with_gymnasium):
    env = BatchedEnv(PendulumNoVel(), 16)
    rng = np.random.default_rng(0)

    def policy(hidden):
        spin = np.sign(hidden[:, 1]) * (np.arange(16) % 2)  # every other one is driven up to the speed limit
        return (rng.uniform(-3, 3, 16) + 3 * spin)[:, None].astype(np.float32)

    ends = assert_agrees_with_gymnasium(env, "Pendulum-v1", slice(0, 2), policy, steps=1000)
    assert ends == {"terminated": 0, "truncated": 16 * 5}


def test_an_oracle_with_finite_differences_swings_up_and_no_linear_memoryless_policy_does(mean_return):
    env = BatchedEnv(PendulumNoVel(), 100)
    assert play(env, PendulumOracle(env.dynamics, 100)).mean() > -217.9

    directions = np.repeat(np.linspace(0, 2 * np.pi, 48, endpoint=False), 20)

    def memoryless(history):
        cos, sin = history[-1].T
        return 4 * (np.cos(directions) * sin + np.sin(directions) * cos)[:, None].astype(np.float32)

    returns = mean_return(BatchedEnv(PendulumNoVel(), len(directions)), memoryless).reshape(48, 20)
    assert returns.mean(axis=1).max() < -700

    env = BatchedEnv(PendulumNoVel(), 1000)
    returns_of_the_best = play(env, PendulumMemoryless(env.dynamics, 1000))
    assert returns_of_the_best.mean() > returns.mean(axis=1).max() - 4 * returns.std() / np.sqrt(20)
