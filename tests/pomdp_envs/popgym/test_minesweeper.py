import itertools

import numpy as np
import pytest

from pomdp_envs import BatchedEnv, SingleEnv
from pomdp_envs.popgym import MineSweeper
from pomdp_envs.popgym.minesweeper import CLEAR, MINE, VIEWED, WHAT

DIFFICULTIES = ["Easy", "Medium", "Hard"]


def counts_around(mines: np.ndarray) -> np.ndarray:
    """Count the mines on and around each square [rows, columns], one after the other."""
    around = np.zeros_like(mines)
    for row, column in np.ndindex(mines.shape):
        around[row, column] = mines[max(row - 1, 0) : row + 2, max(column - 1, 0) : column + 2].sum()
    return around


def inject(theirs, hidden):
    theirs.hidden_grid[:] = (hidden[:-2] & WHAT).reshape(theirs.dims)
    theirs.neighbor_grid[:] = counts_around((theirs.hidden_grid == MINE).astype(int))
    return 0


def policy(hidden, space):
    """Depending on where the mines are, avoid them and repetitions, them only, or nothing."""
    actions = space.sample()
    width = space.high[0, 1] + 1
    rng = np.random.default_rng(int(hidden.astype(np.int64).sum()))
    for column, squares in enumerate(hidden[:, :-2] & WHAT):
        kind = np.flatnonzero(squares == MINE).sum() % 3
        wanted = [squares == CLEAR, squares != MINE, squares >= 0][kind]
        actions[column] = np.divmod(rng.choice(np.flatnonzero(wanted)), width)
    return actions


@pytest.mark.parametrize("difficulty", DIFFICULTIES)
def test_it_agrees_with_popgym(assert_agrees_with_popgym, difficulty, episodes):
    ends = {"cleared": 0, "mine": 0, "time": 0}

    def count_ends(theirs, hidden):
        timeout = theirs.timestep == theirs.max_episode_length - 1
        ends["cleared"] += hidden[-2] == 0
        ends["time"] += timeout and hidden[-2] > 0

    def cheat(hidden, space):
        actions = policy(hidden, space)
        squares = actions[:, 0] * (space.high[0, 1] + 1) + actions[:, 1]
        ends["mine"] += (hidden[np.arange(len(hidden)), squares] & WHAT == MINE).sum()
        return actions

    assert_agrees_with_popgym(f"MineSweeper{difficulty}", inject, episodes, count_ends, cheat)
    assert min(ends.values()) >= 5, ends


def with_mines(env: SingleEnv, mines: np.ndarray) -> None:
    """Start an episode with these mines [rows, columns]."""
    env.reset(seed=0)
    state = env.get_state()
    state["hidden"][0, :-2] = (mines + 4 * counts_around(mines)).ravel()
    env.set_state(state)


def test_squares_pay_once_repetitions_cost_and_a_mine_ends_the_episode():
    env = SingleEnv(MineSweeper(rows=2, columns=3, mines=2))
    with_mines(env, np.array([[1, 0, 0], [1, 0, 0]]))
    squares = [[0, 1], [0, 2], [0, 2], [1, 0]]
    expected = [(2, 1 / 4, False), (0, 1 / 4, False), (0, -0.25, False), (2, -0.75, True)]
    assert [env.step(np.array(square))[:3] for square in squares] == expected
    assert env.dynamics.text(env.hidden_state()) == "*20\n*.."


@pytest.mark.parametrize(("last", "end"), [([0, 2], (True, False)), ([1, 1], (False, True)), ([0, 0], (True, False))])
def test_the_last_step_is_truncated_only_where_it_does_not_end_the_episode(last, end):
    env = SingleEnv(MineSweeper(rows=2, columns=3, mines=2))
    with_mines(env, np.array([[1, 0, 0], [1, 0, 0]]))
    for square in ([0, 1], [1, 1], [1, 2]):
        assert env.step(np.array(square))[2:4] == (False, False)
    assert env.step(np.array(last))[2:4] == end


@pytest.mark.parametrize(("rows", "columns", "mines"), [(3, 3, 2), (2, 4, 3)])
def test_all_sets_of_mines_are_equally_likely(rows, columns, mines):
    env = BatchedEnv(MineSweeper(rows, columns, mines), 20_000)
    env.reset(seed=0)
    fields = env.hidden_state()[:, :-2]
    for field in fields[:200]:
        mined = (field & WHAT == MINE).reshape(rows, columns).astype(int)
        np.testing.assert_array_equal(field.reshape(rows, columns) >> 2, counts_around(mined))
    codes = (fields & WHAT == MINE) @ (1 << np.arange(rows * columns))
    possible = [
        sum(1 << square for square in squares) for squares in itertools.combinations(range(rows * columns), mines)
    ]
    counts = np.array([(codes == code).sum() for code in possible])
    assert counts.sum() == 20_000
    mean = 20_000 / len(possible)
    assert ((counts - mean) ** 2 / mean).sum() < len(possible) + 4 * np.sqrt(2 * len(possible))


def test_clearing_the_field_without_repetition_gives_one():
    env = SingleEnv(MineSweeper(4, 4, 2))
    env.reset(seed=3)
    clear = np.flatnonzero(env.hidden_state()[:-2] & WHAT == CLEAR)
    results = [env.step(np.array(divmod(int(square), 4))) for square in clear]
    assert sum(result[1] for result in results) == pytest.approx(1)
    assert results[-1][2:4] == (True, False)
    assert (env.hidden_state()[clear] & WHAT == VIEWED).all()


def test_fields_without_room_are_refused():
    with pytest.raises(ValueError, match="3 squares must be without mines"):
        MineSweeper(2, 2, 2)
    for name in ("rows", "columns", "mines"):
        with pytest.raises(ValueError, match=f"{name} must be an integer of at least 1, not 1.5"):
            MineSweeper(**{name: 1.5})
