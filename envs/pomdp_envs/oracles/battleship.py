"""Players of Battleship."""

from collections import Counter

import numpy as np

from pomdp_envs.players import Player
from pomdp_envs.popgym.battleship import covered, ship_places

HIT_WEIGHT = 10.0  # of a place for each hit that it would explain


class BattleshipOracle(Player):
    """Guess the cell that most places of ships cover, counting those without a miss, and far more those with hits.

    It remembers all guesses and never asks twice. The ships are weighed one by one as if they did not exclude each other,
    so it is good, not optimal.
    """

    def begin(self) -> None:
        """Remember hits and misses per cell, and the last guess."""
        shape = self.num_envs, self.dynamics.cells
        self.hits, self.misses = np.zeros(shape, dtype=np.float32), np.zeros(shape, dtype=np.float32)
        self.last = np.zeros(self.num_envs, dtype=np.int64)
        sizes = Counter(self.dynamics.ship_sizes)
        self.covers = [
            (number, covered(ship_places(self.dynamics.board_size, size), shape[1])) for size, number in sizes.items()
        ]

    def act(self, observation: np.ndarray, starts: np.ndarray) -> np.ndarray:
        """Note the answer to the last guess, and choose the next one."""
        columns = np.arange(self.num_envs)
        self.hits[columns, self.last] = observation
        self.misses[columns, self.last] = 1 - observation
        self.hits[starts] = self.misses[starts] = 0
        density = np.zeros_like(self.hits)
        for number, cover in self.covers:
            weight = (self.misses @ cover.T == 0) * HIT_WEIGHT ** (self.hits @ cover.T)  # [B, places]
            density += number * (weight @ cover)
        density[(self.hits + self.misses) > 0] = -1
        self.last = density.argmax(axis=1)
        return np.stack(np.divmod(self.last, self.dynamics.board_size), axis=1)


class BattleshipMemoryless(Player):
    """Guess at random, more often where ships lie more often.

    What is gained by guessing cell c with probability q in each of T steps is its chance to hold a ship times
    1 - (1 - q)^T. The sum over the cells is greatest where chance (1 - q)^(T - 1) is the same for all cells with q > 0.
    A search over all tables of probabilities (policy gradient, the small board) found nothing better.
    """

    def begin(self) -> None:
        """Work out how often to guess each cell, as limits [cells] of a uniform number; and start the random numbers."""
        chance = sum(covered(places, self.dynamics.cells).mean(axis=0) for places in self.dynamics.places)
        self.limits = best_guesses(np.asarray(chance, dtype=np.float64), self.dynamics.time_limit).cumsum()
        self.generator = np.random.default_rng(0)

    def act(self, observation: np.ndarray, starts: np.ndarray) -> np.ndarray:
        """Guess, whatever was seen."""
        cell = np.searchsorted(self.limits[:-1], self.generator.random(self.num_envs), side="right")
        return np.stack(np.divmod(cell, self.dynamics.board_size), axis=1)


def best_guesses(chance: np.ndarray, steps: int) -> np.ndarray:
    """Return the probabilities [cells] that hit most in so many independent guesses, by bisection of the multiplier."""

    def guesses(level: float) -> np.ndarray:
        return np.maximum(1 - (level / chance) ** (1 / (steps - 1)), 0)

    low, high = 0.0, float(chance.max())
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if guesses(middle).sum() > 1 else (low, middle)
    return guesses(high) / guesses(high).sum()
