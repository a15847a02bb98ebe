import numpy as np

from pomdp_envs import BatchedEnv
from pomdp_envs.control import MountainCarContinuousNoVel
from pomdp_envs.oracles.mountain_car import MountainCarMemoryless, MountainCarOracle
from pomdp_envs.players import play


def test_every_step_equals_gymnasiums_bit_for_bit(assert_agrees_with_gymnasium):
    env = BatchedEnv(MountainCarContinuousNoVel(), 12)
    rng = np.random.default_rng(0)
    kind = np.arange(12) % 3

    def policy(hidden):
        wander = rng.uniform(-1.5, 1.5, 12)  # some of them are clipped
        drive = np.where(hidden[:, 1] >= 0, 1.0, -1.0)  # reaches the goal; also hits the left wall
        strong = drive * rng.uniform(0.5, 2.0, 12)
        return np.choose(kind, [wander, drive, strong])[:, None].astype(np.float32)

    ends = assert_agrees_with_gymnasium(env, "MountainCarContinuous-v0", slice(0, 1), policy, steps=1100)
    assert ends["terminated"] > 30
    assert ends["truncated"] == 4


def test_an_oracle_with_one_difference_reaches_the_goal_and_no_threshold_on_the_position_does(mean_return):
    env = BatchedEnv(MountainCarContinuousNoVel(), 50)
    assert play(env, MountainCarOracle(env.dynamics, 50)).min() > 85
    assert (play(env, MountainCarMemoryless(env.dynamics, 50)) == 0).all()

    # A force that depends on the position alone does work on net way only: at most 0.0015 * (0.45 - start), and the
    # hill takes 0.0025 / 3 * (sin(1.35) - sin(3 * start)), which is more from every start in [-0.6, -0.4].
    thresholds = np.repeat(np.linspace(-1.2, 0.5, 30), 10)
    signs = np.tile([1.0, -1.0], 150)

    def memoryless(history):
        return np.where(history[-1][:, 0] >= thresholds, signs, -signs)[:, None].astype(np.float32)

    assert mean_return(BatchedEnv(MountainCarContinuousNoVel(), 300), memoryless).max() < 0
