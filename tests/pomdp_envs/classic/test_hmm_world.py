import itertools

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.error import ResetNeeded
from gymnasium.vector import AutoresetMode
from hypothesis import given, settings
from hypothesis import strategies as st

from pomdp_envs import BatchedEnv
from pomdp_envs.classic import HMMWorld
from pomdp_envs.classic.hmm_optimum import best_guesses
from pomdp_envs.oracles.hmm_world import HMMMemoryless, HMMOracle
from pomdp_envs.players import play

ID = "pomdp_envs/HMMWorld-v0"
CHAIN = [[0.7, 0.3], [0.2, 0.8]]
EMISSION = [[0.5, 0.4, 0.1], [0.1, 0.3, 0.6]]
START = [0.25, 0.75]


def paths(world: HMMWorld, symbols: tuple[int, ...], further: int = 0) -> np.ndarray:
    """P(the symbols, last state) [K], summed over all paths of states one by one; the last state `further` on."""
    total = np.zeros(world.states)
    for path in itertools.product(range(world.states), repeat=len(symbols) + further):
        chance = world.start[path[0]]
        for before, after in itertools.pairwise(path):
            chance *= world.chain[before, after]
        for state, symbol in zip(path, symbols, strict=False):
            chance *= world.emission[state, symbol]
        total[path[-1]] += chance
    return total


def brute_belief(world: HMMWorld, symbols: list[int]) -> np.ndarray:
    joint = paths(world, tuple(symbols))
    return joint / joint.sum()


@pytest.mark.parametrize("mode", list(AutoresetMode))
def test_the_belief_is_that_of_all_paths_along_episodes_and_over_resets_in_every_autoreset_mode(mode):
    arguments = {"transition": CHAIN, "emission": EMISSION, "start": START, "episode_length": 5}
    env = gym.make_vec(ID, num_envs=3, autoreset_mode=mode, **arguments)
    world = env.unwrapped.dynamics
    observation, _ = env.reset(seed=1)
    history = [[symbol] for symbol in observation]
    ended = np.zeros(3, dtype=bool)
    for step in range(23):
        belief = env.unwrapped.belief()
        assert belief.shape == (3, 2)
        assert belief.dtype == np.float64
        for column in range(3):
            np.testing.assert_allclose(belief[column], brute_belief(world, history[column]), atol=1e-13)
        if mode is AutoresetMode.DISABLED and ended.any():
            observation, _ = env.reset(options={"reset_mask": ended})
            history = [[observation[i]] if ended[i] else history[i] for i in range(3)]
            ended[:] = False
            continue
        if step == 7 and mode is not AutoresetMode.DISABLED:  # bring the columns out of step
            observation, _ = env.reset(options={"reset_mask": np.array([True, False, False])})
            history[0] = [observation[0]]
            ended[0] = False
            continue
        restarts = ended
        observation, _, terminated, truncated, _ = env.step(np.zeros(3, dtype=int))
        assert not truncated.any()
        ended = terminated.copy()
        if mode is AutoresetMode.SAME_STEP:
            restarts = ended
        history = [[observation[i]] if restarts[i] else [*history[i], observation[i]] for i in range(3)]
        if mode is AutoresetMode.SAME_STEP:
            ended = np.zeros(3, dtype=bool)


def test_both_views_have_the_belief_and_it_is_the_same_to_the_last_bit():
    single, batch = gym.make(ID), gym.make_vec(ID, num_envs=5)
    with pytest.raises(ResetNeeded):
        single.unwrapped.belief()
    single.reset(seed=8)
    batch.reset(seed=6)
    for step in range(99):
        assert single.unwrapped.belief().shape == (3,)
        np.testing.assert_array_equal(single.unwrapped.belief(), batch.unwrapped.belief()[2])
        single.step(step % 3)
        batch.step(np.full(5, step % 3))


def test_the_belief_travels_with_the_state_and_is_a_copy():
    env, twin = gym.make_vec(ID, num_envs=3).unwrapped, gym.make_vec(ID, num_envs=3).unwrapped
    env.reset(seed=0)
    for _ in range(40):
        env.step(np.zeros(3, dtype=int))
    env.belief()[:] = 0
    twin.set_state(env.get_state())
    for _ in range(80):
        np.testing.assert_array_equal(env.belief(), twin.belief())
        np.testing.assert_allclose(env.belief().sum(axis=1), 1, atol=1e-12)
        env.step(np.zeros(3, dtype=int))
        twin.step(np.zeros(3, dtype=int))


