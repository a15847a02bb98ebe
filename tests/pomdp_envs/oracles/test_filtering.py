import gymnasium as gym
import numpy as np
import pytest

from pomdp_envs.control.cartpole import advance
from pomdp_envs.oracles.cartpole import NoisyCartPoleOracle, VelocityCartPoleOracle, jacobian
from pomdp_envs.oracles.filtering import clipped_normal, corrected
from pomdp_envs.oracles.pendulum import NoisyPendulumOracle, wrapped


@pytest.mark.parametrize("mean", [-1.2, 0.0, 0.4, 1.0])
@pytest.mark.parametrize("sigma", [0.1, 0.6])
def test_the_moments_of_a_clipped_normal_number_are_those_of_many(mean, sigma):
    numbers = np.clip(mean + sigma * np.random.default_rng(0).standard_normal(400_000), -1, 1)
    first, slope, variance = (value[0] for value in clipped_normal(np.array([mean]), sigma, -1, 1))
    assert first == pytest.approx(numbers.mean(), abs=0.005)
    assert variance == pytest.approx(numbers.var(), abs=0.005)
    assert slope == pytest.approx((np.abs(numbers) < 1).mean(), abs=0.005)
    shifted = clipped_normal(np.array([mean + 1e-4]), sigma, -1, 1)[0][0]
    assert slope == pytest.approx((shifted - first) / 1e-4, abs=1e-3)


def test_two_measurements_of_a_constant_are_averaged_with_their_weights():
    mean, covariance = np.array([[0.0, 5.0]]), np.diag([4.0, 1.0])[None]
    direction = np.array([[1.0, 0.0]])
    for measured, variance in ((1.0, 2.0), (3.0, 0.5)):
        mean, covariance = corrected(mean, covariance, measured - mean[:, 0], direction, np.array([variance]))
    precision = 1 / 4 + 1 / 2 + 1 / 0.5
    assert mean[0] == pytest.approx([(1 / 2 + 3 / 0.5) / precision, 5.0])
    assert np.diag(covariance[0]) == pytest.approx([1 / precision, 1.0])


def test_the_jacobian_predicts_a_small_step_of_the_cart_pole():
    change = np.array([[1e-3], [-2e-3], [1e-3], [3e-3]])
    middle = sum(advance(np.zeros((4, 1)), np.array([action]))[0] for action in (0, 1)) / 2
    moved = sum(advance(change, np.array([action]))[0] for action in (0, 1)) / 2
    np.testing.assert_allclose(jacobian() @ change, moved - middle, atol=1e-7)


def errors(env_id: str, player_class, estimate, steps: int) -> np.ndarray:
    """Play and return (estimate - hidden state) at every step, [steps, B]."""
    env = gym.make_vec(env_id, num_envs=200).unwrapped
    player = player_class(env.dynamics, 200)
    observation, _ = env.reset(seed=2)
    starts, result = np.ones(200, dtype=bool), []
    for _ in range(steps):
        actions = player.act(observation, starts)
        result.append(estimate(player, env.hidden_state()))
        observation, _, terminated, truncated, _ = env.step(actions)
        starts = terminated | truncated
    return np.array(result)


@pytest.mark.parametrize(
    ("world", "player_class", "variable"),
    [("NoisyPositionOnlyCartPole", NoisyCartPoleOracle, 2), ("NoisyPositionOnlyPendulum", NoisyPendulumOracle, 0)],
)
@pytest.mark.parametrize(("difficulty", "sigma"), [("Easy", 0.1), ("Hard", 0.3)])
def test_the_filters_know_the_angle_better_than_one_observation_does_and_how_well(
    world, player_class, variable, difficulty, sigma
):
    def estimate(player, hidden):
        wrong = wrapped(player.mean[:, variable] - hidden[:, variable])
        return np.stack([wrong, wrong / np.sqrt(player.covariance[:, variable, variable])])

    wrong, in_deviations = errors(
        f"pomdp_envs/{world}{difficulty}-v0",
        player_class,
        estimate,
        steps=250,  # beyond an episode's end
    )[20:].swapaxes(0, 1)
    assert wrong.std() < 0.6 * sigma
    assert 0.8 < in_deviations.std() < 1.5


def test_summed_velocities_give_the_positions_to_a_tenth_of_a_millimetre_after_400_steps():
    wrong = errors(
        "pomdp_envs/VelocityOnlyCartPoleHard-v0",
        VelocityCartPoleOracle,
        lambda player, hidden: np.abs(player.position - hidden[:, [0, 2]]).max(axis=1),
        steps=400,
    )
    assert wrong[1:].max() < 1e-4
