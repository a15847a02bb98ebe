"""Tasks that ask for a state: what a word of symbols has made of it.

Trained on words of 1 to 40 symbols, and tested on longer ones: the test has lengths 41 to 500, as the score of Deletang et
al. has, and further tests have one length each. Validation is of training lengths. What counts is the answer at the end.

An LSTM gets at least 99.5% of words of length 500 in each of the three: seen with 32 units for parity and 128 for the
others, at a learning rate of 0.005 to 0.01 and within ten rounds of the data. The docstrings say what helps it.
"""

from collections.abc import Callable, Sequence
from functools import partial
from itertools import permutations as orders

import numpy as np

from recurrent_rl.sequence.batch import IGNORED, Array, Examples
from recurrent_rl.sequence.problems import Classification, Problem, Tagging
from recurrent_rl.sequence.task import Anchor, Splits, Task
from recurrent_rl.sequence.tasks.drawing import Sizes, streams, unseen

Words = tuple[Array, Array]
"""Symbols and labels [B, T] int64; a label says what the word up to there is worth, IGNORED where that is no word."""
Write = Callable[[np.random.Generator, int, int], Words]
"""Returns so many words of so many symbols."""
Choose = Callable[[Array], Array]
"""Returns a word's target, from the labels after its symbols [T]."""

LONGEST_TRAINED, LONGEST = 40, 500
LENGTHS = (40, 100, 250, 500)
SIZES = Sizes(train=20_000, validation=2000)
ARITHMETIC_SIZES = Sizes(train=40_000, validation=2000)

DIGITS = 5
PLUS, MINUS, TIMES = 5, 6, 7
ITEMS = 5
ARRANGEMENTS = list(orders(range(ITEMS)))  # 120; the first is the identity


def parity(sizes: Sizes = SIZES) -> Task:
    """Return parity: whether a word of zeros and ones has an odd number of ones, one label for the word.

    Because words of all lengths from 1 are in training, RNN, LSTM and GRU learn it from the label at the end alone.

    Source: Deletang et al. 2023, Neural Networks and the Chomsky Hierarchy.
    """
    source = "Deletang et al. 2023, lengths 41 to 500, best run (second-hand); unlimited training data"
    figures = {"RNN": 100.0, "LSTM": 100.0, "Transformer": 52.0}
    anchors = (Anchor("floor", 50.0, "either"), *(Anchor(name, value, source) for name, value in figures.items()))
    load = partial(draw_lengths, write_parity, (whole, whole), sizes)
    return _task("parity", Classification(2), 2, load, anchors)


def modular_arithmetic(sizes: Sizes = ARITHMETIC_SIZES) -> Task:
    """Return modular arithmetic: the value modulo 5 of digits 0..4 (symbols 0..4) between + - * (5, 6, 7), without brackets.

    Lengths are odd: an operator at the end is cut off, so that the test "500" has 499 symbols. As * binds stronger, the
    state is the sum of what is finished and the product that is not, 25 states after a digit, and then the operator.

    In training there is a label after each digit, the value up to there: an aid that Deletang et al. do not give. An LSTM
    learns without it too, in about twice as many rounds.

    Source: Deletang et al. 2023, Neural Networks and the Chomsky Hierarchy.
    """
    source = "Deletang et al. 2023, lengths 41 to 500, best run (second-hand); label at the end alone in training"
    figures = {"RNN": 100.0, "LSTM": 100.0, "Transformer": 24.2}
    published = (Anchor(name, value, source, comparable=False) for name, value in figures.items())
    anchors = (Anchor("floor", 100 / DIGITS, "any of 5 values"), *published)
    load = partial(draw_lengths, write_arithmetic, (every, last), sizes)
    return _task("modular-arithmetic", Tagging(DIGITS), TIMES + 1, load, anchors)


def permutations(sizes: Sizes = SIZES) -> Task:
    """Return permutations of five: the arrangement of five things, one of 120, after moves of a word.

    Symbol 0 leaves all in place, symbol i swaps what lies at places 0 and i, i in 1..4: these generate the group S5. Labels
    are numbers of arrangements in lexicographic order; in training one stands after each symbol.

    S5 is not solvable, so that its words are complete for NC^1: no fixed number of layers of attention, or of linear
    recurrences with diagonal decays, computes them at every length (unless TC^0 = NC^1); one recurrent step does. Merrill et
    al. have all 120 elements as symbols, which takes far longer to learn. With swaps that share a place the arrangement is
    as good as uniform after 40 moves (the likeliest has 0.835%), whatever the last symbol was.

    Source: Merrill et al. 2024, The Illusion of State in State-Space Models; Grazzi et al. 2024, Unlocking State-Tracking in
    Linear RNNs Through Negative Eigenvalues (words of swaps alone).
    """
    anchors = (Anchor("floor", 100 / len(ARRANGEMENTS), "any of 120 arrangements"),)
    load = partial(draw_lengths, write_swaps, (every, last), sizes)
    return _task("permutations", Tagging(len(ARRANGEMENTS)), ITEMS, load, anchors)


