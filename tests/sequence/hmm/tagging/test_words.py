"""Known words have the shares of their tags, new ones those of words that end and look alike."""

import numpy as np
import pytest

from recurrent_rl.sequence.hmm.tagging.counts import count, from_state
from recurrent_rl.sequence.hmm.tagging.words import Words, count_words, shape, spread

SENTENCES = [["The", "runner", "runs", "fast"], ["The", "walking", "runs"], ["Smith", "walks", "the", "runs", "3rd"]]
TAGS = [np.array(row) for row in ([0, 1, 2, 3], [0, 2, 1], [1, 2, 0, 2, 3])]


def made(rare=10, theta=0.5, guess_weight=0.0, ending_length=3):
    lexicon, endings = count_words(SENTENCES, TAGS, 4, rare, ending_length)
    total = np.bincount(np.concatenate(TAGS), minlength=4).astype(float)
    return Words(lexicon, endings, total, theta, guess_weight, ending_length)


def test_counts_are_those_of_the_pairs():
    found = count([("a", 2, 1.0), ("b", 0, 2.0), ("a", 2, 3.0), ("a", 0, 1.0)], 3)
    assert [array.tolist() for array in found.row("a")] == [[0, 2], [1.0, 4.0]]
    assert [array.tolist() for array in found.row("b")] == [[0], [2.0]]
    assert found.row("c") is None
    again = from_state(found.state())
    assert again.rows == found.rows
    assert [array.tolist() for array in again.row("a")] == [[0, 2], [1.0, 4.0]]


def test_nothing_counted_is_no_error():
    assert count([], 3).row("a") is None


def test_known_words_have_the_shares_of_their_tags():
    words = made()
    np.testing.assert_allclose(words.probabilities("runs", False), [0, 1 / 3, 2 / 3, 0])
    np.testing.assert_allclose(words.probabilities("The", True), [1, 0, 0, 0])
    assert words.known("runs")
    assert not words.known("Runs")


def test_the_guess_counts_as_its_weight():
    words = made(guess_weight=2.0)
    guess = words.guess("runs", False)
    np.testing.assert_allclose(words.probabilities("runs", False), (np.array([0, 1, 2, 0]) + 2 * guess) / 5)


def test_a_new_first_word_is_looked_up_in_small_letters():
    words = made()
    np.testing.assert_allclose(words.probabilities("Runs", True), words.probabilities("runs", False))
    assert not np.allclose(words.probabilities("Runs", False), words.probabilities("runs", False))


def test_endings_are_mixed_from_short_to_long():
    """By hand for the new word `jumps`: all, all rare words, their shape, then s and ks as far as it was seen."""
    found = made(theta=0.5).guess("jumps", False)
    shares = [
        np.array([3, 3, 4, 2]) / 12,  # all words
        np.array([3, 3, 4, 2]) / 12,  # all are rare here
        np.array([1, 2, 4, 1]) / 8,  # small letters
        np.array([0, 1, 3, 0]) / 4,  # ... s: runs three times and walks; ...ps never came
    ]
    wanted = shares[0]
    for share in shares[1:]:
        wanted = (share + 0.5 * wanted) / 1.5
    np.testing.assert_allclose(found, wanted)


def test_only_rare_words_teach_endings():
    words = made(rare=1, theta=0.0)
    np.testing.assert_allclose(words.guess("jumps", False), [0, 0, 1, 0])  # walks alone, as runs came three times
    np.testing.assert_allclose(made(rare=0).guess("jumps", False), np.array([3, 3, 4, 2]) / 12)


@pytest.mark.parametrize("theta", [0.0, 0.3, 5.0])
@pytest.mark.parametrize("word", ["jumps", "Xyz", "3rd", "a", "well-run", "ABC", "", "."])
def test_guesses_are_probabilities(word, theta):
    found = made(theta=theta).guess(word, False)
    np.testing.assert_allclose(found.sum(), 1.0)
    assert (found >= 0).all()


def test_shapes_part_what_spelling_parts():
    words = ["3rd", "ABC", "Smith", "well-run", "walks", "A", "-"]
    assert [shape(word, False) for word in words] == [
        "digit",
        "capitals",
        "capital",
        "hyphen",
        "other",
        "capital",
        "other",
    ]
    assert shape("Smith", True) == "first"


def test_theta_of_the_paper_is_the_standard_deviation_of_the_tags_shares():
    np.testing.assert_allclose(spread(np.array([1.0, 3.0])), np.std([0.25, 0.75], ddof=1))
    assert spread(np.array([5.0])) == 0.0
