"""Counts, weights and probabilities of runs of tags are those of the definitions, and rows sum to one."""

import numpy as np
import pytest

from recurrent_rl.sequence.hmm.tagging.ngrams import count_grams, interpolation, log_transitions

SENTENCES = [np.array(row) for row in ([0, 1, 0, 1, 2], [1], [0, 1, 0])]  # the boundary is 3


def random_sentences(seed, tags=4, count=40):
    rng = np.random.default_rng(seed)
    return [rng.integers(0, tags, size=rng.integers(1, 9)) for _ in range(count)]


def runs(sentences, tags, order):
    """Counts by the definition, one sentence at a time."""
    found = {}
    for row in sentences:
        line = [tags] * (order - 1) + row.tolist() + [tags]
        for start in range(len(line) - order + 1):
            run = tuple(line[start : start + order])
            found[run] = found.get(run, 0) + 1
    return found


@pytest.mark.parametrize("order", [2, 3])
@pytest.mark.parametrize("sentences", [SENTENCES, random_sentences(0), SENTENCES[1:2]])
def test_runs_never_cross_sentences(sentences, order):
    grams, counts = count_grams(sentences, 4, order)
    assert {tuple(gram): n for gram, n in zip(grams.tolist(), counts.tolist(), strict=True)} == runs(
        sentences, 4, order
    )


def by_the_paper(sentences, tags):
    """Figure 1 of the paper, with one added to each lambda; ties go to the lowest order."""
    three, lambdas = runs(sentences, tags, 3), [1.0, 1.0, 1.0]
    total = sum(three.values())

    def f(**fixed):
        return sum(n for run, n in three.items() if all(run[int(k[1])] == v for k, v in fixed.items()))

    for (a, b, c), n in three.items():
        pairs = [(f(t2=c), total), (f(t1=b, t2=c), f(t1=b)), (n, f(t0=a, t1=b))]
        estimates = [(above - 1) / (below - 1) if below > 1 else 0.0 for above, below in pairs]
        lambdas[int(np.argmax(estimates))] += n
    return np.array(lambdas) / sum(lambdas)


@pytest.mark.parametrize("seed", range(3))
def test_weights_are_those_of_deleted_interpolation(seed):
    sentences = random_sentences(seed)
    np.testing.assert_allclose(interpolation(*count_grams(sentences, 4, 3)), by_the_paper(sentences, 4))


@pytest.mark.parametrize("order", [2, 3])
def test_probabilities_sum_to_one_in_every_context_seen_or_not(order):
    grams, counts = count_grams(SENTENCES, 3, order)
    table = log_transitions(grams, counts, interpolation(grams, counts), 3)
    assert table.shape == (4,) * order
    np.testing.assert_allclose(np.exp(table).sum(-1), np.ones((4,) * (order - 1)))


def test_probabilities_are_the_weighted_shares():
    grams, counts = count_grams(SENTENCES, 3, 3)
    weights = np.array([0.2, 0.3, 0.5])
    table = np.exp(log_transitions(grams, counts, weights, 3))
    # 12 runs end in: 0 four times, 1 four, 2 once, boundary three; after 0: 1 three times and the boundary once; after 1, 0
    np.testing.assert_allclose(table[1, 0, 1], 0.2 * 4 / 12 + 0.3 * 3 / 4 + 0.5 * 1 / 2)
    np.testing.assert_allclose(table[3, 0, 1], 0.2 * 4 / 12 + 0.3 * 3 / 4 + 0.5 * 2 / 2)
    np.testing.assert_allclose(table[2, 2, 1], 0.2 * 4 / 12)  # 2 2 never came: from 2 alone the boundary follows always
    np.testing.assert_allclose(table[2, 2, 3], 0.2 * 3 / 12 + 0.8)


def test_many_data_lead_to_the_highest_order():
    """A chain in which only both tags before tell the next."""
    rng = np.random.default_rng(0)
    sentences = []
    for _ in range(50):
        row = rng.integers(0, 2, size=2).tolist()
        for _ in range(40):
            row.append(row[-1] ^ row[-2] if rng.random() < 0.95 else int(rng.integers(0, 2)))
        sentences.append(np.array(row))
    assert interpolation(*count_grams(sentences, 2, 3))[2] > 0.8
