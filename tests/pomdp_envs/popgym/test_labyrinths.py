import numpy as np
import pytest

from pomdp_envs import BatchedEnv, SingleEnv
from pomdp_envs.popgym import LabyrinthEscape, LabyrinthExplore
from pomdp_envs.popgym.hunt_and_kill import FREE, OBSTACLE
from pomdp_envs.popgym.labyrinth import (
    CONTENT,
    DOWN,
    GOAL,
    LEFT,
    NO_ACTION,
    RIGHT,
    START,
    UP,
    VISITED,
    Labyrinth,
    step_targets,
)

DIFFICULTIES = ["Easy", "Medium", "Hard"]
CELLS = {"Easy": 5, "Medium": 7, "Hard": 9}


def inject(theirs, hidden):
    grid = (hidden[: theirs.maze.grid.size] & CONTENT).reshape(theirs.maze.grid.shape)
    theirs.maze.grid[:] = grid
    theirs.position = theirs.maze.start = tuple(np.argwhere(grid == START)[0].tolist())
    theirs.explored[:] = 0
    theirs.explored[theirs.position] = 1
    theirs.pos_reward_scale = 1 / (grid == FREE).sum()
    return theirs.get_obs(NO_ACTION)


def nearest(squares: np.ndarray, square: int, targets: np.ndarray) -> int | None:
    """The first action of a shortest way from the square to one of the targets (bool [squares])."""
    ways = step_targets(round(len(squares) ** 0.5))
    first_action, edge = {square: None}, [square]
    for place in edge:
        if targets[place]:
            return first_action[place]
        for action in range(4):
            following = int(ways[action, place])
            if following not in first_action and squares[following] != OBSTACLE:
                first_action[following] = action if place == square else first_action[place]
                edge.append(following)
    return None


def policy(wanted: int, cells: int):
    """In every third maze walk to squares of the wanted content, with a few random steps; otherwise at random."""
    size = (2 * cells + 1) ** 2

    def act(hidden, space):
        actions = space.sample()
        squares = hidden[:, :size].astype(np.int64)
        clever = (squares == OBSTACLE) @ np.arange(size) // 8 % 3 == 0
        clever &= (hidden[:, -2] + actions) % 7 > 0
        for column in np.flatnonzero(clever):
            step = nearest(squares[column], int(hidden[column, -2]), squares[column] == wanted)
            actions[column] = actions[column] if step is None else step
        return actions

    return act


@pytest.mark.parametrize("difficulty", DIFFICULTIES)
@pytest.mark.parametrize(("name", "wanted"), [("LabyrinthEscape", GOAL), ("LabyrinthExplore", FREE)])
def test_it_agrees_with_popgym(assert_agrees_with_popgym, name, wanted, difficulty, episodes):
    reached, cut = 0, 0

    def count_ends(theirs, hidden):
        nonlocal reached, cut
        squares = hidden[: theirs.maze.grid.size]
        end = squares[hidden[-2]] == GOAL if wanted == GOAL else hidden[-3] == 0
        reached += end
        cut += not end and theirs.curr_step == theirs.max_episode_length - 2

    assert_agrees_with_popgym(f"{name}{difficulty}", inject, episodes, count_ends, policy(wanted, CELLS[difficulty]))
    assert reached >= 5
    assert cut >= 5


MAZE = [
    "#######",
    "S     #",
    "# ### #",
    "# #   #",
    "# ### G",
    "#   # #",
    "#######",
]
START_SQUARE, GOAL_SQUARE = 7, 34


def placed(dynamics: Labyrinth, square: int = START_SQUARE) -> SingleEnv:
    """An environment in this maze with the agent on the square."""
    contents = np.array([" #SG".index(symbol) for symbol in "".join(MAZE)])
    if isinstance(dynamics, LabyrinthExplore):
        contents[GOAL_SQUARE] = OBSTACLE
    contents[START_SQUARE] = START | VISITED
    free = (contents == FREE).sum()
    further = [free, free] if isinstance(dynamics, LabyrinthExplore) else []
    env = SingleEnv(dynamics)
    env.reset(seed=0)
    state = env.get_state()
    state["hidden"][0] = [*contents, *further, square, NO_ACTION]
    env.set_state(state)
    return env


