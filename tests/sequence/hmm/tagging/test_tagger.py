"""The tagger's paths are the best of all by enumeration, and as accurate as the chain that made the words allows."""

import io
import itertools

import numpy as np
import pytest
import torch

from recurrent_rl.sequence.hmm import HMM, Categorical, HMMTagger, fit_tagger, paths
from recurrent_rl.sequence.hmm.tagging.lattice import best_paths
from tests.sequence.hmm.chains import sampled

TAGS, VOCABULARY = 4, 40


def corpus(count, seed, tags=TAGS, words=VOCABULARY):
    """Sentences of a chain, as words and as symbols; words of each tag end alike mostly."""
    rng = np.random.default_rng(0)
    transition, emission = rng.dirichlet(np.full(tags, 0.5), tags), rng.dirichlet(np.full(words, 0.15), tags)
    rng = np.random.default_rng(seed)
    emit = lambda z, rng: np.array([rng.choice(words, p=emission[k]) for k in z])  # noqa: E731
    symbols, labels = sampled(np.full(tags, 1 / tags), transition, emit, rng.integers(1, 12, size=count), rng)
    spelled = [[f"{'abcdefgh'[s % 8]}{s}{'xyzw'[int(emission[:, s].argmax())]}" for s in row] for row in symbols]
    return spelled, symbols, labels, (transition, emission)


def every_path(model, sentence, allowed=None):
    """All paths through the allowed tags of each word, [N, T], and their scores [N]."""
    found = np.array(list(itertools.product(*(allowed or [range(model.spec.tags)] * len(sentence)))))
    edge = np.full((len(found), 1), model.spec.tags)
    line = np.concatenate([*[edge] * (model.spec.order - 1), found, edge], axis=1)
    runs = np.lib.stride_tricks.sliding_window_view(line, model.spec.order, axis=1)  # [N, T + 1, order]
    scores = model.log_table[tuple(np.moveaxis(runs, -1, 0))].sum(1)
    return found, scores + model.word_scores(sentence)[np.arange(len(sentence)), found].sum(1)


@pytest.mark.parametrize("order", [2, 3])
@pytest.mark.parametrize("guess_weight", [0.0, 0.5])
def test_paths_are_the_best_of_all(order, guess_weight):
    words, _, labels, _ = corpus(60, 1)
    model = fit_tagger(HMMTagger(tags=TAGS, order=order, guess_weight=guess_weight), words, labels)
    tests = [row[:6] for row in corpus(25, 2)[0]] + [["unseen", "New", "c3x"], ["12"]]
    for sentence, found in zip(tests, model.predict(tests), strict=True):
        _, scores = every_path(model, sentence)
        np.testing.assert_allclose(model.log_score(sentence, found.tolist()), scores.max(), rtol=1e-12)
        assert found.dtype == np.int64


def test_fewer_candidates_give_the_best_path_among_them():
    words, _, labels, _ = corpus(60, 1)
    model = fit_tagger(HMMTagger(tags=TAGS, candidates=2), words, labels)
    sentence = ["unseen", "New", "other", "c3x"]
    likely = [
        np.argsort(-model.words.probabilities(word, place == 0), kind="stable")[:2].tolist()
        for place, word in enumerate(sentence)
    ]
    tried, scores = every_path(model, sentence, likely)
    assert model.predict([sentence])[0].tolist() == tried[scores.argmax()].tolist()


@pytest.mark.parametrize("size", [1, 7, 64])
def test_sentences_do_not_depend_on_their_batch(size, monkeypatch):
    words, _, labels, _ = corpus(80, 1)
    model = fit_tagger(HMMTagger(tags=TAGS), words, labels)
    tests = corpus(50, 3)[0]
    alone = [model.predict([sentence])[0].tolist() for sentence in tests]
    monkeypatch.setattr("recurrent_rl.sequence.hmm.tagging.tagger._BATCH", size)
    assert [found.tolist() for found in model.predict(tests)] == alone


@pytest.mark.parametrize("order", [2, 3])
@pytest.mark.parametrize("seed", range(3))
def test_lattice_of_random_scores_is_the_best_of_all(order, seed):
    rng = np.random.default_rng(seed)
    table, lengths = rng.normal(size=(5,) * order), np.array([5, 5, 3, 1])
    tags = np.stack([[rng.permutation(4)[:3] for _ in lengths] for _ in range(5)])
    scores = rng.normal(size=tags.shape)
    scores[2:, :, 1:] = -np.inf  # one candidate is left at the last steps
    found = best_paths(table, tags, scores, lengths)
    for b, length in enumerate(lengths):

        def total(choice, b=b):
            line = [4] * (order - 1) + [tags[t, b, c] for t, c in enumerate(choice)] + [4]
            steps = sum(table[tuple(line[i : i + order])] for i in range(len(line) - order + 1))
            return steps + sum(scores[t, b, c] for t, c in enumerate(choice))

        best = max(itertools.product(range(3), repeat=int(length)), key=total)
        assert found[:length, b].tolist() == [tags[t, b, c] for t, c in enumerate(best)]


