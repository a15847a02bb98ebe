"""Made-up texts have the types and shapes of the real ones, and can be learned."""

import numpy as np
import pytest

from recurrent_rl.sequence.data.entities import entity_scores
from recurrent_rl.sequence.data.pronunciations import pronunciation_errors
from recurrent_rl.sequence.data.stand_ins import stand_in
from recurrent_rl.sequence.data.text_stand_ins import TEXT_STAND_INS
from recurrent_rl.sequence.data.tweet_entities import Tweet, most_frequent_tags
from recurrent_rl.sequence.data.word_codes import COLUMNS
from recurrent_rl.sequence.tasks.texts import TEXTS


def parts(name, seed=0):
    found = stand_in(name, seed)
    return found.train, found.validation, found.test


@pytest.mark.parametrize("name", TEXT_STAND_INS)
def test_the_seed_decides(name):
    for one, same, other in zip(parts(name), parts(name), parts(name, 1), strict=True):
        assert all(np.array_equal(a, b) for a, b in zip(one.inputs, same.inputs, strict=True))
        assert not all(np.array_equal(a, b) for a, b in zip(one.inputs, other.inputs))


@pytest.mark.parametrize("name", TEXT_STAND_INS)
def test_each_part_makes_a_batch_and_gets_the_scores_of_its_task(name):
    task = TEXTS[name]()
    for part in parts(name):
        assert all(row.dtype == np.int64 and 0 <= row.min() <= row.max() < task.symbols for row in part.inputs)
        batch = task.problem.batch(part, range(3))
        assert len(batch.inputs) == batch.lengths.max()
        ended = [len(row) + 1 for row in part.targets] if name == "spelling-to-sound" else map(len, part.inputs)
        size = task.problem.output_size
        zeros = [np.zeros((length, size) if task.problem.per_step else size) for length in ended]
        scores = task.problem.scores(zeros, part)
        assert np.isfinite(scores[task.metric])
        assert scores["nats"] == pytest.approx(np.log(size))


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    ("name", "least"), [("reuters-r8", 0.9), ("movie-reviews", 0.65), ("movie-reviews-long", 0.65)]
)
def test_words_alone_tell_topics_and_most_verdicts(name, least, seed):
    train, _, test = parts(name, seed)
    symbols, classes = max(row.max() for part in (train, test) for row in part.inputs) + 1, max(train.targets) + 1
    counts = np.ones((symbols, classes))
    for row, label in zip(train.inputs, train.targets, strict=True):
        np.add.at(counts[:, label], row, 1)
    evidence = np.log(counts / counts.sum(0))
    found = [evidence[row].sum(0).argmax() for row in test.inputs]
    assert np.mean(found == np.array(test.targets)) > least


@pytest.mark.parametrize("seed", range(3))
def test_names_are_told_by_the_word_for_the_most_part(seed):
    train, _, test = parts("tweet-entities", seed)
    assert {row.shape[1] for row in train.inputs} == {COLUMNS}
    known = [Tweet(tuple(words), tuple(tags)) for words, tags in zip(train.words, train.targets, strict=True)]
    assert 30 < entity_scores(most_frequent_tags(known, test.words), test.targets)["f1"] < 100


def test_some_words_have_two_ways_and_either_is_right():
    _, _, test = parts("spelling-to-sound")
    assert {len(ways) for ways in test.ways} == {1, 2}
    assert pronunciation_errors([ways[-1] for ways in test.ways], test) == {"word_error": 0.0, "phone_error": 0.0}
