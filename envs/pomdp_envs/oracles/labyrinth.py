"""Players of the two labyrinths."""

from abc import abstractmethod

import numpy as np

from pomdp_envs.players import Player
from pomdp_envs.popgym.hunt_and_kill import FREE, OBSTACLE
from pomdp_envs.popgym.labyrinth import DOWN, GOAL, LEFT, NO_ACTION, RIGHT, START, UP

BESIDE = np.array([3, 5, 1, 7])  # what lies left, right, above and below in a view [9], in the order of the actions
OPPOSITE = np.array([RIGHT, LEFT, DOWN, UP])
RIGHT_OF = np.array([UP, DOWN, RIGHT, LEFT])  # a quarter turn clockwise
ORDERS = np.stack(
    [RIGHT_OF, np.arange(4), OPPOSITE[RIGHT_OF], OPPOSITE], axis=1
)  # [heading, rank]: right, on, left, back


# A turn of the view after which the way from the start into the maze leads down; by the direction of that way.
_VIEW = np.arange(9).reshape(3, 3)
TURNS = np.stack([np.rot90(_VIEW, 1), np.rot90(_VIEW, -1), np.rot90(_VIEW, 2), _VIEW]).reshape(4, 9)
ACTIONS = np.array(
    [[BESIDE.tolist().index(turn[side]) for side in BESIDE] for turn in TURNS]
)  # [way in, turned action]


def open_sides(observation: np.ndarray) -> np.ndarray:
    """Return where one can go that is not the start: bool [B, 4], where the agent is not on the start itself."""
    beside = observation[:, BESIDE]
    return (beside == FREE) | (beside == GOAL)


def way_in(observation: np.ndarray) -> np.ndarray:
    """Return the direction [B] that leads from the start into the maze; the view does not centre on the agent there."""
    left, above = observation[:, 3], observation[:, 1]
    if_in_centre = np.where(above == FREE, UP, LEFT)  # the lower or the right wall
    return np.where(above == START, DOWN, np.where(left == START, RIGHT, if_in_centre))


def first_open(order: np.ndarray, sides: np.ndarray) -> np.ndarray:
    """Return the first direction of each order [B, 4] that is open in sides [B, 4]; the first of all if none is."""
    columns = np.arange(len(order))
    return order[columns, sides[columns[:, None], order].argmax(axis=1)]


class WallFollower(Player):
    """Keep the right hand on the wall; the last action, which is seen, tells where that is. It walks the whole tree.

    At its first step the last action is none; it never returns to the start.
    """

    def act(self, observation: np.ndarray, starts: np.ndarray) -> np.ndarray:
        """Go right if possible, else straight on, else left, else back; and to the goal where it is next to the agent."""
        last = observation[:, 9]
        ahead = first_open(ORDERS[np.minimum(last, DOWN)], open_sides(observation))
        goal = observation[:, BESIDE] == GOAL
        ahead = np.where(goal.any(axis=1), goal.argmax(axis=1), ahead)
        return np.where(last == NO_ACTION, way_in(observation), ahead)