@pytest.mark.parametrize("order", [2, 3])
def test_accuracy_is_near_that_of_the_chain_that_made_the_words(order):
    words, _, labels, _ = corpus(1500, 1)
    tests, symbols, wanted, (transition, emission) = corpus(400, 2)
    model = fit_tagger(HMMTagger(tags=TAGS, order=order), words, labels)
    true = HMM(states=TAGS, emission=Categorical(symbols=VOCABULARY)).build()
    with torch.no_grad():
        true.start_logits.zero_()
        true.transition_logits.copy_(torch.from_numpy(np.log(transition)))
        true.emission.logits.copy_(torch.from_numpy(np.log(emission)))
    flat = np.concatenate(wanted)
    found, best = (np.mean(np.concatenate(rows) == flat) for rows in (model.predict(tests), paths(true, symbols)))
    assert 0.6 < best < 0.97  # else the task shows nothing
    assert found > best - 0.02


def test_trigrams_see_what_bigrams_cannot():
    """A tag is the one two before, and words say little."""
    rng = np.random.default_rng(0)
    sentences, labels = [], []
    for _ in range(200):
        row = np.resize(rng.integers(0, 2, size=2), 12)
        labels.append(row)
        sentences.append([f"w{tag if rng.random() < 0.7 else 1 - tag}" for tag in row])
    accuracy = {}
    for order in (2, 3):
        found = fit_tagger(HMMTagger(tags=2, order=order), sentences[:150], labels[:150]).predict(sentences[150:])
        accuracy[order] = np.mean(np.concatenate(found) == np.concatenate(labels[150:]))
    assert accuracy[3] > accuracy[2] + 0.1


def test_endings_tell_the_tags_of_new_words():
    rng = np.random.default_rng(0)
    stems, endings = [f"{a}{b}{c}" for a in "bdgk" for b in "aeiou" for c in "lmnrst"], ["ing", "ed", "ly"]
    rows = [rng.integers(0, 3, size=6) for _ in range(300)]
    words = [[f"{stems[rng.integers(len(stems))]}{endings[tag]}" for tag in row] for row in rows]
    model = fit_tagger(HMMTagger(tags=3, rare=1000), words, rows)
    tests = [[f"zzz{endings[tag]}" for tag in row] for row in rows[:50]]
    assert np.mean(np.concatenate(model.predict(tests)) == np.concatenate(rows[:50])) == 1.0


def test_a_tag_that_training_lacks_is_never_given():
    model = fit_tagger(HMMTagger(tags=5), [["a", "b"], ["b"]], [np.array([0, 3]), np.array([3])])
    found = np.concatenate(model.predict([["a", "new", "b", "x"], ["y"]]))
    assert set(found.tolist()) <= {0, 3}


def test_a_state_dict_is_all_of_a_tagger_and_can_be_saved():
    words, _, labels, _ = corpus(60, 1)
    model = fit_tagger(HMMTagger(tags=TAGS), words, labels)
    file = io.BytesIO()
    torch.save(model.state_dict(), file)
    file.seek(0)
    other = HMMTagger(tags=TAGS).build()
    other.load_state_dict(torch.load(file, weights_only=True))
    tests = corpus(40, 2)[0]
    assert [row.tolist() for row in other.predict(tests)] == [row.tolist() for row in model.predict(tests)]
    with pytest.raises(ValueError, match="another spec"):
        HMMTagger(tags=TAGS + 1).build().load_state_dict(model.state_dict())


@pytest.mark.parametrize(
    ("sentences", "tags", "message"),
    [
        ([], [], "no sentences"),
        ([["a"], []], [np.array([0]), np.array([])], "Sentence 1 must be"),
        (["word"], [np.array([0])], "Sentence 0 must be"),
        ([["a"]], [], "tags for 0"),
        ([["a", "b"]], [np.array([0])], "2 words but 1 tags"),
        ([["a"]], [np.array([2])], "from 0 to 1"),
        ([["a"]], [np.array([-1])], "from 0 to 1"),
    ],
)
def test_bad_corpora_are_one_clear_error(sentences, tags, message):
    with pytest.raises(ValueError, match=message):
        fit_tagger(HMMTagger(tags=2), sentences, tags)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"tags": 0}, "tags must"),
        ({"order": 4}, "order must"),
        ({"candidates": 0}, "candidates must"),
        ({"theta": -1.0}, "theta must"),
        ({"guess_weight": -1.0}, "guess_weight must"),
        ({"tags": 472}, "use order=2"),
    ],
)
def test_bad_fields_are_refused_by_name(fields, message):
    with pytest.raises(ValueError, match=message):
        HMMTagger(**fields)
