"""The real data are what the manifest says, with the floors that are printed beside results; needs fetched archives."""

from collections import Counter
from datetime import UTC, datetime
from itertools import chain
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from recurrent_rl.sequence.data import (
    ENTRIES,
    brown_characters,
    brown_tags,
    ecg5000,
    electricity,
    spoken_digits,
)
from recurrent_rl.sequence.data.archive import archive_path, read_members
from recurrent_rl.sequence.data.brown import by_part, read_documents
from recurrent_rl.sequence.data.cut import first_of_equals
from recurrent_rl.sequence.data.electricity_table import naive_error, read_table
from recurrent_rl.sequence.data.words import known_apart
from recurrent_rl.sequence.tasks import REAL

pytestmark = pytest.mark.slow


def need(name):
    if not archive_path(ENTRIES[name]).is_file():
        pytest.skip(f"{name} is not fetched")


def fetched(name):
    need(name)
    return REAL[name]().load(0)


def sizes(splits):
    return [len(part) for part in (splits.train, splits.validation, splits.test)]


def majority(train, test):
    label = Counter(map(int, train.targets)).most_common(1)[0][0]
    return 100 * np.mean(np.array(test.targets) == label)


@pytest.mark.parametrize("name", ENTRIES)
def test_every_member_is_in_the_archive(name):
    need(name)
    assert all(read_members(ENTRIES[name], ENTRIES[name].members).values())


def test_japanese_vowels():
    found = fetched("japanese-vowels")
    assert sizes(found) == [225, 45, 370]
    lengths = [len(row) for part in (found.train, found.validation, found.test) for row in part.inputs]
    assert (min(lengths), max(lengths)) == (7, 29)
    assert Counter(map(int, found.train.targets)) == dict.fromkeys(range(9), 25)
    assert max(Counter(map(int, found.test.targets)).values()) / 370 == pytest.approx(0.238, abs=5e-4)
    rows = [row for part in (found.train, found.validation, found.test) for row in part.inputs]
    assert len(first_of_equals(rows)) == 640


def test_spoken_digits():
    found = fetched("spoken-digits")
    assert sizes(found) == [2100, 300, 600]
    assert Counter(map(int, found.test.targets)) == dict.fromkeys(range(10), 60)
    lengths = [len(row) for part in (found.train, found.validation, found.test) for row in part.inputs]
    assert (min(lengths), max(lengths), sum(lengths)) == (6, 92, 53_999)
    assert {row.shape[1] for row in found.train.inputs} == {spoken_digits.FEATURES}


def test_ecg5000():
    found = fetched("ecg5000")
    assert sizes(found)[2] == 4500
    assert sum(sizes(found)[:2]) == 500
    assert {row.shape for row in found.test.inputs} == {(140, 1)}
    assert set(map(int, found.train.targets)) == set(range(ecg5000.CLASSES))
    assert majority(found.train, found.test) == pytest.approx(58.4, abs=0.05)


def test_brown_tags():
    need("brown-tags")
    documents = read_documents()
    found = brown_tags.tagged(documents)
    parts = (found.splits.train, found.splits.validation, found.splits.test)
    assert len(documents) == 500
    assert sizes(found.splits) == [46_175, 5_523, 5_642]
    assert [sum(map(len, part.inputs)) for part in parts] == [929_728, 115_661, 115_803]
    assert (len(found.tags), found.codes.symbols) == (brown_tags.CLASSES, brown_tags.SYMBOLS)
    test = found.splits.test
    assert 100 * np.concatenate(test.unknown).mean() == pytest.approx(4.29, abs=5e-3)
    train = list(chain.from_iterable(by_part(documents)["train"]))
    guesses = [brown_tags.most_frequent_tag(train, list(chain.from_iterable(test.words)))]
    wanted = np.array(found.tags)[np.concatenate(test.targets)]
    floor = known_apart([np.array(guesses[0]) == wanted], [np.concatenate(test.unknown)])
    print(floor)
    assert floor["accuracy"] == pytest.approx(90.93, abs=5e-3)
    assert floor["accuracy_unknown"] == pytest.approx(45.7, abs=0.05)


def test_brown_characters():
    found = fetched("brown-characters")
    assert sizes(found) == [400, 50, 50]
    streams = [row for part in (found.train, found.validation, found.test) for row in part.inputs]
    assert sum(map(len, streams)) == 6_127_074  # the corpus as one text has a new line less
    assert max(int(row.max()) for row in streams) == brown_characters.SYMBOLS - 1
    counts = np.bincount(np.concatenate(streams)) / 6_127_074
    assert -np.sum(counts * np.log2(counts)) == pytest.approx(4.444, abs=5e-4)  # of the whole corpus
    floor = brown_characters.unigram_bits(found.train, found.test, brown_characters.SYMBOLS)
    assert floor == pytest.approx(4.457, abs=5e-4)  # of the test, from training


def test_electricity():
    found, table = fetched("electricity"), read_table()
    train, _, test = table.parts
    assert len(table.demand) == 52_608
    assert sizes(found) == [6074, 870, 1746]
    assert {row.shape for row in found.test.inputs} == {(168, electricity.FEATURES)}
    assert table.demand[train].mean() == pytest.approx(electricity.MEAN, abs=1e-3)
    assert table.demand[train].std() == pytest.approx(electricity.DEVIATION, abs=1e-3)
    assert naive_error(table.demand, train, 336)[0] == pytest.approx(electricity.WEEK_NAIVE, abs=1e-3)
    floors = {lag: naive_error(table.demand, test, lag) for lag in (1, 48, 336)}
    print(floors)
    assert floors[1] == pytest.approx((114.7, 2.51), abs=0.05)
    assert floors[48] == pytest.approx((320.6, 6.90), abs=0.05)
    assert floors[336] == pytest.approx((242.3, 5.22), abs=0.05)
    steps = np.concatenate(found.train.inputs)
    assert np.isfinite(steps).all()
    assert np.abs(steps).max() < 10


def test_the_clock_of_the_electricity_is_that_of_melbourne():
    need("electricity")
    local = read_table().local
    start = datetime(2011, 12, 31, 13, tzinfo=UTC).timestamp()
    times = [datetime.fromtimestamp(start + 1800 * row, ZoneInfo("Australia/Melbourne")) for row in range(len(local))]
    np.testing.assert_array_equal(local, np.array([time.replace(tzinfo=None) for time in times], dtype="datetime64[m]"))
