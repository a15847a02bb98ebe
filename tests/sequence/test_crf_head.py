"""The head of a conditional random field gives scores of tags beside the same table at all steps."""

import torch

from recurrent_rl.sequence.crf_head import CRFHead, field_of

TAGS = 3


def head(impossible=None):
    torch.manual_seed(0)
    made = CRFHead(4, TAGS, impossible)
    torch.nn.init.normal_(made.table)
    return made


def test_the_numbers_are_the_scores_and_the_table_which_is_read_from_them_again():
    one, said = head(), torch.randn(5, 2, 4)
    numbers = one(said)
    assert numbers.shape == (5, 2, TAGS * (TAGS + 3))
    field = field_of(numbers, TAGS)
    torch.testing.assert_close(field.emission, one.emission(said))
    torch.testing.assert_close(
        torch.cat([field.transition, field.start.unsqueeze(0), field.end.unsqueeze(0)]), one.table
    )
    torch.testing.assert_close(numbers[..., TAGS:], one.table.flatten().expand(5, 2, -1))


def test_the_tables_gradient_is_counted_once_not_at_each_step():
    one = head()
    field_of(one(torch.randn(5, 2, 4)), TAGS).transition.square().sum().backward()
    torch.testing.assert_close(one.table.grad[:TAGS], 2 * one.table[:TAGS].detach())
    assert (one.table.grad[TAGS:] == 0).all()


def test_impossible_entries_are_never_learned():
    wrong = torch.zeros(TAGS + 2, TAGS, dtype=torch.bool)
    wrong[0, 2] = wrong[TAGS, 1] = True
    one = head(wrong)
    field = field_of(one(torch.randn(5, 2, 4)), TAGS)
    assert (field.transition[0, 2], field.start[1]) == (-torch.inf, -torch.inf)
    assert torch.stack([*field.transition, field.start, field.end]).isinf().sum() == 2
    field.transition.exp().sum().backward()
    assert one.table.grad[0, 2] == 0
    assert one.table.grad.isfinite().all()


def test_a_new_head_scores_tags_in_a_row_alike_and_keeps_only_what_is_learned():
    one = CRFHead(4, TAGS)
    assert (one.table == 0).all()
    assert set(one.state_dict()) == {"emission.weight", "emission.bias", "table"}