@pytest.mark.parametrize(
    ("square", "expected"),
    [
        (START_SQUARE, ["###", "S #", "# #"]),  # at the left edge, where walls stand for the third column
        (8, ["###", "S  ", "# #"]),
        (10, ["###", "   ", "###"]),
        (33, ["  #", "# G", "# #"]),
        (GOAL_SQUARE, [" ##", " G#", " ##"]),
    ],
)
def test_the_view_is_the_squares_around_the_agent(square, expected):
    env = placed(LabyrinthEscape(3), square)
    view = env.dynamics.observe(env.hidden_state()[:, None])[0]
    assert [" #SG"[content] for content in view[:9]] == list("".join(expected))
    assert view[9] == NO_ACTION


def test_the_start_is_at_the_edge_of_its_own_view_in_the_left_and_upper_walls_only():
    dynamics = LabyrinthEscape(3)
    env = BatchedEnv(dynamics, 200)
    observation, _ = env.reset(seed=0)
    row, column = np.divmod(env.hidden_state()[:, -2], 7)
    views = observation[:, :9].reshape(-1, 3, 3)
    down, right = np.where(row == 0, 0, 1), np.where(column == 0, 0, 1)
    assert (views[np.arange(200), down, right] == START).all()
    assert (views[(row == 0) | (row == 6), 2] == OBSTACLE).all()
    assert (views[(column == 0) | (column == 6), :, 2] == OBSTACLE).all()
    assert len(set(zip(down.tolist(), right.tolist(), strict=True))) == 3


def test_the_way_out_costs_a_step_each_and_pays_one_at_the_goal():
    env = placed(LabyrinthEscape(3, episode_length=64))
    steps = [env.step(action) for action in [LEFT, UP, *[RIGHT] * 5, DOWN, DOWN, DOWN]]
    assert [step[1] for step in steps] == [-1 / 64] * 10
    assert not any(step[2] or step[3] for step in steps)
    assert env.dynamics.text(env.hidden_state()) == "\n".join([*MAZE[:4], "# ###@G", *MAZE[5:]])
    assert env.step(RIGHT)[1:4] == (1 - 1 / 64, True, False)


def test_exploring_pays_each_square_once_and_ends_with_the_last():
    env = placed(LabyrinthExplore(3, episode_length=64))
    free = 17
    down, up, end = [DOWN] * 4, [UP] * 4, [RIGHT] * 4 + [DOWN] * 4
    path = [RIGHT, *down, RIGHT, RIGHT, LEFT, LEFT, *up, *end]
    pays = [1 / free] * 7 + [-1 / 64] * 6 + [1 / free] * 8
    for action, pay in zip(path, pays, strict=True):
        assert env.step(action)[1:4] == (pay, False, False)
    for action in (UP, UP, LEFT):
        _, reward, terminated, _, _ = env.step(action)
    assert (reward, terminated) == (1 / free, False)
    assert env.step(LEFT)[1:4] == (1 / free, True, False)


@pytest.mark.parametrize("dynamics", [LabyrinthEscape, LabyrinthExplore])
def test_an_episode_is_one_step_shorter_than_its_length(dynamics):
    env = placed(dynamics(3, episode_length=10))
    assert [env.step(LEFT)[3] for _ in range(9)] == [False] * 8 + [True]


def test_the_last_action_is_seen_also_when_it_led_into_a_wall():
    env = placed(LabyrinthEscape(3))
    for action in (UP, DOWN, LEFT, RIGHT):
        assert env.step(action)[0][9] == action
    assert env.hidden_state()[-2] == 8


@pytest.mark.parametrize("dynamics", [LabyrinthEscape, LabyrinthExplore])
def test_impossible_labyrinths_are_refused(dynamics):
    with pytest.raises(ValueError, match="cells must be an integer from 3 to 90"):
        dynamics(cells=2)
    with pytest.raises(ValueError, match="episode_length must be an integer of at least 2"):
        dynamics(episode_length=1)
