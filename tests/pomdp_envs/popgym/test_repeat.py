import numpy as np
import pytest

from pomdp_envs import BatchedEnv
from pomdp_envs.popgym import Autoencode, RepeatFirst, RepeatPrevious

DIFFICULTIES = ("Easy", "Medium", "Hard")


def stack(theirs, suits: np.ndarray) -> None:
    """Put cards of these suits [n], in the order of dealing, into popgym's deck, of which the last is dealt first."""
    free = [list(np.flatnonzero(theirs.deck.suits_idx == suit)) for suit in range(4)]
    theirs.deck.idx = np.array([free[suit].pop() for suit in suits.tolist()])[::-1].copy()
    assert not any(free)


def deal_first(theirs, player: str) -> None:
    theirs.deck.hands[player].clear()
    theirs.deck.deck_len = theirs.deck.num_cards
    theirs.deck.deal(player, 1)


def inject_repeat(theirs, hidden):
    stack(theirs, hidden[:-1])
    deal_first(theirs, "player")
    theirs.card = theirs.deck.show("player", ["suits_idx"])[0, -1]
    return theirs.card.item()


def inject_autoencode(theirs, hidden):
    stack(theirs, hidden[:-2])
    deal_first(theirs, "system")
    return theirs.make_obs(theirs.deck["system"][-1])


@pytest.mark.parametrize("difficulty", DIFFICULTIES)
@pytest.mark.parametrize("world", ["RepeatFirst", "RepeatPrevious"])
def test_every_step_equals_popgyms(assert_agrees_with_popgym, world, difficulty, episodes):
    assert assert_agrees_with_popgym(world + difficulty, inject_repeat, episodes) >= 51 * episodes


@pytest.mark.parametrize("difficulty", DIFFICULTIES)
def test_every_step_of_autoencode_equals_popgyms(assert_agrees_with_popgym, difficulty, episodes):
    assert assert_agrees_with_popgym("Autoencode" + difficulty, inject_autoencode, episodes) >= 103 * episodes


@pytest.mark.parametrize("dynamics", [Autoencode(2), RepeatFirst(2), RepeatPrevious(2)])
def test_the_deck_holds_each_suit_equally_often_and_each_place_has_each_suit_equally_often(dynamics):
    env = BatchedEnv(dynamics, 2000)
    env.reset(seed=0)
    suits = env.hidden_state()[:, : dynamics.cards]
    for suit in range(4):
        assert (suits == suit).sum(axis=1).tolist() == [26] * 2000
        at_each_place = (suits == suit).sum(axis=0)
        assert abs(at_each_place - 500).max() < 5 * np.sqrt(2000 * 0.25 * 0.75)


def test_one_deck_by_hand():
    world = RepeatPrevious(k=2)
    state = np.array([[3, 1, 2, *[0] * 49, 0]], dtype=np.int16).T
    rewards = []
    for action in (0, 3, 0):
        state, reward, _ = world.transition(state, np.array([action]), np.empty((0, 1)))
        rewards.append(reward[0] * 50)
    assert rewards == pytest.approx([0, 1, -1])
    assert world.text(state[:, 0]) == "hd[c]s"


def test_bad_arguments_are_refused():
    with pytest.raises(ValueError, match="num_decks must be an integer from 1 to 630"):
        RepeatFirst(0)
    with pytest.raises(ValueError, match="k=52 must be less than the 52 cards"):
        RepeatPrevious(1, 52)
    with pytest.raises(ValueError, match="k must be an integer"):
        RepeatPrevious(1, 2.5)


def test_with_k_1_the_card_in_question_is_the_one_that_is_seen():
    assert RepeatPrevious(k=1).memoryless_return == 1.0
