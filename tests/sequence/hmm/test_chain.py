"""Filter, smoother, pairs and Viterbi are what enumeration of all paths gives, whatever stands in the padding."""

import numpy as np
import pytest
import torch

from recurrent_rl.sequence.batch import IGNORED
from recurrent_rl.sequence.hmm import chain
from recurrent_rl.sequence.hmm.viterbi import viterbi
from tests.sequence.hmm.chains import enumerate_paths, log_total

LENGTHS = torch.tensor([5, 1, 3, 4])
CLOSE = {"rtol": 1e-10, "atol": 1e-10}


def logs(seed, states=3, zeros=0.0, scale=1.0):
    """Start [K], transition [K, K] and emission [T, B, K]; a share of transitions is zero, none of each row's first."""
    torch.manual_seed(seed)
    transition = scale * torch.randn(states, states, dtype=torch.float64)
    forbidden = torch.rand(states, states) < zeros
    forbidden.fill_diagonal_(False)
    transition = transition.masked_fill(forbidden, -torch.inf).log_softmax(-1)
    start = torch.randn(states, dtype=torch.float64).log_softmax(-1)
    return start, transition, scale * torch.randn(int(LENGTHS.max()), len(LENGTHS), states, dtype=torch.float64)


CASES = [
    logs(0),
    logs(1, zeros=0.5),
    logs(2, states=4, zeros=0.3),
    logs(3, scale=1000.0),
    logs(4, zeros=0.5, scale=1000.0),
]


def columns(case):
    """Each sequence by itself: its number, its arrays, all its paths and their log-probabilities."""
    start, transition, emission = case
    for b, length in enumerate(LENGTHS.tolist()):
        arrays = start.numpy(), transition.numpy(), emission[:length, b].numpy()
        yield b, length, arrays, *enumerate_paths(*arrays)


@pytest.mark.parametrize("case", CASES)
def test_filter_is_that_of_enumeration(case):
    found = chain.forward_filter(*case, LENGTHS)
    for b, length, (start, transition, emission), *_ in columns(case):
        before = 0.0
        for t in range(length):
            paths, joint = enumerate_paths(start, transition, emission[: t + 1])
            total = log_total(joint)
            states = [log_total(joint[paths[:, -1] == k]) - total for k in range(len(start))]
            np.testing.assert_allclose(found.log_state[t, b], states, **CLOSE)
            np.testing.assert_allclose(found.log_scale[t, b], total - before, **CLOSE)
            before = total
        assert (found.log_scale[length:, b] == 0).all()
        assert (found.log_state[length:, b] == found.log_state[length - 1, b]).all()


@pytest.mark.parametrize("case", CASES)
def test_next_state_is_that_of_enumeration(case):
    start, transition, emission = case
    found = chain.next_state(chain.forward_filter(*case, LENGTHS).log_state, transition)
    longer = torch.cat([emission, torch.zeros_like(emission[:1])])  # one step more, of which nothing is known
    for b, length, *_ in columns(case):
        paths, joint = enumerate_paths(start.numpy(), transition.numpy(), longer[[*range(length), -1], b].numpy())
        states = [log_total(joint[paths[:, -1] == k]) - log_total(joint) for k in range(len(start))]
        np.testing.assert_allclose(found[length - 1, b], states, **CLOSE)


@pytest.mark.parametrize("case", CASES)
def test_smoother_is_that_of_enumeration(case):
    found = chain.smooth(*case, LENGTHS).log_posterior.exp()
    for b, length, arrays, paths, joint in columns(case):
        share = np.exp(joint - log_total(joint))
        for t in range(length):
            states = [share[paths[:, t] == k].sum() for k in range(len(arrays[0]))]
            np.testing.assert_allclose(found[t, b], states, **CLOSE)


@pytest.mark.parametrize("case", CASES)
def test_pairs_and_their_counts_are_those_of_enumeration(case):
    start, transition, emission = case
    smoothed = chain.smooth(*case, LENGTHS)
    found = chain.pairwise(smoothed, transition, emission, LENGTHS).exp()
    counts, states = np.zeros((len(start), len(start))), range(len(start))
    for b, length, _, paths, joint in columns(case):
        share = np.exp(joint - log_total(joint))
        for t in range(length - 1):
            here = paths[:, t], paths[:, t + 1]
            pairs = [[share[(here[0] == i) & (here[1] == j)].sum() for j in states] for i in states]
            np.testing.assert_allclose(found[t, b], pairs, **CLOSE)
            counts += pairs
    np.testing.assert_allclose(chain.transition_counts(smoothed, transition, emission, LENGTHS), counts, **CLOSE)


