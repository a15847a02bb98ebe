"""Tasks that ask for a state: what a stream of symbols has made of it, at every step.

The state is an element of a group, and every symbol multiplies it by one: the word problem of the group.

    parity           Z_2: the parity of a stream of bits
    permutations     S_5: where five things in a row lie after neighbours were swapped, or all left alone

S_5 is not solvable, so that its word problem is complete for NC^1: no stack of a fixed number of layers of attention, or
of linear recurrences with diagonal decays, computes it at every length (unless TC^0 = NC^1); one recurrent step does.

Source: Merrill et al. 2024, The Illusion of State in State-Space Models (the word problem of S_5, a label at every step; its
symbols are all 120 permutations); Grazzi et al. 2024, Unlocking State-Tracking in Linear RNNs Through Negative Eigenvalues
(parity; and S_5 by the identity and swaps alone). They swap any two; we have the four swaps of neighbours, which generate
the group too, since the fewer symbols there are the sooner it is learned: in about a minute, which is what a run has.
"""

from dataclasses import dataclass
from itertools import permutations

import torch
from torch import Tensor

ITEMS = 5
ARRANGEMENTS = list(permutations(range(ITEMS)))  # 120 states; the first is the identity


@dataclass(frozen=True, kw_only=True)
class Task:
    """A stream of symbols that moves a state.

    Args:
        name: Of the task.
        after: [states, symbols], the state after each symbol, from each state; the first state is the initial one.
    """

    name: str
    after: Tensor

    @property
    def states(self) -> int:
        return self.after.shape[0]

    @property
    def symbols(self) -> int:
        return self.after.shape[1]

    def draw(self, length: int, columns: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Return random symbols and their labels, the state after each, [length, columns] both."""
        symbols = torch.randint(self.symbols, (length, columns), generator=generator)
        return symbols, self.label(symbols)

    def label(self, symbols: Tensor) -> Tensor:
        """Return the state after each of symbols [T, B]."""
        labels, state = torch.empty_like(symbols), torch.zeros_like(symbols[0])
        for t, symbol in enumerate(symbols):
            labels[t] = state = self.after[state, symbol]
        return labels


def swap(arrangement: tuple[int, ...], i: int) -> tuple[int, ...]:
    """Return the arrangement with what lies at places i and i + 1 exchanged."""
    return (*arrangement[:i], arrangement[i + 1], arrangement[i], *arrangement[i + 2 :])


def _swapped() -> Tensor:
    """Return the table [120, 5] of `permutations`: symbol 0 does nothing, symbol i + 1 swaps places i and i + 1."""
    number = {arrangement: i for i, arrangement in enumerate(ARRANGEMENTS)}
    return torch.tensor([[number[a], *[number[swap(a, i)] for i in range(ITEMS - 1)]] for a in ARRANGEMENTS])


TASKS = {
    task.name: task
    for task in (
        Task(name="parity", after=torch.tensor([[0, 1], [1, 0]])),
        Task(name="permutations", after=_swapped()),
    )
}