class Explorer(Player):
    """Draw a map of what was seen, turned so that the start is above the maze.

    A map is one whole number per column with a bit per square. Its squares lie row by row, `stride` to a row; since nobody
    knows how far left or right the start is, there are twice as many as in a row of the maze, with the start in the middle.
    """

    def begin(self) -> None:
        """Begin with maps of what is the same in every maze."""
        width = self.dynamics.width
        self.stride = 2 * width + 1
        self.steps = (-1, 1, -self.stride, self.stride)
        rows, columns = np.indices((width, self.stride))
        edge = (rows == 0) | (columns == 0) | (columns == self.stride - 1)
        self.outline = bits(edge | ((rows % 2 == 0) & (columns % 2 == 0)))  # the upper wall and all corners of cells
        self.lower_wall = bits(rows == width - 1)
        self.left_of = [bits(columns < column) for column in range(self.stride + 1)]
        self.inside = bits(~(edge | (rows == width - 1)))
        self.way_in = np.full(self.num_envs, DOWN)
        self.walls, self.visited, self.square, self.last = ([0] * self.num_envs for _ in range(4))
        self.leftmost, self.rightmost = [0] * self.num_envs, [0] * self.num_envs  # where the agent has been
        self.path: list[list[int]] = [[] for _ in range(self.num_envs)]  # the steps from the first cell to the agent

    @abstractmethod
    def choose(self, column: int) -> int:
        """Return the next step of one column, as an action on the turned map."""

    def act(self, observation: np.ndarray, starts: np.ndarray) -> np.ndarray:
        """Note what is seen and choose the next steps; the first one leads away from the start."""
        self.way_in = np.where(starts, way_in(observation), self.way_in)
        views = np.take_along_axis(observation[:, :9], TURNS[self.way_in], axis=1)
        walls = ((views == OBSTACLE) | (views == START)).reshape(-1, 3, 3) @ np.array([1, 2, 4])  # [B, 3], rows as bits
        for column, first in enumerate(starts.tolist()):
            if first:
                self._start(column)
            else:
                self._note(column, walls[column].tolist())
                self.last[column] = self.choose(column)
        return ACTIONS[self.way_in, self.last]

    def _start(self, column: int) -> None:
        """Begin a new map."""
        self.walls[column] = self.outline
        self.square[column] = self.stride // 2
        self.leftmost[column] = self.rightmost[column] = self.square[column]
        self.visited[column] = 1 << self.square[column]
        self.path[column] = []
        self.last[column] = DOWN

    def _note(self, column: int, walls: list[int]) -> None:
        """Enter what was seen after the last step into the map."""
        square = self.square[column] + self.steps[self.last[column]]
        if not self.inside >> square & 1:
            return  # only where the start is locked in, and there is nowhere to go
        self.square[column] = square
        corner = square - self.stride - 1
        seen = sum(7 << row * self.stride for row in range(3)) << corner
        found = sum(row << place * self.stride for place, row in enumerate(walls)) << corner
        self.walls[column] = self.walls[column] & ~seen | found
        self.visited[column] |= 1 << square
        self.leftmost[column] = min(self.leftmost[column], square % self.stride)
        self.rightmost[column] = max(self.rightmost[column], square % self.stride)

    def possible(self, column: int) -> int:
        """Return the squares that may be free: those not known as walls, as far left and right as the maze may reach."""
        reach = self.dynamics.width - 3
        first = max(self.rightmost[column] - reach, 0)
        last = min(self.leftmost[column] + reach, self.stride - 1)
        return self.left_of[last + 1] & ~self.left_of[first] & ~self.walls[column]

    def spread(self, squares: int, within: int) -> int:
        """Return the squares and their neighbours, of those `within`."""
        stride = self.stride
        return (squares | squares << 1 | squares >> 1 | squares << stride | squares >> stride) & within


def bits(squares: np.ndarray) -> int:
    """Return a map with the bits of the marked squares, bool [rows, columns]."""
    return sum(1 << place for place in np.flatnonzero(squares).tolist())


class EscapeOracle(Explorer):
    """Take the shortest way to where the exit may be, as if there were no walls but those seen; the exit faces the start."""

    def choose(self, column: int) -> int:
        """Spread from the possible exits until it reaches the agent; prefer down."""
        possible = self.possible(column)
        beside = [(action, 1 << self.square[column] + self.steps[action]) for action in (DOWN, LEFT, RIGHT, UP)]
        reached, before = possible & self.lower_wall, 0
        while reached != before:
            for action, square in beside:
                if square & reached:
                    return action
            reached, before = self.spread(reached, possible), reached
        return UP  # there is no exit


class ExploreOracle(Explorer):
    """Visit the maze depth first, and the branches with the least possible room first.

    All squares must be visited and all ways but the last gone back, so that a long branch is best left for the end. As the
    maze is a tree, two branches may share the room that the walls seen so far leave open; then the upper one goes first.
    """

    def choose(self, column: int) -> int:
        """Enter a new branch, or go back."""
        square, path = self.square[column], self.path[column]
        unvisited = self.possible(column) & ~self.visited[column] & ~self.lower_wall
        branches = [action for action in (UP, LEFT, RIGHT, DOWN) if unvisited >> square + self.steps[action] & 1]
        if branches:
            if len(branches) > 1:
                branches.sort(key=lambda action: self._room(1 << square + self.steps[action], unvisited))
            path.append(branches[0])
            return path[-1]
        return int(OPPOSITE[path.pop()]) if path else DOWN  # nothing is left: the start is locked in

    def _room(self, squares: int, unvisited: int) -> int:
        """Count the squares that the branch may lead to."""
        before = 0
        while squares != before:
            squares, before = self.spread(squares, unvisited), squares
        return squares.bit_count()
