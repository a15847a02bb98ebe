"""Find all ships on a board of which nothing is ever shown but hit or miss."""

from collections.abc import Sequence

import numpy as np
from gymnasium import spaces

from pomdp_envs.dynamics import Dynamics, checked_count
from pomdp_envs.pictures import tiles

WATER, SHIP, GUESSED = 0, 1, 2  # a cell's bits: SHIP or not, GUESSED or not
SYMBOLS = np.array([".", "s", "o", "X"])
COLOURS = np.array([[32, 78, 138], [128, 128, 128], [160, 196, 236], [214, 58, 48]], dtype=np.uint8)


class Battleship(Dynamics):
    """A square board with straight ships; every guess is answered by hit or miss, and where it went is not shown.

    Action space: MultiDiscrete([n, n]): the row and the column to guess, n = board_size.
    Observation space: Discrete(2): 1 if the last guess hit a part of a ship for the first time, otherwise 0, also at the
        start. A part that was hit before is a miss.
    Start: the ships are placed in the order of their sizes, each uniformly among the places along a row or a column where
        it crosses no earlier ship (ships may touch).
    Reward: 1 / (parts of all ships) for a hit, -1 / (cells without a ship) for a miss.
    End: terminated when all parts are hit; truncated after n * n guesses (also where the last one was the last hit).
    Hidden state: [cells row by row (n * n of them: 1 a ship, plus 2 if guessed), parts hit, last observation], int16.

    All hits and no miss give 1, guessing every cell once gives 0 or more. Neither the best return nor the best one without
    memory is known. For comparison, on the easy, medium and hard board: a player that weighs all places of the ships
    against its hits and misses gets about 0.55, 0.59 and 0.61; guesses that remember nothing, not even which cells were
    asked, get -0.44, -0.40 and -0.39 (see `pomdp_envs.oracles.battleship`).

    Args:
        board_size: n, 10 unless given.
        ship_sizes: Parts of each ship, (2, 3, 3, 4) unless given.

    Raises:
        ValueError: no ship, a size that is no integer of at least 1, or ships so large that, badly placed, they leave no
            place for the next one.

    Source: POPGym (see `pomdp_envs.popgym`); the board game.

    Versions: v0, the first.
    """

    memory_span = "the whole episode"
    draws_pictures = True

    def __init__(self, board_size: int = 10, ship_sizes: Sequence[int] = (2, 3, 3, 4)) -> None:
        self.board_size = checked_count("board_size", board_size)
        self.ship_sizes = _checked_ships(ship_sizes, self.board_size)
        self.cells, self.parts = self.board_size**2, sum(self.ship_sizes)
        self.hit_reward, self.miss_reward = 1.0 / self.parts, -1.0 / (self.cells - self.parts)
        self.time_limit = self.cells
        self.initial_draws = len(self.ship_sizes)
        self.observation_space = spaces.Discrete(2)
        self.action_space = spaces.MultiDiscrete([self.board_size, self.board_size])
        self.places = [ship_places(self.board_size, size) for size in self.ship_sizes]
        covers = [covered(places, self.cells) for places in self.places]
        self._crosses = [[first @ second.T > 0 for first in covers[:ship]] for ship, second in enumerate(covers)]

    def initial(self, uniforms: np.ndarray) -> np.ndarray:
        """Place one ship after the other, each by one number: int16 [cells + 2, B]."""
        columns = np.arange(uniforms.shape[1])
        state = np.zeros((self.cells + 2, len(columns)), dtype=np.int16)
        chosen: list[np.ndarray] = []
        for places, crosses, number in zip(self.places, self._crosses, uniforms, strict=True):
            blocked = np.zeros((len(columns), len(places)), dtype=bool)
            for earlier, table in zip(chosen, crosses, strict=True):
                blocked |= table[earlier]
            chosen.append(pick(~blocked, number))
            state[places[chosen[-1]].T, columns] = SHIP
        return state

    def transition(
        self, state: np.ndarray, action: np.ndarray, uniforms: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Guess a cell."""
        columns = np.arange(len(action))
        cell = action[:, 0] * self.board_size + action[:, 1]
        content = state[cell, columns]
        hit = content == SHIP  # not guessed before
        state[cell, columns] = content | GUESSED
        state[-2] += hit
        state[-1] = hit
        return state, np.where(hit, self.hit_reward, self.miss_reward), state[-2] == self.parts

    def observe(self, state: np.ndarray) -> np.ndarray:
        """Show whether the last guess was a hit, int64 [B]."""
        return state[-1].astype(np.int64)

    def text(self, state: np.ndarray) -> str:
        """Draw water (.), ships (s), misses (o) and hits (X)."""
        return "\n".join("".join(row) for row in SYMBOLS[self._board(state)])

    def picture(self, state: np.ndarray) -> np.ndarray:
        """Draw water blue, ships grey, misses light blue and hits red."""
        return tiles(COLOURS[self._board(state)], gap=1)

    def _board(self, state: np.ndarray) -> np.ndarray:
        """Return the cells of one state as [row, column]."""
        return state[: self.cells].reshape(self.board_size, self.board_size)


def ship_places(board_size: int, size: int) -> np.ndarray:
    """Return the cells that a ship covers at each of its places, along the rows first: int64 [places, size]."""
    cells = np.arange(board_size**2).reshape(board_size, board_size)
    windows = np.lib.stride_tricks.sliding_window_view
    along_rows = windows(cells, size, axis=1).reshape(-1, size)
    along_columns = windows(cells, size, axis=0).reshape(-1, size)
    return np.concatenate([along_rows, along_columns])


def covered(places: np.ndarray, cells: int) -> np.ndarray:
    """Return which cells each place [places, size] covers: float32 [places, cells] of 0 and 1."""
    cover = np.zeros((len(places), cells), dtype=np.float32)
    np.put_along_axis(cover, places, 1.0, axis=1)
    return cover


def pick(allowed: np.ndarray, number: np.ndarray) -> np.ndarray:
    """Choose uniformly among the allowed entries of each row.

    Args:
        allowed: bool [B, choices], one at least in every row.
        number: uniform in [0, 1), float64 [B].

    Returns:
        int64 [B].
    """
    rows, choices = np.nonzero(allowed)
    count = np.bincount(rows, minlength=len(allowed))
    first = count.cumsum() - count
    return choices[first + (number * count).astype(np.int64)]


def _checked_ships(ship_sizes: Sequence[int], board_size: int) -> tuple[int, ...]:
    """Return the sizes as ints if there is always room for every ship, wherever the earlier ones lie."""
    if not isinstance(ship_sizes, Sequence):
        raise ValueError(f"ship_sizes must be a sequence of integers, not {ship_sizes!r}")
    sizes = tuple(checked_count("each of ship_sizes", size) for size in ship_sizes)
    if not sizes:
        raise ValueError("ship_sizes must name one ship at least")
    earlier = 0
    for size in sizes:
        # A part of an earlier ship lies in at most `size` places of this ship along its row and as many along its column.
        if 2 * board_size * (board_size - size + 1) <= 2 * size * earlier or size > board_size:
            raise ValueError(
                f"ships of sizes {sizes} may not fit on {board_size} x {board_size}: fewer, or a larger board"
            )
        earlier += size
    if earlier >= board_size**2:
        raise ValueError(f"ships of sizes {sizes} fill the whole board: a larger one is needed")
    return sizes