def write_parity(rng: np.random.Generator, count: int, length: int) -> Words:
    """Return words over 0 and 1, labels 0 or 1."""
    symbols = rng.integers(2, size=(count, length))
    return symbols, np.cumsum(symbols, axis=1) % 2


def write_arithmetic(rng: np.random.Generator, count: int, length: int) -> Words:
    """Return expressions, with their values after each digit and none after operators."""
    symbols = rng.integers(DIGITS, size=(count, length))
    symbols[:, 1::2] = rng.integers(PLUS, TIMES + 1, size=(count, length // 2))
    labels = np.full_like(symbols, IGNORED)
    finished, product = np.zeros(count, dtype=np.int64), symbols[:, 0]
    labels[:, 0] = product
    for t in range(2, length, 2):
        operator, digit = symbols[:, t - 1], symbols[:, t]
        finished = np.where(operator == TIMES, finished, finished + product) % DIGITS
        signed = np.where(operator == MINUS, -digit, digit)
        product = np.where(operator == TIMES, product * digit, signed) % DIGITS
        labels[:, t] = (finished + product) % DIGITS
    return symbols, labels


def write_swaps(rng: np.random.Generator, count: int, length: int) -> Words:
    """Return words of moves, with the arrangement after each."""
    symbols, after = rng.integers(ITEMS, size=(count, length)), _arrangement_after()
    labels, state = np.empty_like(symbols), np.zeros(count, dtype=np.int64)
    for t in range(length):
        labels[:, t] = state = after[state, symbols[:, t]]
    return symbols, labels


def whole(labels: Array) -> Array:
    """Return the label of a word, from those after its symbols [T]."""
    return labels[-1:].reshape(())


def every(labels: Array) -> Array:
    """Return labels [T] for each step."""
    return labels


def last(labels: Array) -> Array:
    """Return labels [T] that are IGNORED but for the last."""
    return np.append(np.full_like(labels[:-1], IGNORED), labels[-1:])


def draw_lengths(write: Write, choices: tuple[Choose, Choose], sizes: Sizes, seed: int) -> Splits:
    """Return words of trained lengths for training and validation, longer ones to test, and tests of one length each.

    Words of training are left out of validation, which thus has hardly any of the shortest; longer ones do not come twice.

    Args:
        write: Gives words and their labels.
        choices: Which labels are targets, in training and elsewhere.
        sizes: Validation is of that size before words are left out; each of the further tests is as large as the test.
        seed: Of all of them.
    """
    trained, tested = choices
    rngs = streams(seed, 3 + len(LENGTHS))
    train = _cut(write(rngs[0], sizes.train, LONGEST_TRAINED), 1, trained, rngs[0])
    validation = _cut(write(rngs[1], sizes.validation, LONGEST_TRAINED), 1, tested, rngs[1])
    test = _cut(write(rngs[2], sizes.test, LONGEST), LONGEST_TRAINED + 1, tested, rngs[2])
    longer = {str(n): _cut(write(rng, sizes.test, n), n, tested, rng) for n, rng in zip(LENGTHS, rngs[3:])}
    return Splits(train, unseen(validation, train), test, longer)


def _cut(words: Words, shortest: int, choose: Choose, rng: np.random.Generator) -> Examples:
    """Return words cut to random lengths, at the step before where there is no label."""
    symbols, labels = words
    rows = np.arange(len(symbols))
    ends = rng.integers(shortest, symbols.shape[1] + 1, size=len(symbols))
    ends = ends - (labels[rows, ends - 1] == IGNORED)
    inputs = [row[:end].copy() for row, end in zip(symbols, ends)]
    return Examples(inputs, [choose(row[:end]).copy() for row, end in zip(labels, ends)])


def _task(
    name: str, problem: Problem, symbols: int, load: Callable[[int], Splits], anchors: tuple[Anchor, ...]
) -> Task:
    return Task(
        name, "state tracking", problem, "accuracy", True, load, symbols=symbols, anchors=anchors, full=True
    )  # fmt: skip


def _arrangement_after() -> Array:
    """Return [120, 5], the number of the arrangement after each move from each."""
    number = {arrangement: index for index, arrangement in enumerate(ARRANGEMENTS)}
    table = [[number[_swapped(arrangement, i)] for i in range(ITEMS)] for arrangement in ARRANGEMENTS]
    return np.array(table)


def _swapped(arrangement: Sequence[int], place: int) -> tuple[int, ...]:
    moved = list(arrangement)
    moved[0], moved[place] = moved[place], moved[0]
    return tuple(moved)
