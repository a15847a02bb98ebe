"""Players of MineSweeper."""

import numpy as np

from pomdp_envs.players import Player
from pomdp_envs.popgym.minesweeper import sums_around

BLOCK = 2, 3  # rows and columns of the corner that the player without memory prefers


class MineSweeperOracle(Player):
    """Remember every square and its count, conclude where mines must and cannot be, and otherwise take the least risk.

    Each viewed square is a constraint: so many of the squares around it are mines. So are the whole field and, with no
    squares and no mines, nothing. Where constraint i asks for as many mines more than constraint j as it has squares that
    j has not, these are all mines, and the squares that only j has are all clear. The risk of the other squares is the
    highest share of mines in any constraint around them, or in the whole field. That is good, not optimal.
    """

    def begin(self) -> None:
        """Remember what was viewed with which count, and which squares are known."""
        rows, columns = self.dynamics.shape
        squares = self.dynamics.squares
        around = sums_around(np.eye(squares, dtype=np.float32).reshape(rows, columns, squares))
        around = around.reshape(squares, squares)
        self.scopes = np.concatenate([around, np.ones((1, squares)), np.zeros((1, squares))]).astype(np.float32)
        self.totals = np.zeros((self.num_envs, squares + 2), dtype=np.float32)  # mines in each constraint's scope
        self.totals[:, squares] = self.dynamics.mines
        self.viewed = np.zeros((self.num_envs, squares), dtype=bool)
        self.mines, self.clear = np.zeros_like(self.viewed), np.zeros_like(self.viewed)  # that are known
        self.last = np.zeros(self.num_envs, dtype=np.int64)

    def act(self, observation: np.ndarray, starts: np.ndarray) -> np.ndarray:
        """Note the last square's count and choose the next square."""
        columns = np.arange(self.num_envs)
        self.viewed[columns, self.last] = True
        self.totals[columns, self.last] = observation
        self.clear[columns, self.last] = True
        for known in (self.viewed, self.mines, self.clear):
            known[starts] = False
        safe = self.clear & ~self.viewed
        self.last = safe.argmax(axis=1)
        puzzled = np.flatnonzero(~safe.any(axis=1))
        self.last[puzzled] = self.risks(puzzled).argmin(axis=1)
        return np.stack(np.divmod(self.last, self.dynamics.shape[1]), axis=1)

    def risks(self, columns: np.ndarray) -> np.ndarray:
        """Return an order of squares in n of the columns, [n, squares]: 0 for clear ones, 2 or more for viewed ones."""
        viewed, mines = self.viewed[columns], self.mines[columns]
        holds = np.concatenate([viewed, np.ones((len(columns), 2), dtype=bool)], axis=1)  # [n, constraints]
        left = self.totals[columns] - mines @ self.scopes.T  # [n, constraints], mines that are not known
        unknown = ~(mines | self.clear[columns])
        new_mines, new_clear = self._conclude(holds, unknown, left)
        self.mines[columns] = mines = mines | (new_mines & unknown)
        self.clear[columns] |= new_clear & unknown
        clear = self.clear[columns]
        left = self.totals[columns] - mines @ self.scopes.T
        share = np.where(holds, left / np.maximum(~(mines | clear) @ self.scopes.T, 1), 0)  # [n, constraints]
        squares = self.dynamics.squares
        local = (share[:, :squares, None] * self.scopes[:squares]).max(axis=1)  # [n, squares]
        free = ~(viewed @ self.scopes[:squares]).astype(bool)  # in no constraint but the whole field's
        risk = np.where(free, share[:, squares, None], local)
        return np.where(clear, 0, np.where(mines, 1, risk)) + 2 * viewed

    def _conclude(self, holds: np.ndarray, unknown: np.ndarray, left: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Compare all pairs of constraints; return squares that must be mines and that must be clear, bool [n, squares]."""
        inside = self.scopes * unknown[:, None]  # [n, constraints, squares]
        only_first = inside.sum(axis=2)[:, :, None] - inside @ self.scopes.T  # [n, first, second], squares
        more = left[:, :, None] - left[:, None]
        tight = (holds[:, :, None] & holds[:, None] & (more == only_first)).astype(np.float32)
        outside = 1 - self.scopes
        only_in_first = (tight @ outside) * inside  # [n, first, squares], the number of seconds that do not have them
        only_in_second = (tight.swapaxes(1, 2) @ outside) * inside
        return only_in_first.any(axis=1), only_in_second.any(axis=1)


class MineSweeperMemoryless(Player):
    """After a 0, view a random square of a small corner block; after any other count, one outside of it.

    Squares of the block are close to each other: if the last one was in the block and had no mine around it, many of the
    block are clear. And a mine that was counted is rather where the last square was. A search over all tables of
    probabilities (policy gradient, the small field) found -0.18, this rule gets -0.20, uniform choice -0.23.
    """

    def begin(self) -> None:
        """Start the random numbers."""
        rows, columns = np.indices(self.dynamics.shape)
        inside = ((rows < BLOCK[0]) & (columns < BLOCK[1])).ravel()
        self.block, self.others = np.flatnonzero(inside), np.flatnonzero(~inside)
        self.generator = np.random.default_rng(0)

    def act(self, observation: np.ndarray, starts: np.ndarray) -> np.ndarray:
        """Look at the count only."""
        block = self.generator.choice(self.block, self.num_envs)
        others = self.generator.choice(self.others, self.num_envs)
        return np.stack(np.divmod(np.where(observation == 0, block, others), self.dynamics.shape[1]), axis=1)
