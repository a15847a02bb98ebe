"""Stand-ins have the types and shapes of the real data, and can be learned."""

import numpy as np
import pytest

from recurrent_rl.sequence.data.arts_stand_ins import ARTS_STAND_INS, TUNE
from recurrent_rl.sequence.data.splice import NUCLEOTIDES, STEPS
from recurrent_rl.sequence.tasks.arts import ARTS


def splits(name, seed=0):
    return ARTS_STAND_INS[name](np.random.default_rng(seed))


def parts(name, seed=0):
    found = splits(name, seed)
    return found.train, found.validation, found.test


@pytest.mark.parametrize("name", ARTS_STAND_INS)
def test_the_seed_decides(name):
    for one, same, other in zip(parts(name), parts(name), parts(name, 1), strict=True):
        assert all(np.array_equal(a, b) for a, b in zip(one.inputs, same.inputs, strict=True))
        assert not all(np.array_equal(a, b) for a, b in zip(one.inputs, other.inputs))


@pytest.mark.parametrize("name", ARTS_STAND_INS)
def test_each_part_makes_a_batch_and_gets_scores(name):
    task = ARTS[name]()
    problem = task.problem
    for part in parts(name):
        batch = problem.batch(part, range(min(3, len(part))))
        assert batch.inputs.shape[2:] == (() if task.features is None else (task.features,))
        lengths = [len(row) - problem.causal for row in part.inputs]
        zeros = [
            np.zeros((length, problem.output_size) if problem.per_step else problem.output_size) for length in lengths
        ]
        assert problem.scores(zeros, part)[task.metric] >= 0


@pytest.mark.parametrize("seed", range(5))
def test_a_made_up_chorale_repeats_itself(seed):
    for part in parts("chorales", seed):
        for roll in part.inputs:
            np.testing.assert_array_equal(roll[TUNE:], roll[:-TUNE])
            assert not np.array_equal(roll[1:], roll[:-1])


def test_a_made_up_film_moves_on_by_a_pixel():
    for part in parts("bikes"):
        for film in part.inputs:
            frames = film.reshape(len(film), 32, 32)
            np.testing.assert_array_equal(np.roll(frames[:-1], 1, axis=2), frames[1:])


@pytest.mark.parametrize("seed", range(5))
def test_made_up_sites_have_their_letters_in_the_middle(seed):
    for part in parts("splice", seed):
        for row, label in zip(part.inputs, part.targets, strict=True):
            assert list(row // 4) == list(range(STEPS))
            text = "".join(NUCLEOTIDES[symbol % 4] for symbol in row)
            assert label != 0 or text[STEPS // 2 :].startswith("GT")
            assert label != 1 or text[: STEPS // 2].endswith("AG")


@pytest.mark.parametrize("seed", range(5))
def test_a_made_up_exercise_is_known_by_its_mean(seed):
    train, _, test = parts("physiotherapy", seed)
    labels = np.array(train.targets)
    means = [np.stack([row.mean(0) for row in part.inputs]) for part in (train, test)]
    centres = np.stack([means[0][labels == label].mean(0) for label in np.unique(labels)])
    found = [np.argmin(np.square(centres - row).sum(1)) for row in means[1]]
    assert np.mean(found == np.array(test.targets)) > 0.9
