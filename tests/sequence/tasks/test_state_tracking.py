"""Who keeps the state answers words of any length, and who sees less than the word has the floor that is stated."""

from itertools import permutations as orders

import numpy as np
import pytest

from recurrent_rl.sequence.batch import IGNORED
from recurrent_rl.sequence.tasks.drawing import Sizes
from recurrent_rl.sequence.tasks.state_tracking import (
    modular_arithmetic,
    parity,
    permutations,
    write_arithmetic,
    write_parity,
    write_swaps,
)

SIZES = Sizes(train=2000, validation=400, test=300)
MANY = Sizes(train=10, validation=10, test=2000)
BUILDERS = {"parity": parity, "modular arithmetic": modular_arithmetic, "permutations": permutations}
WORDS = "01234+-*"
NUMBERS = {arrangement: number for number, arrangement in enumerate(orders(range(5)))}


def parities(word):
    """A machine of two states: what the word up to each symbol is worth."""
    state, found = 0, []
    for symbol in word:
        state ^= int(symbol)
        found.append(state)
    return found


def values(word):
    """A machine of 25 states and an operator, 75 in all; -1 after operators."""
    finished, product, operator, found = 0, 0, "+", []
    for symbol in (WORDS[int(number)] for number in word):
        if symbol in "+-*":
            operator = symbol
            found.append(-1)
            continue
        if operator == "*":
            product = product * int(symbol) % 5
        else:
            finished, product = (finished + product) % 5, (int(symbol) if operator == "+" else -int(symbol)) % 5
        found.append((finished + product) % 5)
    return found


def arrangements(word):
    """Five things in a row, the first swapped with another or with itself."""
    things, found = list(range(5)), []
    for place in word:
        things[0], things[place] = things[place], things[0]
        found.append(NUMBERS[tuple(things)])
    return found


MACHINES = {"parity": parities, "modular arithmetic": values, "permutations": arrangements}
WRITERS = {"parity": write_parity, "modular arithmetic": write_arithmetic, "permutations": write_swaps}


def answers(task, examples, found):
    """Return logits as the problem wants them, from labels for each step of each word."""
    logits = [np.eye(task.problem.output_size, dtype=bool)[labels] for labels in found]
    return logits if task.problem.per_step else [rows[-1] for rows in logits]


@pytest.mark.parametrize("name", BUILDERS)
def test_who_keeps_the_state_answers_every_word(name):
    task = BUILDERS[name](SIZES)
    splits = task.load(0)
    for examples in (splits.train, splits.validation, splits.test, *splits.longer.values()):
        found = [MACHINES[name](word) for word in examples.inputs]
        assert task.problem.scores(answers(task, examples, found), examples)["accuracy"] == 100


@pytest.mark.parametrize("window", [1, 2, 6])
@pytest.mark.parametrize("name", BUILDERS)
def test_who_sees_the_last_symbols_alone_has_the_floor_on_long_words(name, window):
    """The commonest answer after each ending, counted on one half of the words and tried on the other."""
    rng = np.random.default_rng(0)
    symbols, labels = WRITERS[name](rng, 60_000, 41)
    endings = symbols[:, -window:] @ (8 ** np.arange(window))
    classes = BUILDERS[name](SIZES).problem.output_size
    counts = np.zeros((endings.max() + 1, classes), dtype=int)
    np.add.at(counts, (endings[:30_000], labels[:30_000, -1]), 1)
    found = counts.argmax(1)[endings[30_000:]]
    assert 100 * np.mean(found == labels[30_000:, -1]) == pytest.approx(BUILDERS[name]().anchors[0].value, abs=1.2)


@pytest.mark.parametrize("name", BUILDERS)
def test_who_always_gives_one_answer_has_the_floor_in_the_test(name):
    task = BUILDERS[name](MANY)
    test = task.load(0).test
    found = [np.full(len(word), 1) for word in test.inputs]
    accuracy = task.problem.scores(answers(task, test, found), test)["accuracy"]
    assert accuracy == pytest.approx(task.anchors[0].value, abs=4)


def test_values_are_pythons_own():
    symbols, labels = write_arithmetic(np.random.default_rng(0), 200, 41)
    for word, row in zip(symbols, labels):
        for end in range(1, 42, 2):
            assert row[end - 1] == eval("".join(WORDS[number] for number in word[:end])) % 5
        assert (row[1::2] == IGNORED).all()


def test_all_swaps_together_are_the_products_of_permutation_matrices():
    symbols, labels = write_swaps(np.random.default_rng(0), 50, 30)
    swaps = [np.eye(5, dtype=int)[[place, *range(1, place), 0, *range(place + 1, 5)]] if place else np.eye(5, dtype=int)
             for place in range(5)]  # fmt: skip
    for word, row in zip(symbols, labels):
        things = np.arange(5)
        for place, label in zip(word, row):
            things = swaps[place] @ things
            assert label == NUMBERS[tuple(things.tolist())]


def test_every_arrangement_is_reached_and_none_is_likelier_on_long_words():
    labels = write_swaps(np.random.default_rng(0), 60_000, 41)[1][:, -1]
    counts = np.bincount(labels, minlength=120)
    assert (np.abs(counts - 500) < 5 * np.sqrt(500)).all()


@pytest.mark.parametrize("name", BUILDERS)
def test_training_is_short_and_tests_are_long(name):
    splits, odd = BUILDERS[name](SIZES).load(0), name == "modular arithmetic"
    lengths = [{len(word) for word in examples.inputs} for examples in (splits.train, splits.test)]
    step = 2 if odd else 1
    assert lengths[0] == set(range(1, 41, step))
    assert lengths[1] <= set(range(41, 501, step))
    assert max(lengths[1]) >= 480
    assert min(lengths[1]) <= 60
    for asked, examples in splits.longer.items():
        assert {len(word) for word in examples.inputs} == {int(asked) - (1 if odd else 0)}


@pytest.mark.parametrize("build", [modular_arithmetic, permutations])
def test_only_training_has_labels_on_the_way(build):
    splits, step = build(SIZES).load(0), 2 if build is modular_arithmetic else 1
    for word, labels in zip(splits.train.inputs, splits.train.targets):
        assert (labels[::step] != IGNORED).all()
        assert len(labels) == len(word)
    for examples in (splits.validation, splits.test, *splits.longer.values()):
        assert all((labels[:-1] == IGNORED).all() and labels[-1] != IGNORED for labels in examples.targets)


def test_validation_lacks_the_words_that_training_has_all_of():
    splits = parity(Sizes(train=20_000, validation=2000, test=10)).load(0)
    lengths = [len(word) for word in splits.validation.inputs]
    assert min(lengths) > 5
    assert 1300 < len(lengths) < 1800
