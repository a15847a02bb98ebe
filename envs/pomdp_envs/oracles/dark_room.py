"""Players of the dark room."""

import numpy as np

from pomdp_envs.meta.dark_room import DOWN, LEFT, RIGHT, STAY, UP, DarkRoom
from pomdp_envs.players import Player


def spiral(size: int) -> list[int]:
    """Return all cells but the centre in the order of a walk around it: every one is next to the one before."""
    down = right = size // 2
    cells, turn = [], 0
    while len(cells) < size**2 - 1:
        for _ in range(min(turn // 2 + 1, size - 1)):
            down, right = down + (0, 1, 0, -1)[turn % 4], right + (1, 0, -1, 0)[turn % 4]
            cells.append(down * size + right)
        turn += 1
    return cells


def pinwheel(size: int) -> list[int]:
    """Return all cells but the centre, one blade after the other; each is a walk that begins next to the centre.

    With m = size // 2, the first blade lies above: m rows from the centre's upwards, m + 1 columns from the centre's to the
    right, walked to and fro. The others are quarter turns of it.
    """
    m = size // 2
    blade = [(m - 1 - i, m + (j if i % 2 == 0 else m - j)) for i in range(m) for j in range(m + 1)]
    cells = []
    for _ in range(4):
        cells += [down * size + right for down, right in blade]
        blade = [(right, size - 1 - down) for down, right in blade]
    return cells


def toward(cell: np.ndarray, target: np.ndarray, size: int) -> np.ndarray:
    """Return the actions [B] of a shortest walk: first up or down, then left or right; stay at the target."""
    down, right = target // size - cell // size, target % size - cell % size
    sideways = np.where(right > 0, RIGHT, np.where(right < 0, LEFT, STAY))
    return np.where(down > 0, DOWN, np.where(down < 0, UP, sideways))


def search(dynamics: DarkRoom) -> np.ndarray:
    """Return the cells that a walk is at after each step as long as no goal is found, int64 [episodes, episode_steps].

    It always heads for the next cell in order that it has not been at: in a spiral if that takes one episode, otherwise
    blade by blade.
    """
    size, cells = dynamics.size, dynamics.cells
    order = spiral(size) if dynamics.episode_steps >= cells - 1 else pinwheel(size)
    walk = np.zeros((dynamics.episodes, dynamics.episode_steps), dtype=np.int64)
    move = {UP: -size, DOWN: size, LEFT: -1, RIGHT: 1, STAY: 0}
    left = dict.fromkeys(order)  # in order
    for episode in walk:
        cell = dynamics.centre
        for step in range(len(episode)):
            target = next(iter(left), cell)
            cell += move[int(toward(np.array(cell), np.array(target), size))]
            left.pop(cell, None)
            episode[step] = cell
    return walk


class DarkRoomOracle(Player):
    """Search the room without seeing a cell twice, then walk to the goal in every episode."""

    dynamics: DarkRoom

    def begin(self) -> None:
        """Keep the cell and the goal (-1: not found), and where in the search every column is."""
        self.walk = search(self.dynamics)
        self.target, self.goal = np.full((2, self.num_envs), -1)
        self.episode, self.step = np.zeros((2, self.num_envs), dtype=np.int64)

    def act(self, observation: np.ndarray, starts: np.ndarray) -> np.ndarray:
        """Note the goal where the last step paid; head for it, or for the next cell of the search."""
        seen, _, reward, ended = self.dynamics.split_observation(observation)
        found = (reward > 0) & (self.goal < 0)
        self.goal[found] = self.target[found]
        self.step += 1
        self.episode += ended
        self.step[ended | starts] = 0
        self.episode[starts], self.goal[starts] = 0, -1
        # While the goal is unknown, every target is one step away.
        self.target = np.where(self.goal < 0, self.walk[self.episode, self.step], self.goal)
        return toward(seen.argmax(axis=1), self.target, self.dynamics.size)


class DarkRoomMemoryless(Player):
    """Walk the same way in every episode; stay where the last step paid."""

    dynamics: DarkRoom

    def begin(self) -> None:
        """Tell every cell of the way the next one."""
        walk = search(self.dynamics)[0]
        self.following = np.arange(self.dynamics.cells)
        self.following[np.append(self.dynamics.centre, walk[:-1])] = walk

    def act(self, observation: np.ndarray, starts: np.ndarray) -> np.ndarray:
        """Look at the cell, and at the last reward."""
        seen, _, reward, ended = self.dynamics.split_observation(observation)
        cell = seen.argmax(axis=1)
        action = toward(cell, self.following[cell], self.dynamics.size)
        return np.where((reward > 0) & ~ended, STAY, action)
