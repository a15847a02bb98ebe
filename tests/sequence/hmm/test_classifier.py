"""One chain for each class tells two known chains apart as well as their own numbers do."""

import numpy as np
import pytest
import torch

from recurrent_rl.sequence.batch import Examples
from recurrent_rl.sequence.hmm import (
    EM,
    HMM,
    Categorical,
    Gaussian,
    HMMClassifier,
    LeftRight,
    choose_states,
    classify,
    fit_classifier,
    log_likelihoods,
)
from recurrent_rl.sequence.problems import Classification
from tests.sequence.hmm.chains import batch, sampled

START = np.array([0.6, 0.4])
CHAINS = [np.array([[0.9, 0.1], [0.1, 0.9]]), np.array([[0.5, 0.5], [0.4, 0.6]])]
WORDS = np.array([[0.7, 0.2, 0.1], [0.1, 0.2, 0.7]])


def drawn(count, rng):
    """Sequences of 10 to 30 steps of two chains that differ in how long they stay; class 1 is twice as frequent."""
    labels = np.array([0, 1, 1] * (count // 3))
    emit = lambda z, rng: np.array([rng.choice(3, p=WORDS[k]) for k in z])  # noqa: E731
    lengths = rng.integers(10, 31, size=len(labels))
    rows = [sampled(START, CHAINS[c], emit, [n], rng)[0][0] for c, n in zip(labels, lengths, strict=True)]
    return Examples(rows, labels)


def bayes(examples):
    """The accuracy of the chains that made the data."""
    scores = []
    for transition, share in zip(CHAINS, (1 / 3, 2 / 3), strict=True):
        model = HMM(states=2, emission=Categorical(symbols=3)).build()
        with torch.no_grad():
            model.start_logits.copy_(torch.from_numpy(np.log(START)))
            model.transition_logits.copy_(torch.from_numpy(np.log(transition)))
            model.emission.logits.copy_(torch.from_numpy(np.log(WORDS)))
        scores.append(log_likelihoods(model, examples.inputs) + np.log(share))
    return np.mean(np.argmax(scores, axis=0) == examples.targets)


def test_accuracy_is_near_the_bayes_rate():
    rng = np.random.default_rng(0)
    train, test = drawn(450, rng), drawn(900, rng)
    spec = HMMClassifier(classes=2, hmm=HMM(states=2, emission=Categorical(symbols=3)))
    model = fit_classifier(spec, train, EM(restarts=2, iterations=40, tolerance=1e-3))
    accuracy = np.mean(classify(model, test.inputs).argmax(-1) == test.targets)
    best = bayes(test)
    assert 0.7 < best < 0.99
    assert accuracy > best - 0.03


def shapes(count, rng):
    """Rising and falling and flat curves of noise, of unequal lengths."""
    labels = np.arange(count) % 3
    slopes = np.array([1.0, -1.0, 0.0])[labels]
    places = [np.linspace(-1, 1, rng.integers(4, 15)) for _ in labels]
    rows = [
        (s * t + 0.4 * rng.normal(size=len(t)))[:, None].astype(np.float32) for s, t in zip(slopes, places, strict=True)
    ]
    return Examples(rows, labels)


def test_the_number_of_states_is_chosen_by_validation():
    rng = np.random.default_rng(1)
    spec = HMMClassifier(classes=3, hmm=HMM(emission=Gaussian(features=1, variance_floor=0.01), topology=LeftRight()))
    how = EM(restarts=1, iterations=10)
    train, validation = shapes(90, rng), shapes(90, rng)
    found = choose_states(spec, [4, 1], train, validation, how)
    assert found.model.spec.hmm.states == 4
    assert found.accuracies[4] > 0.85 > found.accuracies[1]
    scores = classify(found.model, validation.inputs)
    np.testing.assert_allclose(np.mean(scores.argmax(-1) == validation.targets), found.accuracies[4])


def test_scores_are_logits_for_the_same_loss_as_networks():
    examples, spec = drawn(9, np.random.default_rng(2)), HMMClassifier(hmm=HMM(emission=Categorical(symbols=3)))
    model, problem = spec.build(), Classification(2)
    prepared = problem.batch(examples, range(9))
    before = problem.losses(model(prepared.inputs, prepared.lengths)[0], prepared).mean()
    gradients = torch.autograd.grad(before, list(model.parameters()))
    with torch.no_grad():
        for parameter, gradient in zip(model.parameters(), gradients, strict=True):
            parameter -= 0.1 * gradient
    after = problem.losses(model(prepared.inputs, prepared.lengths)[0], prepared).mean()
    assert after < before


def test_durations_tell_classes_apart_that_only_differ_in_length():
    rng = np.random.default_rng(3)
    rows = [rng.integers(0, 3, size=n) for n in [*rng.integers(5, 9, size=20), *rng.integers(12, 20, size=20)]]
    examples = Examples(rows, np.repeat([0, 1], 20))
    hmm, how = HMM(states=1, emission=Categorical(symbols=3)), EM(restarts=1)
    with_lengths = fit_classifier(HMMClassifier(hmm=hmm, durations=True), examples, how)
    assert np.mean(classify(with_lengths, rows).argmax(-1) == examples.targets) == 1.0
    without = fit_classifier(HMMClassifier(hmm=hmm), examples, how)
    assert np.mean(classify(without, rows).argmax(-1) == examples.targets) < 0.8


def test_prior_is_counted_and_padding_changes_nothing():
    examples = drawn(30, np.random.default_rng(4))
    model = fit_classifier(HMMClassifier(hmm=HMM(states=2, emission=Categorical(symbols=3))), examples, EM(restarts=1))
    np.testing.assert_allclose(model.log_prior.exp().detach(), [1 / 3, 2 / 3])
    inputs, lengths = batch(examples.inputs)
    longer = torch.cat([inputs, torch.full_like(inputs, -9)])
    torch.testing.assert_close(model(longer, lengths)[0], model(inputs, lengths)[0])
    np.testing.assert_allclose(classify(model, examples.inputs, 7), model(inputs, lengths)[0].detach())


def test_a_state_dict_is_all_of_a_classifier():
    examples = drawn(12, np.random.default_rng(5))
    spec = HMMClassifier(hmm=HMM(states=2, emission=Categorical(symbols=3)), durations=True)
    model, other = fit_classifier(spec, examples, EM(restarts=1, iterations=3)), spec.build()
    other.load_state_dict(model.state_dict())
    np.testing.assert_array_equal(classify(model, examples.inputs), classify(other, examples.inputs))


@pytest.mark.parametrize(
    ("targets", "message"),
    [
        (None, "needs targets"),
        ([0, 2], "from 0 to 1"),
        ([-1, 0], "from 0 to 1"),
        ([0, 0], "Class 1 has no sequence"),
        ([0, 1, 1], "2 sequences and 3 labels"),
    ],
)
def test_labels_that_do_not_fit_are_one_clear_error(targets, message):
    examples = Examples([np.array([0, 1]), np.array([2])], targets)
    with pytest.raises(ValueError, match=message):
        fit_classifier(HMMClassifier(hmm=HMM(emission=Categorical(symbols=3))), examples)


def test_bad_sequences_are_told_by_their_place_among_all():
    examples = Examples([np.array([0, 1]), np.array([1]), np.array([3])], [0, 1, 1])
    with pytest.raises(ValueError, match="Sequence 2 has symbol 3"):
        fit_classifier(HMMClassifier(hmm=HMM(emission=Categorical(symbols=3))), examples)


def test_states_cannot_be_chosen_without_validation_data():
    train = Examples([np.array([0, 1]), np.array([2])], [0, 1])
    with pytest.raises(ValueError, match="0 sequences and 0 labels"):
        choose_states(HMMClassifier(hmm=HMM(emission=Categorical(symbols=3))), [2], train, Examples([], []))
