"""Recall is solved by a dictionary, and who has none has the floors that are stated."""

import numpy as np
import pytest

from recurrent_rl.sequence.batch import IGNORED
from recurrent_rl.sequence.tasks.drawing import Sizes
from recurrent_rl.sequence.tasks.recall import NEARNESS, PAIRS, draw_recall, recall

SIZES = Sizes(train=20, validation=20, test=3000)


@pytest.fixture(scope="module")
def examples():
    return draw_recall(np.random.default_rng(0), 4000)


def said(rows):
    return [np.eye(64)[row] for row in rows]


def pairs_of(row):
    """Return the pairs that a sequence begins with."""
    count = int(np.argmin(row[1::2] >= 32))  # the first pair of steps without a value
    return dict(zip(row[: 2 * count : 2].tolist(), row[1 : 2 * count : 2].tolist()))


def test_who_has_a_dictionary_answers_every_query():
    task = recall(SIZES)
    splits = task.load(0)
    for tested in (splits.train, splits.test, *splits.longer.values()):
        found = []
        for row in tested.inputs:
            known, answers = {}, np.zeros(64, dtype=int)
            for t, symbol in enumerate(row):
                if symbol >= 32:
                    known[row[t - 1]] = symbol
                answers[t] = known.get(symbol, 0)
            found.append(answers)
        assert task.problem.scores(said(found), tested)["accuracy"] == 100


def test_who_always_gives_one_value_has_the_floor():
    task = recall(SIZES)
    test = task.load(0).test
    found = task.problem.scores(said([np.full(64, 40)] * len(test)), test)["accuracy"]
    assert found == pytest.approx(task.anchors[0].value, abs=0.4)
    assert task.anchors[0].value == 100 / 32


def test_who_keeps_the_values_but_not_their_keys_has_the_second_floor():
    task, rng = recall(SIZES), np.random.default_rng(1)
    test = task.load(0).test
    found = [np.full(64, 0) for _ in test.inputs]
    for row, answers in zip(test.inputs, found):
        answers[:] = rng.choice(list(pairs_of(row).values()), size=64)
    assert task.problem.scores(said(found), test)["accuracy"] == pytest.approx(task.anchors[1].value, abs=0.6)
    assert task.anchors[1].value == pytest.approx(100 * sum(count * 1 / count for count in PAIRS) / sum(PAIRS))


def test_each_key_is_asked_for_once_after_all_pairs(examples):
    counts = []
    for row, labels in zip(examples.inputs, examples.targets):
        known = pairs_of(row)
        assert len(set(known.values())) == len(known)
        asked = np.flatnonzero(labels != IGNORED)
        assert sorted(row[asked].tolist()) == sorted(known)
        assert (asked >= 2 * len(known)).all()
        assert (asked % 2 == 0).all()
        rest = np.delete(row[2 * len(known) :], asked - 2 * len(known))
        assert (rest == 0).all()
        counts.append(len(known))
    counted = np.bincount(counts)[4:]
    assert len(counted) == len(PAIRS)
    assert (np.abs(counted - 4000 / 13) < 5 * np.sqrt(4000 / 13)).all()


def test_keys_and_values_are_each_as_likely_as_any(examples):
    keys = np.bincount(np.concatenate([list(pairs_of(row)) for row in examples.inputs]), minlength=32)
    values = np.bincount(np.concatenate([list(pairs_of(row).values()) for row in examples.inputs]), minlength=64)[32:]
    assert keys[0] == 0
    np.testing.assert_allclose(keys[1:] / keys.sum(), 1 / 31, rtol=0.12)
    np.testing.assert_allclose(values / values.sum(), 1 / 32, rtol=0.12)


def test_the_first_keys_query_comes_by_the_papers_power_law():
    rows = draw_recall(np.random.default_rng(0), 40_000, (4,))
    inputs, targets = np.stack(rows.inputs), np.stack(rows.targets)
    places = ((inputs == inputs[:, :1]) & (targets != IGNORED)).argmax(1)
    found = np.bincount((places - 8) // 2, minlength=28) / len(inputs)
    weights = NEARNESS * np.arange(1, 29) ** (NEARNESS - 1)
    np.testing.assert_allclose(found, weights / weights.sum(), atol=0.01)


def test_further_tests_have_one_number_of_pairs_each():
    longer = recall(Sizes(train=10, validation=10, test=50)).load(0).longer
    counts = {name: {len(pairs_of(row)) for row in tested.inputs} for name, tested in longer.items()}
    assert counts == {"4 pairs": {4}, "8 pairs": {8}, "16 pairs": {16}}
