import numpy as np
import pytest

from pomdp_envs import BatchedEnv, SingleEnv
from pomdp_envs.popgym import Battleship
from pomdp_envs.popgym.battleship import GUESSED, SHIP, pick, ship_places

DIFFICULTIES = ["Easy", "Medium", "Hard"]


def inject(theirs, hidden):
    theirs.board[:] = (hidden[:-2] & SHIP).reshape(theirs.board.shape)
    theirs.guesses[:] = 0
    theirs.hits = 0
    return theirs.last_obs


def policy(hidden, space):
    """Depending on where the ships are, hit often, sometimes or by chance."""
    actions = space.sample()
    board_size = round((hidden.shape[1] - 2) ** 0.5)
    rng = np.random.default_rng(int(hidden.sum()))
    for column, cells in enumerate(hidden[:, :-2]):
        left = np.flatnonzero(cells == SHIP)
        kind = np.flatnonzero(cells & SHIP).sum() % 3
        if rng.random() < [0.6, 0.1, 0][kind]:
            actions[column] = np.divmod(rng.choice(left), board_size)
    return actions


@pytest.mark.parametrize("difficulty", DIFFICULTIES)
def test_it_agrees_with_popgym(assert_agrees_with_popgym, difficulty, episodes):
    ends = {"sunk": 0, "time": 0}

    def count_ends(theirs, hidden):
        sunk = hidden[-2] == theirs.needed_hits
        ends["sunk"] += sunk
        ends["time"] += not sunk and theirs.num_steps == theirs.max_episode_length - 1

    assert_agrees_with_popgym(f"Battleship{difficulty}", inject, episodes, count_ends, policy)
    assert min(ends.values()) >= 5, ends


def test_a_hit_counts_once_and_the_last_one_ends_the_episode():
    env = SingleEnv(Battleship(board_size=4, ship_sizes=(2,)))
    env.reset(seed=0)
    state = env.get_state()
    state["hidden"][0] = 0
    state["hidden"][0, [4, 8]] = SHIP  # rows 1 and 2, column 0
    env.set_state(state)
    guesses = [[0, 0], [1, 0], [1, 0], [2, 0]]
    expected = [(0, -1 / 14, False), (1, 1 / 2, False), (0, -1 / 14, False), (1, 1 / 2, True)]
    assert [env.step(np.array(guess))[:3] for guess in guesses] == expected
    assert env.dynamics.text(env.hidden_state()) == "o...\nX...\nX...\n...."


def test_the_time_limit_cuts_also_where_the_last_guess_sinks_the_last_ship():
    env = SingleEnv(Battleship(board_size=3, ship_sizes=(1,)))
    env.reset(seed=0)
    ship = np.flatnonzero(env.hidden_state()[:-2] == SHIP)[0]
    for _ in range(8):
        assert env.step(np.divmod((ship + 1) % 9, 3))[2:4] == (False, False)
    assert env.step(np.divmod(ship, 3))[2:4] == (True, True)


def test_the_places_of_a_ship_are_the_rows_and_columns_it_fits_in():
    places = ship_places(3, 2)
    assert sorted(map(tuple, places.tolist())) == sorted(
        [(0, 1), (1, 2), (3, 4), (4, 5), (6, 7), (7, 8), (0, 3), (3, 6), (1, 4), (4, 7), (2, 5), (5, 8)]
    )


def popgyms_place_chances(board: np.ndarray, size: int) -> dict[tuple[int, ...], float]:
    """The exact distribution of popgym's rejection sampling: all its draws of a start and a direction, those valid kept."""
    n = len(board)
    chances: dict[tuple[int, ...], float] = {}
    for start in np.ndindex(n, n):
        for axis in range(2):
            for sign in (1, -1):
                end = list(start)
                end[axis] += sign * (size - 1)
                low, high = np.minimum(start, end), np.maximum(start, end)
                if low.min() < 0 or high.max() >= n or board[low[0] : high[0] + 1, low[1] : high[1] + 1].any():
                    continue
                cells = np.arange(n * n).reshape(n, n)[low[0] : high[0] + 1, low[1] : high[1] + 1]
                key = tuple(cells.ravel().tolist())
                chances[key] = chances.get(key, 0) + 1
    total = sum(chances.values())
    return {key: count / total for key, count in chances.items()}


@pytest.mark.parametrize("size", [1, 2, 3])
def test_each_ship_has_exactly_popgyms_distribution_given_the_earlier_ones(size):
    board = np.zeros((4, 4), dtype=int)
    board[1, 1:3] = 1
    chances = popgyms_place_chances(board, size)
    places = ship_places(4, size)
    allowed = ~board.ravel()[places].astype(bool).any(axis=1)
    ours: dict[tuple[int, ...], float] = {}
    for place in places[allowed]:
        ours[tuple(place.tolist())] = ours.get(tuple(place.tolist()), 0) + 1 / allowed.sum()
    assert ours == pytest.approx(chances)


def test_picking_gives_each_allowed_entry_an_equal_part_of_the_numbers():
    allowed = np.array([[True, False, True, True, False]])
    numbers = (np.arange(300) + 0.5) / 300
    picked = pick(allowed.repeat(300, axis=0), numbers)
    assert np.bincount(picked, minlength=5).tolist() == [100, 0, 100, 100, 0]
    assert pick(allowed, np.array([1 - 2**-53])).tolist() == [3]


def test_boards_of_two_ships_are_as_frequent_as_in_popgym():
    """All pairs of places on a small board, against their exact chances."""
    dynamics = Battleship(board_size=3, ship_sizes=(2, 1))
    env = BatchedEnv(dynamics, 20_000)
    env.reset(seed=0)
    hidden = env.hidden_state()[:, :9]
    codes = hidden @ (1 << np.arange(9))
    expected: dict[int, float] = {}
    for first, chance in popgyms_place_chances(np.zeros((3, 3), dtype=int), 2).items():
        board = np.zeros(9, dtype=int)
        board[list(first)] = 1
        for second, next_chance in popgyms_place_chances(board.reshape(3, 3), 1).items():
            code = sum(1 << cell for cell in {*first, *second})
            expected[code] = expected.get(code, 0) + chance * next_chance
    assert set(np.unique(codes).tolist()) == set(expected)
    counts = np.array([(codes == code).sum() for code in expected])
    means = 20_000 * np.array(list(expected.values()))
    assert ((counts - means) ** 2 / means).sum() < len(means) + 4 * np.sqrt(2 * len(means))


@pytest.mark.parametrize("difficulty", DIFFICULTIES)
def test_the_ships_never_cross(difficulty):
    size = {"Easy": 8, "Medium": 10, "Hard": 12}[difficulty]
    env = BatchedEnv(Battleship(board_size=size), 500)
    env.reset(seed=1)
    assert (env.hidden_state()[:, :-2].sum(axis=1) == 12).all()
    assert env.hidden_state().max() == SHIP
    assert GUESSED == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"board_size": 0}, "board_size must be an integer of at least 1"),
        ({"ship_sizes": ()}, "must name one ship"),
        ({"ship_sizes": (2, 2.5)}, "each of ship_sizes must be an integer"),
        ({"board_size": 3, "ship_sizes": (4,)}, "may not fit"),
        ({"board_size": 4, "ship_sizes": (4, 4, 4)}, "may not fit"),
        ({"board_size": 1, "ship_sizes": (1,)}, "fill the whole board"),
    ],
)
def test_boards_without_room_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        Battleship(**arguments)
