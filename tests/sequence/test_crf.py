"""A conditional random field agrees with enumeration of all paths, has right gradients, and padding counts nowhere."""

import itertools

import numpy as np
import pytest
import torch

from recurrent_rl.sequence.batch import IGNORED
from recurrent_rl.sequence.crf import Field, best_tags, log_partition, log_probability
from tests.sequence.hmm.chains import enumerate_paths

TAGS, LENGTHS = 3, torch.tensor([4, 1, 5, 2])


def field(forbidden=False, seed=0):
    """Scores of four sequences, what stands after an end among them; some of them impossible where wanted."""
    draw = torch.Generator().manual_seed(seed)
    sizes = ((5, 4, TAGS), (TAGS, TAGS), (TAGS,), (TAGS,))
    scores = [2 * torch.randn(size, generator=draw, dtype=torch.float64) for size in sizes]
    if forbidden:
        scores[1][0, 2] = scores[1][2, 2] = scores[2][2] = -torch.inf
    return Field(*scores)


def column(one, index):
    """Paths of a sequence [N, T] and their scores [N], by enumeration."""
    emission = one.emission[: LENGTHS[index], index].clone()
    emission[-1] += one.end
    return enumerate_paths(one.start.numpy(), one.transition.numpy(), emission.numpy())


def tags_of(rows):
    """Tags [T, B] of lists of them."""
    padded = [list(row) + [IGNORED] * (5 - len(row)) for row in rows]
    return torch.tensor(padded).t()


@pytest.mark.parametrize("forbidden", [False, True])
def test_the_partition_is_the_sum_over_all_paths(forbidden):
    one = field(forbidden)
    wanted = [torch.from_numpy(column(one, index)[1]).logsumexp(0) for index in range(4)]
    torch.testing.assert_close(log_partition(one, LENGTHS), torch.stack(wanted))


@pytest.mark.parametrize("forbidden", [False, True])
def test_each_path_has_its_share_of_the_partition(forbidden):
    one = field(forbidden)
    for index, length in enumerate(LENGTHS.tolist()):
        found, scores = column(one, index)
        alone = one._replace(emission=one.emission[:length, index : index + 1].expand(-1, len(found), -1))
        log_p = log_probability(alone, torch.from_numpy(found).t(), torch.full((len(found),), length))
        torch.testing.assert_close(log_p, torch.from_numpy(scores).log_softmax(0))


def test_a_tag_that_is_not_told_may_be_any():
    one, lengths = field(), torch.tensor([4])
    alone = one._replace(emission=one.emission[:4, :1])
    hidden = log_probability(alone, torch.tensor([[1], [IGNORED], [0], [IGNORED]]), lengths)
    paths = [(1, second, 0, last) for second, last in itertools.product(range(TAGS), repeat=2)]
    each = [log_probability(alone, torch.tensor(path).unsqueeze(1), lengths) for path in paths]
    torch.testing.assert_close(hidden, torch.stack(each).logsumexp(0))


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("forbidden", [False, True])
def test_viterbi_finds_the_best_of_all_paths(forbidden, seed):
    one = field(forbidden, seed)
    found = best_tags(one, LENGTHS)
    for index, length in enumerate(LENGTHS.tolist()):
        paths, scores = column(one, index)
        assert found[:length, index].tolist() == paths[np.argmax(scores)].tolist()
        assert (found[length:, index] == IGNORED).all()


def test_gradients_are_right():
    one = [leaf.requires_grad_() for leaf in field()]
    tags = tags_of([[0, 1, 2, 0], [2], [1, 1, IGNORED, 0, 2], [2, 0]])
    assert torch.autograd.gradcheck(lambda *leaves: log_probability(Field(*leaves), tags, LENGTHS), one)


def test_gradients_are_finite_where_tags_in_a_row_are_impossible():
    one = [leaf.requires_grad_() for leaf in field(forbidden=True)]
    log_p = log_probability(Field(*one), tags_of([[0, 1, 2, 0], [1], [1, 1, 0, 0, 1], [0, 0]]), LENGTHS)
    gradients = torch.autograd.grad(log_p.sum(), one)
    assert log_p.isfinite().all()
    assert all(gradient.isfinite().all() for gradient in gradients)
    assert (gradients[1][[0, 2], [2, 2]] == 0).all()


def test_padding_changes_neither_probabilities_nor_gradients():
    tags, found = tags_of([[0, 1, 2, 0], [2], [1, 1, 0, 0, 2], [2, 0]]), []
    within = (torch.arange(5).unsqueeze(1) < LENGTHS).unsqueeze(-1)
    for value in (0.0, 1e6):
        one = [leaf.requires_grad_() for leaf in field()]
        padded = Field(torch.where(within, one[0], value), *one[1:])
        log_p = log_probability(padded, tags, LENGTHS)
        found.append([log_p, *torch.autograd.grad(log_p.square().sum(), one)])
    torch.testing.assert_close(*found, rtol=0, atol=0)


def test_impossible_tags_have_no_probability():
    log_p = log_probability(field(forbidden=True), tags_of([[0, 2, 0, 0], [2], [1, 1, 0, 2, 1], [0, 0]]), LENGTHS)
    assert log_p.isinf().tolist() == [True, True, True, False]


def test_probabilities_and_tags_are_the_package_pytorch_crfs():
    theirs = pytest.importorskip("torchcrf").CRF(TAGS).double()
    one, inside = field(), torch.arange(5).unsqueeze(1) < LENGTHS
    tags = tags_of([[0, 1, 2, 0], [2], [1, 1, 0, 0, 2], [2, 0]])
    with torch.no_grad():
        for leaf, ours in ((theirs.transitions, 1), (theirs.start_transitions, 2), (theirs.end_transitions, 3)):
            leaf.copy_(one[ours])
    log_p = theirs(one.emission, tags.masked_fill(~inside, 0), inside, reduction="none")
    torch.testing.assert_close(log_probability(one, tags, LENGTHS), log_p)
    found = best_tags(one, LENGTHS)
    assert theirs.decode(one.emission, inside) == [found[:n, b].tolist() for b, n in enumerate(LENGTHS)]


@pytest.mark.parametrize("kind", [torch.float32, torch.float64])
def test_transitions_above_the_range_of_exp_are_summed(kind):
    one = Field(*(scores.to(kind) for scores in field()))
    large = one._replace(transition=one.transition + 1000)
    moved = log_partition(large, LENGTHS) - 1000 * (LENGTHS - 1)
    torch.testing.assert_close(moved, log_partition(one, LENGTHS), atol=2e-3, rtol=0)
    tags = tags_of([[0] * length for length in LENGTHS])
    torch.testing.assert_close(
        log_probability(large, tags, LENGTHS), log_probability(one, tags, LENGTHS), atol=2e-3, rtol=0
    )
