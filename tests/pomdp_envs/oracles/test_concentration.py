"""The stated optima of Concentration against a solution that allows every sensible move."""

import functools
from collections import Counter
from collections.abc import Callable, Iterator

import pytest

from pomdp_envs.oracles.concentration import two_colours
from pomdp_envs.popgym.concentration import OPTIMAL_FAILURES

Kind = tuple[int, int]  # how many cards of it were never seen, and how many are known and lie face down
Kinds = tuple[Kind, ...]  # sorted


def new_cards(kinds: Kinds) -> Iterator[tuple[float, Kind, Kinds]]:
    """Yield the chance that a new card is of a kind such as this, the kind without the card, and the other kinds."""
    unseen = sum(kind[0] for kind in kinds)
    for (new, known), number in Counter(kinds).items():
        if new:
            yield number * new / unseen, (new - 1, known), without(kinds, (new, known))


def without(kinds: Kinds, kind: Kind) -> Kinds:
    """Leave out one of these kinds."""
    place = kinds.index(kind)
    return kinds[:place] + kinds[place + 1 :]


def joined(kinds: Kinds, *more: Kind) -> Kinds:
    """Add kinds."""
    return tuple(sorted(kinds + more))


def after_two_new(others: Kinds, first: Kind, failures: Callable[[Kinds], float]) -> float:
    """Return the failures to come when a new card was turned, `first` is its kind without it, and a new one follows."""
    new, known = first
    unseen = new + sum(kind[0] for kind in others)
    same = new / unseen * failures(joined(others, (new - 1, known))) if new else 0.0
    return same + sum(
        (1 - new / unseen) * chance * (1 + failures(joined(rest, (second[0], second[1] + 1), (new, known + 1))))
        for chance, second, rest in new_cards(others)
    )


@functools.cache
def failures(kinds: Kinds) -> float:
    """Return how many pairs do not match in the best play of a game without time limit.

    Every move is allowed but those that show no new card and match nothing.
    """
    if not any(kind[0] for kind in kinds):
        return 0.0
    choices = [sum(chance * after_new(others, kind) for chance, kind, others in new_cards(kinds))]
    for new, known in set(kinds):
        others = without(kinds, (new, known))
        if known >= 2:
            choices.append(failures(joined(others, (new, known - 2))))
        if known:
            choices.append(after_known(others, (new, known)))
    return min(choices)


def after_new(others: Kinds, first: Kind) -> float:
    """Return the failures to come when a new card was turned and `first` is its kind without it."""
    new, known = first
    choices = [
        1 + failures(joined(others, (new, known + 1)))
    ]  # a known card of another kind, to keep those of this one
    if known:
        choices.append(failures(joined(others, (new, known - 1))))
    if new or any(kind[0] for kind in others):
        choices.append(after_two_new(others, first, failures))
    return min(choices)


def after_known(others: Kinds, first: Kind) -> float:
    """Return the failures to come when a known card of kind `first` was turned and a new one follows."""
    new, known = first
    unseen = new + sum(kind[0] for kind in others)
    same = new / unseen * failures(joined(others, (new - 1, known - 1))) if new else 0.0
    return same + sum(
        (1 - new / unseen) * chance * (1 + failures(joined(rest, (second[0], second[1] + 1), first)))
        for chance, second, rest in new_cards(others)
    )


@functools.cache
def failures_with_known_cards_first(kinds: Kinds) -> float:
    """Return the failures of the player that turns a new card first and then a known one of its kind, where there is one."""
    return sum(
        chance
        * (
            failures_with_known_cards_first(joined(others, (new, known - 1)))
            if known
            else after_two_new(others, (new, known), failures_with_known_cards_first)
        )
        for chance, (new, known), others in new_cards(kinds)
    )


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
