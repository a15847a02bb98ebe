"""Clear a mine field that is never shown: only the count of mines around the last square."""

import numpy as np
from gymnasium import spaces

from pomdp_envs.dynamics import Dynamics, checked_count
from pomdp_envs.pictures import tiles

CLEAR, MINE, VIEWED = range(3)  # what a square is, in its lowest two bits; the count around it stands above them
COUNT_SHIFT = 2
WHAT = (1 << COUNT_SHIFT) - 1
COLOURS = np.array([[96, 100, 112], [214, 58, 48], [222, 222, 214]], dtype=np.uint8)
DOT = np.array([24, 60, 140], dtype=np.uint8)


class MineSweeper(Dynamics):
    """A field of squares, some with mines; every viewed square tells how many mines are on it and around it.

    Action space: MultiDiscrete([rows, columns]): the square to view.
    Observation space: Discrete(min(mines + 1, 10)): mines among the last viewed square and its eight neighbours; 0 at the
        start. Where that square is, is not shown.
    Start: the mines lie on squares drawn without replacement, all sets of squares equally likely.
    Reward: 1 / clear for a square without a mine that was not viewed before, -0.5 / (clear - 2) for a square that was,
        -0.5 - 1 / clear for a mine; clear = rows * columns - mines.
    End: terminated at a mine, or when all squares without mines are viewed; truncated after `clear` steps if not
        terminated then.
    Hidden state: [squares row by row (rows * columns of them: 0 clear, 1 a mine, 2 viewed, plus 4 times the mines among it
        and its neighbours), squares left to clear, last observation], int16.

    A field that is cleared without a repetition gives 1. Neither the best return nor the best one without memory is known:
    the first square is a matter of luck, and so are some later ones. For comparison, on the easy, medium and hard field: a
    player that draws conclusions from all counts gets about 0.69, 0.45 and 0.46, one without memory -0.20, -0.39 and -0.43
    (see `pomdp_envs.oracles.minesweeper`).

    Args:
        rows: 4 unless given.
        columns: 4 unless given.
        mines: 2 unless given.

    Raises:
        ValueError: a count that is no integer or below 1, fewer than 3 squares without mines, or 2**15 squares.

    Source: POPGym (see `pomdp_envs.popgym`); the computer game.

    Versions: v0, the first.
    """

    memory_span = "the whole episode"
    draws_pictures = True

    def __init__(self, rows: int = 4, columns: int = 4, mines: int = 2) -> None:
        self.shape = checked_count("rows", rows), checked_count("columns", columns)
        self.squares = self.shape[0] * self.shape[1]
        self.mines = checked_count("mines", mines)
        self.clear = self.squares - self.mines
        if self.squares >= 2**15:
            raise ValueError(f"{rows} x {columns} squares are too many: they are counted in int16")
        if self.clear < 3:
            raise ValueError(
                f"3 squares must be without mines, but {self.shape[0]} x {self.shape[1]} has {mines} of them"
            )
        self.view_reward = 1 / self.clear
        self.mine_reward = -0.5 - self.view_reward
        self.repetition_reward = -0.5 / (self.clear - 2)
        self.rewards = np.array([self.view_reward, self.mine_reward, self.repetition_reward])  # by what the square was
        self.time_limit = self.clear
        self.initial_draws = self.squares
        self.observation_space = spaces.Discrete(min(self.mines + 1, 10))
        self.action_space = spaces.MultiDiscrete(list(self.shape))

    def initial(self, uniforms: np.ndarray) -> np.ndarray:
        """Put the mines where the smallest numbers are: int16 [squares + 2, B]."""
        state = np.zeros((self.squares + 2, uniforms.shape[1]), dtype=np.int16)
        mined = uniforms.argpartition(self.mines - 1, axis=0)[: self.mines]  # [mines, B]
        state[mined, np.arange(len(mined[0]))] = MINE
        field = state[: self.squares].reshape(*self.shape, -1)
        field += sums_around(field) << COUNT_SHIFT
        state[-2] = self.clear
        return state

    def transition(
        self, state: np.ndarray, action: np.ndarray, uniforms: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """View a square."""
        columns = np.arange(len(action))
        square = action[:, 0] * self.shape[1] + action[:, 1]
        content = state[square, columns]
        was = content & WHAT
        new = was == CLEAR
        state[square, columns] = content + VIEWED * new
        state[-2] -= new
        state[-1] = content >> COUNT_SHIFT
        return state, self.rewards[was], (was == MINE) | (state[-2] == 0)

    def truncated(self, step: np.ndarray, terminated: np.ndarray) -> np.ndarray:
        """Cut at the time limit what has not ended by itself."""
        return (step >= self.time_limit) & ~terminated

    def observe(self, state: np.ndarray) -> np.ndarray:
        """Show the count of the last square, int64 [B]."""
        return state[-1].astype(np.int64)

    def text(self, state: np.ndarray) -> str:
        """Draw squares not viewed (.), mines (*) and the counts of those viewed."""
        what, counts = self._field(state)
        drawn = np.where(what == VIEWED, counts.astype(str), np.where(what == MINE, "*", "."))
        return "\n".join("".join(row) for row in drawn)

    def picture(self, state: np.ndarray) -> np.ndarray:
        """Draw squares not viewed grey, mines red, and viewed ones light with a dot for each mine around."""
        what, counts = self._field(state)
        colours = COLOURS[what].repeat(8, axis=0).repeat(8, axis=1)  # [8 rows, 8 columns, 3]: room for 3 x 3 dots each
        counts = np.where(what == VIEWED, counts, 0)
        for dot in range(9):
            row, column = divmod(dot, 3)
            colours[2 + 2 * row :: 8, 2 + 2 * column :: 8][counts > dot] = DOT
        colours[::8] = colours[:, ::8] = 0  # lines between the squares
        return tiles(colours)

    def _field(self, state: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return what each square of one state is, and its count, both [rows, columns]."""
        field = state[: self.squares].reshape(self.shape)
        return field & WHAT, field >> COUNT_SHIFT


def sums_around(field: np.ndarray) -> np.ndarray:
    """Sum each square [rows, columns, B] and its up to eight neighbours."""
    rows, columns, batch = field.shape
    wide = np.zeros((rows + 2, columns + 2, batch), dtype=field.dtype)
    wide[1:-1, 1:-1] = field
    three = wide[:-2] + wide[1:-1] + wide[2:]  # [rows, columns + 2, B]
    return three[:, :-2] + three[:, 1:-1] + three[:, 2:]