@pytest.mark.parametrize("case", CASES)
def test_viterbi_is_the_best_of_all_paths(case):
    found, log_joint = viterbi(*case, LENGTHS)
    for b, length, _, paths, joint in columns(case):
        assert found[:length, b].tolist() == paths[joint.argmax()].tolist()
        assert (found[length:, b] == IGNORED).all()
        np.testing.assert_allclose(log_joint[b], joint.max(), **CLOSE)


def test_viterbi_takes_the_lowest_of_states_that_are_alike():
    flat = torch.zeros(3, dtype=torch.float64)
    found, _ = viterbi(flat, flat.expand(3, 3), flat.expand(4, 1, 3), torch.tensor([4]))
    assert found.flatten().tolist() == [0, 0, 0, 0]


@pytest.mark.parametrize("filler", [0.0, torch.inf, -torch.inf, torch.nan])
def test_padding_changes_neither_values_nor_gradients(filler):
    start, transition, emission = logs(5, zeros=0.3)
    lengths, results = torch.tensor([3, 1, 2, 3]), []
    for steps, outside in ((3, 0.0), (5, filler)):
        values = emission[:steps].clone().requires_grad_()
        inside = (torch.arange(steps).unsqueeze(1) < lengths).unsqueeze(-1)
        padded = torch.where(inside, values, outside)
        smoothed = chain.smooth(start, transition, padded, lengths)
        counts = chain.transition_counts(smoothed, transition, padded, lengths)
        path, best = viterbi(start, transition, padded, lengths)
        loss = smoothed.filtered.log_scale.sum() + (smoothed.log_posterior[:3] * inside[:3]).exp().square().sum()
        loss.backward()
        results.append((values.grad[:3], counts.detach(), path[:3], best, loss.detach()))
    for one, other in zip(*results, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-12, atol=1e-12)


def test_streams_go_on_from_the_state_that_was_left():
    start, transition, emission = logs(6)
    lengths = torch.full((4,), 5)
    whole = chain.forward_filter(start, transition, emission, lengths)
    first = chain.forward_filter(start, transition, emission[:2], torch.full((4,), 2))
    entry = chain.next_state(first.log_state[-1], transition)
    second = chain.forward_filter(entry, transition, emission[2:], torch.full((4,), 3))
    torch.testing.assert_close(torch.cat([first.log_state, second.log_state]), whole.log_state)
    torch.testing.assert_close(torch.cat([first.log_scale, second.log_scale]), whole.log_scale)


def test_an_impossible_step_is_passed_over_and_told():
    start, transition, emission = logs(7)
    emission[2, 0] = -torch.inf
    smoothed = chain.smooth(start, transition, emission, LENGTHS)
    assert smoothed.filtered.log_scale[2, 0] == -torch.inf
    unseen = emission.clone()
    unseen[2, 0] = 0.0
    wanted = chain.smooth(start, transition, unseen, LENGTHS)
    torch.testing.assert_close(smoothed.log_posterior[:5, 0], wanted.log_posterior[:5, 0])
    assert smoothed.log_posterior.isfinite().all()


def test_posterior_is_the_gradient_of_the_log_likelihood():
    start, transition, emission = logs(8)
    emission.requires_grad_()
    chain.forward_filter(start, transition, emission, LENGTHS).log_scale.sum().backward()
    smoothed = chain.smooth(start, transition, emission.detach(), LENGTHS)
    inside = (torch.arange(5).unsqueeze(1) < LENGTHS).unsqueeze(-1)
    torch.testing.assert_close(emission.grad, smoothed.log_posterior.exp() * inside)


@pytest.mark.parametrize("zeros", [0.0, 0.5])
def test_gradients_of_the_likelihood_pass_the_numerical_check(zeros):
    start, transition, emission = logs(9, zeros=zeros)
    possible = transition > -torch.inf

    def likelihood(start, transition, emission):
        rows = torch.where(possible, transition, -torch.inf).log_softmax(-1)
        return chain.forward_filter(start.log_softmax(-1), rows, emission, LENGTHS).log_scale.sum(0)

    free = start, torch.where(possible, transition, 0.0), emission
    assert torch.autograd.gradcheck(likelihood, [x.clone().requires_grad_() for x in free])
