"""The stated optima of Concentration against a solution that allows every sensible move."""

import functools

import pytest

from pomdp_envs.oracles.concentration import two_colours
from pomdp_envs.popgym.concentration import OPTIMAL_FAILURES

Kinds = tuple[tuple[int, int], ...]  # (cards never seen, known cards that lie face down) of each kind, sorted


def changed(kinds: Kinds, *changes: tuple[int, int, int]) -> Kinds:
    """Add to the two numbers of some kinds."""
    numbers = [list(kind) for kind in kinds]
    for kind, unseen, known in changes:
        numbers[kind][0] += unseen
        numbers[kind][1] += known
    return tuple(sorted((unseen, known) for unseen, known in numbers))


@functools.cache
def failures(kinds: Kinds) -> float:
    """Return how many pairs do not match in the best play of a game without time limit.

    Every move is allowed but those that show no new card and match nothing.
    """
    unseen = sum(kind[0] for kind in kinds)
    if unseen == 0:
        return 0.0
    choices = [sum(kinds[i][0] / unseen * after_new(kinds, i) for i in range(len(kinds)) if kinds[i][0])]
    for i, kind in enumerate(kinds):
        if kind[1] >= 2 and kind not in kinds[:i]:
            choices.append(failures(changed(kinds, (i, 0, -2))))
        if kind[1] and kind not in kinds[:i]:  # a known card, then a new one
            choices.append(
                sum(
                    kinds[j][0]
                    / unseen
                    * (failures(changed(kinds, (i, -1, -1))) if i == j else 1 + failures(changed(kinds, (j, -1, 1))))
                    for j in range(len(kinds))
                    if kinds[j][0]
                )
            )
    return min(choices)


def after_new(kinds: Kinds, i: int) -> float:
    """Return the failures to come when a new card was turned first and is of kind i."""
    choices = [1 + failures(changed(kinds, (i, -1, 1)))]  # a card of another kind on purpose, to keep the known ones
    if kinds[i][1]:
        choices.append(failures(changed(kinds, (i, -1, -1))))
    rest = sum(kind[0] for kind in kinds) - 1
    if rest:
        same = (kinds[i][0] - 1) / rest * failures(changed(kinds, (i, -2, 0))) if kinds[i][0] > 1 else 0.0
        other = (
            kinds[j][0] / rest * (1 + failures(changed(kinds, (i, -1, 1), (j, -1, 1))))
            for j in range(len(kinds))
            if j != i and kinds[j][0]
        )
        choices.append(same + sum(other))
    return min(choices)


@functools.cache
def failures_with_known_cards_first(kinds: Kinds) -> float:
    """Return the failures of the player that turns new cards first and then a known one of the kind, where there is one."""
    unseen = sum(kind[0] for kind in kinds)
    if unseen == 0:
        return 0.0
    total = 0.0
    for i, (new, known) in enumerate(kinds):
        if known:
            total += new / unseen * failures_with_known_cards_first(changed(kinds, (i, -1, -1))) if new else 0.0
            continue
        for j, (other, _) in enumerate(kinds):
            chance = new / unseen * (other - (i == j)) / max(unseen - 1, 1)
            if chance and i == j:
                total += chance * failures_with_known_cards_first(changed(kinds, (i, -2, 0)))
            elif chance:
                total += chance * (1 + failures_with_known_cards_first(changed(kinds, (i, -1, 1), (j, -1, 1))))
    return total


@pytest.mark.parametrize("cards", [2, 4, 8, 14])
def test_with_two_colours_no_move_beats_the_oracles(cards):
    assert two_colours(cards).failures == pytest.approx(failures(((cards, 0),) * 2), abs=1e-12)


@pytest.mark.parametrize("decks", [1, 2])
def test_the_stated_failures_with_two_colours_are_those_of_the_solution(decks):
    assert OPTIMAL_FAILURES["colors", decks] == pytest.approx(two_colours(26 * decks).failures, abs=1e-12)


@pytest.mark.parametrize("ranks", [2, 3, 5, 6])
def test_with_four_cards_of_a_rank_a_known_card_is_always_the_better_choice(ranks):
    kinds = ((4, 0),) * ranks
    assert failures_with_known_cards_first(kinds) == pytest.approx(failures(kinds), abs=1e-12)


@pytest.mark.slow
def test_the_stated_failures_with_thirteen_ranks_are_those_of_the_best_play():
    kinds = ((4, 0),) * 13
    assert failures_with_known_cards_first(kinds) == pytest.approx(OPTIMAL_FAILURES["ranks", 1], abs=1e-12)
    assert failures(kinds) == pytest.approx(OPTIMAL_FAILURES["ranks", 1], abs=1e-12)
