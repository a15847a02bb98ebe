"""Stand-ins have the types and shapes of the real data, and can be learned."""

import numpy as np
import pytest

from recurrent_rl.sequence.data import (
    brown_characters,
    brown_tags,
    ecg5000,
    electricity,
    japanese_vowels,
    spoken_digits,
    stand_in,
)
from recurrent_rl.sequence.data.brown_characters import unigram_bits
from recurrent_rl.sequence.data.word_codes import COLUMNS
from recurrent_rl.sequence.data.words import WordTagging
from recurrent_rl.sequence.problems import Classification, NextStep

PROBLEMS = {
    "japanese-vowels": Classification(japanese_vowels.CLASSES),
    "spoken-digits": Classification(spoken_digits.CLASSES),
    "ecg5000": Classification(ecg5000.CLASSES),
    "brown-tags": WordTagging(brown_tags.CLASSES),
    "brown-characters": NextStep(brown_characters.SYMBOLS),
    "electricity": electricity.problem(),
}
FEATURES = {"japanese-vowels": 12, "spoken-digits": 13, "ecg5000": 1, "electricity": 11}


def parts(name, seed=0):
    found = stand_in(name, seed)
    return found.train, found.validation, found.test


@pytest.mark.parametrize("name", PROBLEMS)
def test_the_seed_decides(name):
    for one, same, other in zip(parts(name), parts(name), parts(name, 1), strict=True):
        assert all(np.array_equal(a, b) for a, b in zip(one.inputs, same.inputs, strict=True))
        assert not all(np.array_equal(a, b) for a, b in zip(one.inputs, other.inputs))


@pytest.mark.parametrize("name", PROBLEMS)
def test_each_part_makes_a_batch_and_gets_scores(name):
    problem = PROBLEMS[name]
    for part in parts(name):
        batch = problem.batch(part, range(min(3, len(part))))
        assert len(batch.inputs) == batch.lengths.max()
        lengths = [len(row) - isinstance(problem, NextStep) for row in part.inputs]
        zeros = [
            np.zeros((length, problem.output_size) if problem.per_step else problem.output_size) for length in lengths
        ]
        assert problem.scores(zeros, part)


@pytest.mark.parametrize("name", FEATURES)
def test_features_are_those_of_the_real_data(name):
    for part in parts(name):
        assert {(row.dtype, row.shape[1]) for row in part.inputs} == {(np.dtype(np.float32), FEATURES[name])}


@pytest.mark.parametrize("name", ["japanese-vowels", "spoken-digits", "ecg5000"])
@pytest.mark.parametrize("seed", range(5))
def test_every_class_is_in_training_and_the_nearest_mean_of_quarters_finds_it(name, seed):
    train, _, test = parts(name, seed)
    quarters = [
        [np.concatenate([q.mean(0) for q in np.array_split(row, 4)]) for row in part.inputs] for part in (train, test)
    ]
    labels = np.array(train.targets)
    assert set(labels) == set(range(PROBLEMS[name].output_size))
    centres = np.stack([np.array(quarters[0])[labels == label].mean(0) for label in np.unique(labels)])
    found = [np.argmin(np.square(centres - row).sum(1)) for row in quarters[1]]
    assert np.mean(found == np.array(test.targets)) > 0.8


@pytest.mark.parametrize("seed", range(5))
def test_the_word_tells_most_tags_but_not_all(seed):
    train, _, test = parts("brown-tags", seed)
    assert {row.shape[1] for row in train.inputs} == {COLUMNS}
    assert max(row.max() for row in train.inputs) < brown_tags.SYMBOLS
    counts = np.ones((brown_tags.SYMBOLS, brown_tags.CLASSES)) * 1e-3
    np.add.at(counts, (np.concatenate(train.inputs)[:, 0], np.concatenate(train.targets)), 1)
    found = counts.argmax(1)[np.concatenate(test.inputs)[:, 0]] == np.concatenate(test.targets)
    assert 0.8 < found.mean() < 1.0


@pytest.mark.parametrize("seed", range(5))
def test_the_character_before_tells_much_of_the_next(seed):
    train, _, test = parts("brown-characters", seed)
    assert max(row.max() for row in train.inputs) < brown_characters.SYMBOLS
    counts = np.full((brown_characters.SYMBOLS, brown_characters.SYMBOLS), 0.01)
    for row in train.inputs:
        np.add.at(counts, (row[:-1], row[1:]), 1)
    bits = -np.log2(counts / counts.sum(1, keepdims=True))
    found = np.mean(np.concatenate([bits[row[:-1], row[1:]] for row in test.inputs]))
    assert found < unigram_bits(train, test, brown_characters.SYMBOLS) - 1.0


@pytest.mark.parametrize("seed", range(5))
def test_the_day_before_tells_much_of_the_next_day(seed):
    test = stand_in("electricity", seed).test
    wanted = np.stack(test.targets)
    assert {row.shape for row in test.inputs} == {(168, 11)}
    before = np.stack([row[-24:, :2].reshape(-1) for row in test.inputs])
    assert np.abs(wanted - before).mean() < 0.6 * np.abs(wanted - wanted.mean()).mean()
