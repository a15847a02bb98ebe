import numpy as np
import pytest

from pomdp_envs import BatchedEnv
from pomdp_envs.meta import TabularMDP
from pomdp_envs.oracles.tabular_mdp import TabularMDPMemoryless, TabularMDPOracle, TabularMDPPosteriorSampling
from pomdp_envs.players import play

N, S, A = 2048, 4, 3


def processes(env: BatchedEnv) -> tuple[np.ndarray, np.ndarray]:
    """The chances [B, S, A, S] and mean rewards [B, S, A]."""
    hidden, dynamics = env.hidden_state(), env.dynamics
    shape = len(hidden), dynamics.states, dynamics.actions, dynamics.states
    summed = hidden[:, : np.prod(shape[1:])].reshape(shape)
    means = hidden[:, np.prod(shape[1:]) :][:, : dynamics.states * dynamics.actions].reshape(shape[:3])
    return np.diff(summed, axis=-1, prepend=0), means


def test_chances_are_flat_dirichlet_and_mean_rewards_normal_around_one():
    env = BatchedEnv(TabularMDP(S, A), N)
    env.reset(seed=0)
    chances, means = processes(env)
    assert (chances >= 0).all()
    np.testing.assert_allclose(chances.sum(axis=-1), 1, atol=1e-12)
    assert chances.mean(axis=0) == pytest.approx(1 / S, abs=0.03)
    assert chances.var() == pytest.approx((S - 1) / (S**2 * (S + 1)), rel=0.03)  # Dirichlet(1)
    # One entry of a flat Dirichlet is Beta(1, S - 1): P(p > x) = (1 - x)^(S - 1).
    for x in (0.1, 0.3, 0.7):
        assert (chances > x).mean() == pytest.approx((1 - x) ** (S - 1), abs=0.005)
    assert means.mean() == pytest.approx(1, abs=0.02)
    assert means.std() == pytest.approx(1, abs=0.02)


def test_states_and_rewards_follow_the_process():
    env = BatchedEnv(TabularMDP(S, A, episodes=1, episode_steps=1000), 3)
    env.reset(seed=0)
    chances, means = processes(env)
    rng, state = np.random.default_rng(0), np.zeros(3, dtype=int)
    counts, paid = np.zeros_like(chances), np.zeros_like(means)
    squares = 0.0
    for _ in range(999):
        action = rng.integers(A, size=3)
        seen, rewards, *_ = env.step(action)
        following = seen[:, :S].argmax(axis=1)
        counts[np.arange(3), state, action, following] += 1
        paid[np.arange(3), state, action] += rewards - means[np.arange(3), state, action]
        squares += ((rewards - means[np.arange(3), state, action]) ** 2).sum()
        state = following
    visits = counts.sum(axis=-1)
    deviation = (counts - visits[..., None] * chances) / np.sqrt(visits[..., None] * chances * (1 - chances) + 1e-9)
    assert np.abs(deviation[visits > 30]).max() < 5
    assert np.abs(paid / np.sqrt(visits + 1e-9)).max() < 5
    assert squares / (999 * 3) == pytest.approx(1, abs=0.1)


def test_every_episode_starts_in_state_zero_and_the_process_stays_for_the_trial():
    env = BatchedEnv(TabularMDP(S, A, episodes=3, episode_steps=2), 5)
    env.reset(seed=0)
    before = processes(env)
    for step in range(1, 6):
        seen, _, terminated, truncated, _ = env.step(np.zeros(5, dtype=int))
        assert (seen[:, -1] == (step % 2 == 0)).all()
        if step % 2 == 0:
            assert (seen[:, 0] == 1).all()
        assert not (terminated | truncated).any()
    for ours, first in zip(processes(env), before):
        np.testing.assert_array_equal(ours, first)
    assert env.step(np.zeros(5, dtype=int))[2].all()
    assert (processes(env)[1] != before[1]).all()


def test_planning_with_a_bonus_beats_posterior_sampling_beats_no_memory_and_the_figures_are_the_stated_ones():
    dynamics = TabularMDP()
    planned, sampled, without = (
        play(BatchedEnv(dynamics, 1024), player(dynamics, 1024), seed=1).mean()
        for player in (TabularMDPOracle, TabularMDPPosteriorSampling, TabularMDPMemoryless)
    )
    assert planned == pytest.approx(152, abs=4)
    assert sampled == pytest.approx(133.5, abs=4)
    assert without == pytest.approx(104, abs=4)


def test_knowing_the_process_would_earn_about_218():
    env = BatchedEnv(TabularMDP(), 1024)
    env.reset(seed=0)
    chances, means = processes(env)
    value = np.zeros(means.shape[:2])
    for _ in range(10):
        value = (means + np.einsum("nsat,nt->nsa", chances, value)).max(axis=-1)
    assert 10 * value[:, 0].mean() == pytest.approx(218, abs=2)


def test_training_processes_are_never_held_out():
    sets = []
    for tasks in ("train", "held-out"):
        env = BatchedEnv(TabularMDP(S, A, tasks=tasks), N)
        env.reset(seed=0)
        sets.append(np.concatenate([part.reshape(N, -1) for part in processes(env)], axis=1))
    for entry, other in zip(sets[0].T, sets[1].T):
        assert np.intersect1d(entry, other).size == 0
        assert abs(np.corrcoef(entry, other)[0, 1]) < 0.1  # one seed, unrelated tasks


def test_wrong_arguments_are_refused():
    for name in ("states", "actions", "episodes", "episode_steps"):
        with pytest.raises(ValueError, match=f"{name} must be an integer of at least 1"):
            TabularMDP(**{name: 0})
    with pytest.raises(ValueError, match="take fewer"):
        TabularMDP(states=200, actions=5)