def test_the_belief_says_how_often_each_state_is_the_true_one():
    env = gym.make_vec(ID, num_envs=2000).unwrapped
    env.reset(seed=0)
    beliefs, states = [], []
    for _ in range(20):
        env.step(np.zeros(2000, dtype=int))
        beliefs.append(env.belief())
        states.append(env.hidden_state()[:, 1].astype(int))
    belief, right = np.concatenate(beliefs).ravel(), np.eye(3)[np.concatenate(states)].ravel()
    for low in np.arange(0, 1, 0.1):
        inside = (belief >= low) & (belief < low + 0.1)
        assert abs(belief[inside].mean() - right[inside].mean()) < 0.02


@pytest.mark.parametrize("next_state", [False, True])
def test_the_reward_is_a_share_for_the_present_or_the_next_state(next_state):
    world = HMMWorld(CHAIN, EMISSION, episode_length=4, next_state=next_state)
    state = np.zeros((5, 4))
    state[1] = [0, 0, 1, 1]
    state[3:] = 0.5
    uniforms = np.array([[0.69, 0.7, 0.19, 0.2], [0.89, 0.9, 0.5, 0.05]])
    following, reward, ended = world.transition(state, np.zeros(4, dtype=int), uniforms)
    assert following[1].tolist() == [0, 1, 0, 1]
    assert following[2].tolist() == [1, 2, 1, 0]
    assert reward.tolist() == ([0.25, 0, 0.25, 0] if next_state else [0.25, 0.25, 0, 0])
    assert not ended.any()


def test_the_start_is_drawn_as_stated():
    world = HMMWorld(CHAIN, EMISSION, START)
    grid = np.array(list(itertools.product((np.arange(20) + 0.5) / 20, repeat=2))).T
    start = world.initial(grid)
    counts = np.zeros((2, 3))
    np.add.at(counts, (start[1].astype(int), start[2].astype(int)), 1 / 400)
    np.testing.assert_allclose(counts, np.array(START)[:, None] * EMISSION, atol=1e-9)


def test_what_has_no_probability_never_happens():
    world = HMMWorld([[0.1] * 10 + [0.0]] * 11, np.eye(11), [0.1] * 10 + [0.0])
    below_one = np.full((2, 1), 1 - 2.0**-53)
    state = world.initial(below_one)
    assert state[1] == 9
    state, *_ = world.transition(state, np.array([0]), below_one)
    assert state[1:3, 0].tolist() == [9, 9]


@pytest.mark.parametrize("next_state", [False, True])
@pytest.mark.parametrize("start", [START, None])
def test_the_stated_optimum_is_that_over_all_histories(next_state, start):
    world = HMMWorld(CHAIN, EMISSION, start, episode_length=5, next_state=next_state)
    expected = 0.0
    for length in range(1, 6):
        for symbols in itertools.product(range(3), repeat=length):
            expected += paths(world, symbols, further=int(next_state)).max() / 5
    assert world.optimal_return == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("next_state", [False, True])
@pytest.mark.parametrize("start", [START, [1.0, 0.0]])
def test_the_stated_memoryless_return_is_the_best_of_all_tables(next_state, start):
    world = HMMWorld(CHAIN, EMISSION, start, episode_length=4, next_state=next_state)
    best = 0.0
    for table in itertools.product(range(2), repeat=3):
        total = 0.0
        for length in range(1, 5):
            for symbols in itertools.product(range(3), repeat=length):
                total += paths(world, symbols, further=int(next_state))[table[symbols[-1]]] / 4
        best = max(best, total)
    assert world.memoryless_return == pytest.approx(best, abs=1e-12)


def spread(joint: np.ndarray, grid: int) -> np.ndarray:
    """Move the beliefs of rows [H, 3] to corners of the triangles around them, with the same mean.

    The player is told a corner, and so knows more than before: what it can get is an upper bound.
    Source: Lovejoy (1991), "Computationally feasible bounds for partially observed Markov decision processes".
    """
    weight = joint.sum(axis=1)
    tail = grid * joint[:, ::-1].cumsum(axis=1)[:, ::-1] / weight[:, None]  # [H, 3], falling from grid
    corner = np.floor(tail[:, 1:] + 1e-9).astype(int)  # [H, 2]
    rest = (tail[:, 1:] - corner).round(9).clip(0, 1)  # nothing is moved outside by rounding
    first = (rest[:, 1] > rest[:, 0]).astype(int)
    rows = np.arange(len(joint))
    shares = [1 - rest.max(axis=1), rest.max(axis=1) - rest.min(axis=1), rest.min(axis=1)]
    corners = [corner.copy(), corner.copy(), corner + 1]
    corners[1][rows, first] += 1
    mass = np.zeros((grid + 2, grid + 2))
    for where, share in zip(corners, shares, strict=True):
        np.add.at(mass, (where[:, 0], where[:, 1]), share * weight)
    left, right = np.nonzero(mass)
    return np.stack([grid - left, left - right, right], axis=1) / grid * mass[left, right][:, None]


