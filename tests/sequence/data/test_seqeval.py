"""Entities are counted as the seqeval package counts them, of tags in any order."""

import numpy as np
import pytest

from recurrent_rl.sequence.data.entities import entity_scores, tag_names

theirs = pytest.importorskip("seqeval.metrics")

NAMES = np.array(tag_names(("per", "loc", "org")))


def random_tags(rng, lengths, outside):
    """Tags [T] of each length, so many of them outside."""
    return [np.where(rng.random(n) < outside, 0, rng.integers(1, len(NAMES), size=n)) for n in lengths]


@pytest.mark.parametrize("outside", [0.0, 0.5, 0.9])
@pytest.mark.parametrize("seed", range(20))
def test_scores_of_random_tags_are_seqevals(seed, outside):
    rng = np.random.default_rng(seed)
    lengths = rng.integers(1, 12, size=15)
    wanted = random_tags(rng, lengths, outside)
    found = [np.where(rng.random(len(row)) < 0.7, row, rng.integers(len(NAMES), size=len(row))) for row in wanted]
    names = [[NAMES[row].tolist() for row in rows] for rows in (wanted, found)]
    scores = [theirs.precision_score, theirs.recall_score, theirs.f1_score]
    expected = [100 * score(*names, zero_division=0) for score in scores]
    assert list(entity_scores(found, wanted).values()) == pytest.approx(expected)
