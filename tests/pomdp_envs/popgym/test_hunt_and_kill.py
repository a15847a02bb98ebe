import random
from collections import Counter

import numpy as np
import pytest
from mazelib import Maze
from mazelib.generate.HuntAndKill import HuntAndKill as Theirs

from pomdp_envs.popgym.hunt_and_kill import FREE, HuntAndKill

MAZES = 1500


def ours(cells: int, mazes: int = MAZES) -> tuple[np.ndarray, list[tuple[int, int]]]:
    """Grids [mazes, width, width], and start and end of each."""
    maze = HuntAndKill(cells)
    uniforms = np.random.default_rng(0).random((maze.draws, mazes))
    start, end = maze.entrances(uniforms[-3:])
    return maze.grids(uniforms[:-3]).T.reshape(mazes, maze.width, maze.width), list(zip(start.tolist(), end.tolist()))


def theirs(cells: int, mazes: int = MAZES) -> tuple[np.ndarray, list[tuple[int, int]]]:
    random.seed(0)
    np.random.seed(0)  # noqa: NPY002 (mazelib draws from both)
    grids, entrances = [], []
    for _ in range(mazes):
        maze = Maze()
        maze.generator = Theirs(cells, cells)
        maze.generate()
        maze.generate_entrances(start_outer=True)
        grids.append(maze.grid)
        entrances.append(tuple(row * len(maze.grid) + column for row, column in (maze.start, maze.end)))
    return np.stack(grids), entrances


def assert_same_distribution(one: list, other: list) -> None:
    """Chi-square test of two samples of equal size; outcomes seen fewer than 10 times are put together."""
    first, second = Counter(one), Counter(other)
    pairs = [(first[outcome], second[outcome]) for outcome in first | second]
    common = [pair for pair in pairs if sum(pair) >= 10]
    rare = np.sum([pair for pair in pairs if sum(pair) < 10], axis=0)
    common += [tuple(rare)] if np.sum(rare) > 0 else []
    statistic = sum((a - b) ** 2 / (a + b) for a, b in common)
    freedom = len(common) - 1
    assert freedom > 0
    assert statistic < freedom + 4 * np.sqrt(2 * freedom), (statistic, freedom)


def dead_ends(grids: np.ndarray) -> np.ndarray:
    """Count the cells with one open side, [mazes]."""
    free = grids == FREE
    sides = free[:, :-1:2, 1::2] * 1 + free[:, 2::2, 1::2] + free[:, 1::2, :-1:2] + free[:, 1::2, 2::2]
    return (sides == 1).sum(axis=(1, 2))


def test_the_smallest_mazes_are_as_frequent_as_mazelibs():
    mine, _ = ours(3, 4000)
    reference, _ = theirs(3, 4000)
    assert_same_distribution([grid.tobytes() for grid in mine], [grid.astype(np.uint8).tobytes() for grid in reference])


@pytest.mark.parametrize("cells", [5, 7])
def test_larger_mazes_have_mazelibs_walls_dead_ends_and_entrances(cells):
    mine, my_entrances = ours(cells)
    reference, their_entrances = theirs(cells)
    chance, their_chance = mine.mean(axis=0), reference.mean(axis=0)
    error = np.sqrt((chance * (1 - chance) + their_chance * (1 - their_chance)) / MAZES)
    assert (abs(chance - their_chance) <= 4.5 * error).all()
    assert_same_distribution(dead_ends(mine).tolist(), dead_ends(reference).tolist())
    for which in range(2):
        assert_same_distribution([pair[which] for pair in my_entrances], [pair[which] for pair in their_entrances])


@pytest.mark.parametrize("cells", [3, 5, 9])
def test_a_maze_is_one_tree_of_all_its_cells(cells):
    for grid in ours(cells, 200)[0]:
        free = grid == FREE
        assert free[1::2, 1::2].all()
        assert not free[[0, -1]].any()
        assert not free[:, [0, -1]].any()
        assert not free[::2, ::2].any()
        assert free.sum() == 2 * cells**2 - 1  # as many passages as a tree has
        reached = np.zeros_like(free)
        reached[1, 1] = True
        for _ in range(free.sum()):
            reached[1:] |= reached[:-1] & free[1:]
            reached[:-1] |= reached[1:] & free[:-1]
            reached[:, 1:] |= reached[:, :-1] & free[:, 1:]
            reached[:, :-1] |= reached[:, 1:] & free[:, :-1]
        assert (reached == free).all()


def test_the_end_is_in_the_wall_opposite_to_the_start():
    for start, end in ours(5, 300)[1]:
        (row, column), (end_row, end_column) = divmod(start, 11), divmod(end, 11)
        assert {row, end_row} == {0, 10} or {column, end_column} == {0, 10}


def test_too_few_hunts_leave_cells_closed_as_in_mazelib():
    """If every hunt finds the first cell, the walk's dead end is the end."""
    maze = HuntAndKill(3)
    grid = maze.grids(np.zeros((maze.draws - 3, 1))).reshape(7, 7)
    # From the upper left cell the first open direction of (up, down, left, right) is taken each time.
    assert "\n".join("".join(" #"[square] for square in row) for row in grid) == "\n".join(
        ["#######", "# #   #", "# # # #", "# # # #", "# # # #", "#   # #", "#######"]
    )
