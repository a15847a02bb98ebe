import numpy as np

from pomdp_envs import BatchedEnv
from pomdp_envs.control import CartPoleNoVel
from pomdp_envs.oracles.cartpole import GAINS, CartPoleMemoryless, CartPoleOracle
from pomdp_envs.players import play


def test_every_step_equals_gymnasiums_bit_for_bit(assert_agrees_with_gymnasium):
    env = BatchedEnv(CartPoleNoVel(), 16)
    rng = np.random.default_rng(0)
    balances = np.arange(16) % 4 == 0

    def policy(hidden):
        return np.where(balances, hidden @ GAINS > 0, rng.random(16) < 0.5).astype(np.int64)

    ends = assert_agrees_with_gymnasium(env, "CartPole-v1", slice(0, 4, 2), policy, steps=1100)
    assert ends["terminated"] > 300
    assert ends["truncated"] == 2 * balances.sum()


def test_an_oracle_with_finite_differences_balances_and_no_linear_memoryless_policy_does(mean_return):
    env = BatchedEnv(CartPoleNoVel(), 50)
    assert play(env, CartPoleOracle(env.dynamics, 50)).min() == 500

    directions = np.repeat(np.linspace(0, 2 * np.pi, 64, endpoint=False), 20)  # 64 policies, 20 episodes each
    weights = np.stack([np.cos(directions), np.sin(directions)], axis=1)

    def memoryless(history):
        return ((history[-1] * weights).sum(axis=1) > 0).astype(np.int64)

    returns = mean_return(BatchedEnv(CartPoleNoVel(), len(directions)), memoryless).reshape(64, 20)
    assert returns.mean(axis=1).max() < 150

    env = BatchedEnv(CartPoleNoVel(), 1000)
    returns_of_the_best = play(env, CartPoleMemoryless(env.dynamics, 1000))
    assert returns_of_the_best.mean() > returns.mean(axis=1).max() - 4 * returns.std() / np.sqrt(20)
