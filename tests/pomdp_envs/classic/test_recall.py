import itertools

import numpy as np
import pytest

from pomdp_envs import BatchedEnv, SingleEnv
from pomdp_envs.classic import Recall
from pomdp_envs.oracles.recall import RecallOracle
from pomdp_envs.players import play


def test_items_then_distractors_then_cues_and_each_right_answer_pays_its_share():
    env = SingleEnv(Recall(num_items=2, delay=3, num_symbols=5, num_distractors=2))
    env.reset(seed=0)
    state = env.get_state()
    state["hidden"][0, 2:] = [4, 1]
    env.set_state(state)
    assert env.dynamics.observe(env.hidden_state()[:, None]).tolist() == [4]
    steps = [env.step(action) for action in (4, 1, 4, 1, 4, 4, 0)]
    seen = [step[0] for step in steps]
    assert seen[0] == 1
    assert set(seen[1:4]) <= {5, 6}
    assert seen[4:] == [7, 7, 7]
    assert [step[1] for step in steps] == [0, 0, 0, 0, 0, 0.5, 0]
    assert [step[2] for step in steps] == [False] * 6 + [True]
    assert not any(step[3] for step in steps)


def test_without_delay_the_cue_follows_the_last_item():
    env = SingleEnv(Recall(num_items=1, delay=0, num_symbols=2, num_distractors=1))
    first, _ = env.reset(seed=0)
    assert first < 2
    assert env.step(1 - first)[:3] == (3, 0.0, False)
    assert env.step(first)[:3] == (3, 1.0, True)


def test_items_and_distractors_are_equally_likely():
    dynamics = Recall(num_items=2, delay=3, num_symbols=4, num_distractors=5)
    grid = np.array(list(itertools.product(np.linspace(0, 1, 8, endpoint=False), repeat=2))).T
    start = dynamics.initial(grid)
    _, counts = np.unique(start[2:], axis=1, return_counts=True)
    assert counts.tolist() == [4] * 16
    state = np.repeat(start[:, :1], 100, axis=1)
    state[0] = 1
    state, *_ = dynamics.transition(state, np.zeros(100, dtype=int), np.linspace(0, 1, 100, endpoint=False)[None])
    assert np.bincount(dynamics.observe(state), minlength=9).tolist() == [0, 0, 0, 0, 20, 20, 20, 20, 20]


@pytest.mark.parametrize(("num_items", "delay", "num_symbols"), [(1, 0, 2), (3, 2, 2), (2, 1, 4)])
def test_every_memoryless_answer_gives_the_stated_return_since_all_cues_are_one_observation(
    num_items, delay, num_symbols
):
    dynamics = Recall(num_items, delay, num_symbols)
    items = np.array(list(itertools.product(range(num_symbols), repeat=num_items))).T
    for answer in range(num_symbols):
        columns = items.shape[1]
        state = np.concatenate([np.zeros((2, columns), dtype=int), items])
        total = np.zeros(columns)
        for step in range(2 * num_items + delay):
            if step >= dynamics.first_cue:
                assert (dynamics.observe(state) == dynamics.cue).all()
            state, reward, ended = dynamics.transition(state, np.full(columns, answer), np.zeros((1, columns)))
            assert step >= dynamics.first_cue or not reward.any()
            total += reward
        assert ended.all()
        assert total.mean() == pytest.approx(dynamics.memoryless_return, abs=1e-12)
        assert total.max() == pytest.approx(dynamics.optimal_return)


@pytest.mark.parametrize("arguments", [(1, 0, 2, 1), (5, 0, 8, 3), (4, 20, 3, 1)])
def test_the_oracle_recalls_every_list(arguments):
    dynamics = Recall(*arguments)
    np.testing.assert_allclose(play(BatchedEnv(dynamics, 64), RecallOracle(dynamics, 64)), dynamics.optimal_return)


def test_impossible_lists_are_refused():
    for wrong in ({"num_items": 0}, {"delay": -1}, {"num_symbols": 1}, {"num_distractors": 0}, {"delay": 1.5}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            Recall(**wrong)
