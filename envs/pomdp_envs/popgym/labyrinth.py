"""What the two labyrinths share: the maze, how one moves in it and what one sees."""

from abc import abstractmethod

import numpy as np
from gymnasium import spaces

from pomdp_envs.dynamics import Dynamics, checked_count
from pomdp_envs.pictures import tiles
from pomdp_envs.popgym.hunt_and_kill import FREE, OBSTACLE, HuntAndKill

START, GOAL, HIDDEN = 2, 3, 4  # further contents of a square; HIDDEN is in the space and never seen
VISITED = 8  # is added to the content of a square
CONTENT = VISITED - 1
LEFT, RIGHT, UP, DOWN, NO_ACTION = range(5)
SYMBOLS = np.array([" ", "#", "S", "G", "?"])
COLOURS = np.array([[245, 245, 245], [60, 64, 72], [66, 133, 244], [52, 168, 83], [0, 0, 0]], dtype=np.uint8)
VISITED_COLOUR, AGENT_COLOUR = np.array([[252, 224, 160], [214, 58, 48]], dtype=np.uint8)


class Labyrinth(Dynamics):
    """A maze with a start in an outer wall; the agent sees the squares around it and its last action.

    Hidden states are int16: the squares row by row, what a subclass adds, the agent's square, its last action.
    """

    action_space = spaces.Discrete(4)
    observation_space = spaces.MultiDiscrete([HIDDEN + 1] * 9 + [NO_ACTION + 1])
    memory_span = "the whole episode"
    draws_pictures = True

    def __init__(self, cells: int = 5, episode_length: int = 1024) -> None:
        self.maze = HuntAndKill(checked_count("cells", cells, least=3, most=90))
        self.time_limit = checked_count("episode_length", episode_length, least=2) - 1
        self.step_reward = -1 / (self.time_limit + 1)
        self.initial_draws = self.maze.draws
        self.width, self.squares = self.maze.width, self.maze.width**2
        self.targets = step_targets(self.width)
        self.views = view_squares(self.width)

    @abstractmethod
    def begin(self, squares: np.ndarray, end: np.ndarray) -> np.ndarray:
        """Mark what there is besides the start.

        Args:
            squares: contents [squares, B], the start marked; to be changed in place.
            end: the square of the exit [B].

        Returns:
            Further rows of the state [further, B].
        """

    @abstractmethod
    def arrive(self, state: np.ndarray, square: np.ndarray, content: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Say what the step pays.

        Args:
            state: [S, B], to be changed in place.
            square: where the step leads, int64 [B]; into an obstacle, the agent stays where it was.
            content: of that square, int16 [B].

        Returns:
            The reward float64 [B] and terminated bool [B].
        """

    def initial(self, uniforms: np.ndarray) -> np.ndarray:
        """Make a maze, put the agent on its start: int16 [S, B]."""
        columns = np.arange(uniforms.shape[1])
        squares = self.maze.grids(uniforms[:-3]).astype(np.int16)
        start, end = self.maze.entrances(uniforms[-3:])
        squares[start, columns] = START | VISITED
        further = self.begin(squares, end)
        return np.concatenate([squares, further, start[None], np.full_like(start, NO_ACTION)[None]], dtype=np.int16)

    def transition(
        self, state: np.ndarray, action: np.ndarray, uniforms: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Move, unless there is a wall."""
        square = self.targets[action, state[-2]]
        content = state[square, np.arange(len(action))]
        state[-2] = np.where(content == OBSTACLE, state[-2], square)
        state[-1] = action
        return state, *self.arrive(state, square, content)

    def observe(self, state: np.ndarray) -> np.ndarray:
        """Show the 3 x 3 squares around the agent, row by row, and its last action: int64 [B, 10]."""
        observation = np.empty((state.shape[1], 10), dtype=np.int64)
        view = state[self.views[state[-2]], np.arange(state.shape[1])[:, None]]  # [B, 9]
        np.bitwise_and(view, CONTENT, out=observation[:, :9])
        observation[:, 9] = state[-1]
        return observation

    def text(self, state: np.ndarray) -> str:
        """Draw walls (#), start (S), goal (G), visited squares (.) and the agent (@)."""
        contents = state[: self.squares]
        drawn = np.where(contents == FREE | VISITED, ".", SYMBOLS[contents & CONTENT])
        drawn[state[-2]] = "@"
        return "\n".join("".join(row) for row in drawn.reshape(self.width, self.width))

    def picture(self, state: np.ndarray) -> np.ndarray:
        """Draw walls dark, start blue, goal green, visited squares yellow and the agent red."""
        contents = state[: self.squares]
        colours = COLOURS[contents & CONTENT]
        colours[contents == FREE | VISITED] = VISITED_COLOUR
        colours[state[-2]] = AGENT_COLOUR
        return tiles(colours.reshape(self.width, self.width, 3))


def step_targets(width: int) -> np.ndarray:
    """Return where each action leads from each square if nothing is in the way: int64 [4, squares]."""
    row, column = np.divmod(np.arange(width**2), width)
    clipped = [
        row * width + np.maximum(column - 1, 0),
        row * width + np.minimum(column + 1, width - 1),
        np.maximum(row - 1, 0) * width + column,
        np.minimum(row + 1, width - 1) * width + column,
    ]
    return np.stack(clipped)  # left, right, up, down


def view_squares(width: int) -> np.ndarray:
    """Return the nine squares that are seen from each square, row by row: int64 [squares, 9].

    At an edge of the grid only six squares are there. They fill the first places, also at the left and upper edges, and a
    corner of the grid, which is a wall in every maze, stands for the rest.
    """
    row, column = (index[:, None] for index in np.divmod(np.arange(width**2), width))
    down, right = np.divmod(np.arange(9), 3)
    rows = np.maximum(row - 1, 0) + down
    columns = np.maximum(column - 1, 0) + right
    inside = (rows <= np.minimum(row + 1, width - 1)) & (columns <= np.minimum(column + 1, width - 1))
    return np.where(inside, rows * width + columns, 0)
