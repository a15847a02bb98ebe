"""Find the way out of an unknown labyrinth."""

import numpy as np

from pomdp_envs.popgym.labyrinth import GOAL, Labyrinth


class LabyrinthEscape(Labyrinth):
    """A maze with a start in an outer wall and the exit in the wall on the other side; every step costs until it is found.

    Action space: Discrete(4): 0 left, 1 right, 2 up, 3 down. Walking into a wall is standing still.
    Observation space: MultiDiscrete([5] * 9 + [5]): the squares around the agent row by row (0 free, 1 wall, 2 start,
        3 goal; 4 does not occur) and the last action (4 at the start). Where the agent stands in the outer wall, only six
        squares are there; they come first in every row and column, and walls fill the rest. So at the left (upper) wall the
        agent's own square is at the left (upper) edge of the view: popgym does so; kept.
    Start: a maze of cells x cells cells from random walks (see `HuntAndKill`), the agent in one of its four sides, the exit
        in the opposite one. The walks may miss a cell, which then is a wall (about one maze in 20,000), and with bad luck
        the way out: mazelib does so; kept.
    Reward: -1 / episode_length for each step, plus 1 for reaching the goal.
    End: terminated at the goal; truncated after episode_length - 1 steps (one less than one would expect: popgym does so;
        kept), also where that step reaches the goal.
    Hidden state: [squares row by row ((2 cells + 1)**2 of them: the numbers of the observation, plus 8 for the start),
        the agent's square, its last action], int16.

    Neither the best return nor the best one without memory is known. As popgym warns, little memory is needed: the last
    action tells from where the agent came, so that one can follow the right-hand wall without any, through the whole maze.
    That gets 0.959, 0.918 and 0.861 in the easy, medium and hard maze; a player that draws a map gets 0.968, 0.939 and 0.900
    (see `pomdp_envs.oracles.labyrinth`).

    Args:
        cells: Cells along a side of the maze, half of popgym's maze_dims; 5 unless given.
        episode_length: 1024 unless given.

    Raises:
        ValueError: fewer than 3 cells or more than 90 (squares are numbered in int16), or an episode length below 2.

    Source: POPGym (see `pomdp_envs.popgym`); the mazes are mazelib's.

    Versions: v0, the first.
    """

    def __init__(self, cells: int = 5, episode_length: int = 1024) -> None:
        super().__init__(cells, episode_length)
        self.rewards = np.array([self.step_reward, self.step_reward + 1.0])

    def begin(self, squares: np.ndarray, end: np.ndarray) -> np.ndarray:
        """Open the exit."""
        squares[end, np.arange(len(end))] = GOAL
        return squares[:0]

    def arrive(self, state: np.ndarray, square: np.ndarray, content: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Pay at the goal."""
        escaped = content == GOAL
        return self.rewards[escaped.view(np.int8)], escaped