def upper_bound(world: HMMWorld, grid: int) -> float:
    joint, total = world.start * world.emission.T, 0.0
    for _ in range(world.episode_length):
        total += joint.max(axis=1).sum()
        joint = spread(((joint @ world.chain)[:, None] * world.emission.T).reshape(-1, 3), grid)
    return total / world.episode_length


def test_the_optimum_of_the_default_lies_in_a_narrow_bracket():
    world = HMMWorld()
    lower, upper = world.optimal_return, upper_bound(world, 100)
    assert lower < upper < lower + 3e-4
    assert lower == pytest.approx(0.849, abs=5e-4)
    assert world.memoryless_return == pytest.approx(0.7)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**31), states=st.integers(1, 4), symbols=st.integers(1, 4), next_state=st.booleans())
def test_in_any_world_the_filter_is_worth_at_least_what_no_memory_is_and_at_most_one(seed, states, symbols, next_state):
    rng = np.random.default_rng(seed)
    chain = rng.dirichlet(np.ones(states), size=states)
    world = HMMWorld(chain, rng.dirichlet(np.ones(symbols), size=states), None, 6, next_state)
    assert world.memoryless_return <= world.optimal_return + 1e-12 <= 1 + 1e-9
    returns = play(BatchedEnv(world, 400), HMMOracle(world, 400), seed=seed)
    assert abs(returns.mean() - world.optimal_return) < 5 * returns.std() / 20 + 1e-9
    assert play(BatchedEnv(world, 10), HMMMemoryless(world, 10)).shape == (10,)


def test_merging_beliefs_costs_next_to_nothing_where_both_can_be_computed(monkeypatch):
    world = HMMWorld(episode_length=8)
    monkeypatch.setattr("pomdp_envs.classic.hmm_optimum.EXACT", 20_000)
    exact = best_guesses(world.start, world.chain, world.emission, 8, False)
    monkeypatch.setattr("pomdp_envs.classic.hmm_optimum.EXACT", 50)
    merged = best_guesses(world.start, world.chain, world.emission, 8, False)
    assert exact - 1e-4 < merged < exact + 1e-12


def test_where_the_histories_are_too_many_no_optimum_is_stated():
    rng = np.random.default_rng(0)
    many = HMMWorld(rng.dirichlet(np.ones(12), size=12), rng.dirichlet(np.ones(30), size=12))
    assert many.optimal_return is None
    assert 0 < many.memoryless_return < 1


def test_wrong_matrices_are_refused():
    for wrong in (
        {"transition": [[0.5, 0.4], [0.5, 0.5]]},
        {"transition": [[1.5, -0.5], [0.5, 0.5]]},
        {"transition": [[0.5, 0.5]]},
        {"transition": [0.5, 0.5]},
        {"transition": [[np.nan, 0.5], [0.5, 0.5]]},
        {"emission": [[0.5, 0.5], [0.3, 0.7]]},
        {"emission": [[0.5, 0.6]] * 3},
        {"start": [0.5, 0.5]},
        {"start": [0.5, 0.6, 0.0]},
        {"episode_length": 0},
    ):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            HMMWorld(**wrong)


def test_with_many_states_a_column_is_what_it_is_alone_to_the_last_bit():
    rng = np.random.default_rng(0)
    arguments = {"transition": rng.dirichlet(np.ones(12), 12), "emission": rng.dirichlet(np.ones(5), 12)}
    batch = gym.make_vec(ID, num_envs=9, **arguments)
    alone = gym.make_vec(ID, num_envs=1, **arguments)
    batch.reset(seed=0)
    alone.reset(seed=8)
    for step in range(20):
        batch.step(np.full(9, step % 12))
        alone.step(np.full(1, step % 12))
        np.testing.assert_array_equal(batch.unwrapped.hidden_state()[8], alone.unwrapped.hidden_state()[0])
