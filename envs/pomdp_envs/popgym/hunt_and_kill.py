"""Mazes by random walks that hunt for new starts: the distribution of mazelib's HuntAndKill and of its entrances."""

import numpy as np

FREE, OBSTACLE = 0, 1


class HuntAndKill:
    """Square mazes whose cells stand at the odd rows and columns of a grid, with walls or passages between them.

    A walk starts in a uniformly chosen cell and opens passages to uniformly chosen unvisited neighbours until there are
    none. Then, as often as the grid has squares, a uniformly chosen cell, if it has been visited, starts a further walk. So
    all passages form one tree; it may miss a cell, which stays closed (one maze in 20,000, about).

    Args:
        cells: Cells along a side, at least 2.

    Source: mazelib 0.9.15, `HuntAndKill` with its random hunting order, and `Maze.generate_entrances`.
    """

    def __init__(self, cells: int) -> None:
        self.cells = cells
        self.width = 2 * cells + 1
        self.moves = cells**2 - 1  # a passage leads to a new cell, so there cannot be more
        self.hunts = self.width**2
        self.draws = 1 + self.hunts + self.moves + 3
        # A ring of squares around the grid counts as visited, so that no walk leaves it.
        self._wide = self.width + 2
        template = np.full((self._wide, self._wide), OBSTACLE, dtype=np.uint8)
        template[[0, -1]] = template[:, [0, -1]] = FREE
        self._template = template.tobytes()
        odd = np.arange(1, self.width, 2)
        self._cell_squares = ((odd[:, None] + 1) * self._wide + odd + 1).ravel()  # of the wide grid
        last = self.width - 1
        north, south, west, east = odd, last * self.width + odd, odd * self.width, odd * self.width + last
        self._starts = np.stack([north, south, west, east])  # [4, cells], squares of the grid
        self._ends = np.stack([south, north, east, west])

    def grids(self, uniforms: np.ndarray) -> np.ndarray:
        """Make mazes: uint8 [width * width, B] of FREE and OBSTACLE, row by row, from numbers [draws - 3, B]."""
        hunted = self._cell_squares[(uniforms[: 1 + self.hunts] * self.cells**2).astype(np.int64)].T.tolist()
        choices = uniforms[1 + self.hunts :].T.tolist()
        mazes = b"".join([self._carve(starts, numbers) for starts, numbers in zip(hunted, choices, strict=True)])
        wide = np.frombuffer(mazes, dtype=np.uint8).reshape(-1, self._wide, self._wide)
        return wide[:, 1:-1, 1:-1].reshape(-1, self.width**2).T

    def entrances(self, uniforms: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Choose start and end in opposite outer walls: squares [B] and [B], from numbers [3, B]."""
        side = (uniforms[0] * 4).astype(np.int64)
        start, end = (uniforms[1:] * self.cells).astype(np.int64)
        return self._starts[side, start], self._ends[side, end]

    def _carve(self, starts: list[int], numbers: list[float]) -> bytes:
        """Walk from the first of the squares `starts` and then from those that have been visited."""
        grid = bytearray(self._template)
        grid[starts[0]] = FREE
        moves, missing = 0, self.moves
        for square in starts:
            if grid[square] == FREE:
                moves = self._walk(grid, square, numbers, moves)
                if moves == missing:
                    break
        return bytes(grid)

    def _walk(self, grid: bytearray, square: int, numbers: list[float], moves: int) -> int:
        """Open passages from a visited cell until no neighbour is unvisited; return the moves made so far."""
        wide = self._wide
        while True:
            # A step is half the way to a neighbour: the passage, then the cell.
            steps = [step for step in (-wide, wide, -1, 1) if grid[square + 2 * step]]
            if not steps:
                return moves
            step = steps[int(numbers[moves] * len(steps))]
            grid[square + step] = grid[square + 2 * step] = FREE
            square += 2 * step
            moves += 1
