"""Visit every square of an unknown labyrinth."""

import numpy as np

from pomdp_envs.popgym.hunt_and_kill import FREE
from pomdp_envs.popgym.labyrinth import VISITED, Labyrinth


class LabyrinthExplore(Labyrinth):
    """A maze with a start in an outer wall; every free square pays at the first visit, other steps cost.

    Action space: Discrete(4): 0 left, 1 right, 2 up, 3 down. Walking into a wall is standing still.
    Observation space: MultiDiscrete([5] * 9 + [5]): as `LabyrinthEscape`, without a goal. Visits are not shown.
    Start: as `LabyrinthEscape`.
    Reward: 1 / (free squares, the start not counted) for a square that was not visited before, otherwise
        -1 / episode_length.
    End: terminated when all free squares are visited; truncated after episode_length - 1 steps (one less than one would
        expect: popgym does so; kept), also where that step visits the last square.
    Hidden state: [squares row by row ((2 cells + 1)**2 of them: the numbers of the observation, plus 8 if visited),
        free squares in all, free squares left to visit, the agent's square, its last action], int16.

    Neither the best return nor the best one without memory is known; both are below 1. As popgym warns, little memory is
    needed: the last action tells from where the agent came, so that one can follow the right-hand wall without any, through
    the whole maze. That gets 0.969, 0.925 and 0.864 in the easy, medium and hard maze; a player that draws a map gets 0.970,
    0.929 and 0.871 (see `pomdp_envs.oracles.labyrinth`).

    Args:
        cells: Cells along a side of the maze, half of popgym's maze_dims; 5 unless given.
        episode_length: 1024 unless given.

    Raises:
        ValueError: fewer than 3 cells or more than 90 (squares are numbered in int16), or an episode length below 2.

    Source: POPGym (see `pomdp_envs.popgym`); the mazes are mazelib's.

    Versions: v0, the first.
    """

    def begin(self, squares: np.ndarray, end: np.ndarray) -> np.ndarray:
        """Count the free squares, twice; the exit stays closed."""
        free = np.count_nonzero(squares == FREE, axis=0)
        return np.stack([free, free])

    def arrive(self, state: np.ndarray, square: np.ndarray, content: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Pay for a new square and mark it."""
        new = content == FREE
        columns = np.flatnonzero(new)
        state[square[columns], columns] = FREE | VISITED
        free, left = state[-4], state[-3]
        left -= new
        return np.where(new, 1.0 / free, self.step_reward), left == 0
