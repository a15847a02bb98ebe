import math
import warnings

import numpy as np
import pytest

from pomdp_envs import BatchedEnv, dynamics_of
from pomdp_envs.popgym import Concentration, CountRecall, HigherLower
from pomdp_envs.popgym.count_recall import memoryless_counts

DIFFICULTIES = ("Easy", "Medium", "Hard")


def cards_of(kinds: np.ndarray, kind_of: np.ndarray) -> np.ndarray:
    """Different cards with these kinds [n]; kind_of says which kind each card of popgym's deck has."""
    free = [list(np.flatnonzero(kind_of == kind)) for kind in range(kind_of.max() + 1)]
    cards = np.array([free[kind].pop() for kind in kinds.tolist()])
    assert not any(free)
    return cards


def inject_count_recall(theirs, hidden):
    n = theirs.value_deck.num_cards
    for deck, kinds in ((theirs.value_deck, hidden[:n]), (theirs.query_deck, hidden[n : 2 * n])):
        deck.hands["in_play"].clear()
        deck.deck_len = n
        deck.idx = cards_of(kinds, theirs.deck_idx_type)[::-1].copy()
    theirs.counts[:] = 0
    theirs.value, theirs.query = theirs.deal()
    theirs.counts[theirs.value] += 1
    return np.array([theirs.value, theirs.query])


def inject_higher_lower(theirs, hidden):
    theirs.deck.hands["player"].clear()
    theirs.deck.deck_len = theirs.deck.num_cards
    theirs.deck.idx = cards_of(hidden[:-1], theirs.deck.ranks_idx)[::-1].copy()
    theirs.deck.deal("player", 1)
    return theirs.deck.show("player", ["ranks_idx"]).item()


def inject_concentration(theirs, hidden):
    n = theirs.deck.num_cards
    theirs.deck.idx = cards_of(hidden[:n], theirs.deck_idx_type)
    return theirs.get_obs()


@pytest.mark.parametrize("difficulty", DIFFICULTIES)
def test_every_step_of_count_recall_equals_popgyms(assert_agrees_with_popgym, difficulty, episodes):
    def half_right(hidden, space):
        n = CountRecall(*{"Easy": (1, "colors"), "Medium": (2, "suits"), "Hard": (4, "ranks")}[difficulty]).cards
        columns = np.arange(len(hidden))
        counts = hidden[columns, 2 * n + 1 + hidden[columns, n + hidden[:, 2 * n]]]
        return np.where(columns % 2, counts, space.sample())

    steps = assert_agrees_with_popgym("CountRecall" + difficulty, inject_count_recall, episodes, policy=half_right)
    assert steps >= 51 * episodes


@pytest.mark.parametrize("difficulty", DIFFICULTIES)
def test_every_step_of_higher_lower_equals_popgyms(assert_agrees_with_popgym, difficulty, episodes):
    assert assert_agrees_with_popgym("HigherLower" + difficulty, inject_higher_lower, episodes) >= 51 * episodes


@pytest.mark.parametrize("difficulty", DIFFICULTIES)
def test_every_step_of_concentration_equals_popgyms(assert_agrees_with_popgym, difficulty, episodes):
    rng = np.random.default_rng(0)
    most_pairs = []

    def player(hidden, space):
        """Half of the columns know the cards and finish (turning cards in vain now and then), the others guess."""
        n = (hidden.shape[1] - 4) // 2
        kinds, up, first = hidden[:, :n], hidden[:, n : 2 * n] < hidden[:, n : 2 * n].max(), hidden[:, -3]
        most_pairs.append(hidden[:, -4].reshape(-1))
        columns = np.arange(len(hidden))
        wanted = (kinds == kinds[columns, first][:, None]) & ~up & (np.arange(n) != first[:, None])
        knowing = np.where(first >= 0, wanted.argmax(axis=1), (~up).argmax(axis=1))
        knows = (columns % 2 == 0) & (rng.random(len(hidden)) < 0.95)
        return np.where(knows, knowing, space.sample())

    name = "Concentration" + difficulty
    assert assert_agrees_with_popgym(name, inject_concentration, episodes, policy=player) > 50 * episodes
    pairs = np.array(most_pairs)  # [steps, columns]
    last_pairs = pairs[:-1][(pairs[1:] == 0) & (pairs[:-1] > 0)]  # before the last step of an episode
    all_but_one = Concentration(*{"Medium": (2,)}.get(difficulty, (1,))).cards // 2 - 1
    assert (last_pairs == all_but_one).any()  # terminated
    assert (last_pairs < all_but_one).any()  # truncated


@pytest.mark.parametrize("world", [CountRecall(2, "suits"), HigherLower(2), Concentration(2, "colors")])
def test_the_deck_holds_each_kind_equally_often_and_so_does_each_place(world):
    env = BatchedEnv(world, 2000)
    env.reset(seed=0)
    kinds = env.hidden_state()[:, : world.cards]
    number = kinds.max() + 1
    for kind in range(number):
        assert ((kinds == kind).sum(axis=1) == world.cards // number).all()
        at_each_place = (kinds == kind).sum(axis=0)
        assert abs(at_each_place - 2000 / number).max() < 5 * np.sqrt(2000 / number * (1 - 1 / number))


@pytest.mark.parametrize("name", ["CountRecallHard", "HigherLowerEasy", "ConcentrationHard"])
def test_neighbouring_cards_are_of_one_kind_as_often_as_in_popgym(name):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # popgym warns about its mazes
        popgym = pytest.importorskip("popgym.envs")
    theirs, decks = getattr(popgym, name)(), []
    for seed in range(1000):
        theirs.reset(seed=seed)
        deck = theirs.value_deck if "Count" in name else theirs.deck
        decks.append(deck.ranks_idx[deck.idx])
    env = BatchedEnv(dynamics_of(f"pomdp_envs/{name}-v0"), 1000)
    env.reset(seed=0)
    ours = env.hidden_state()[:, : len(decks[0])]
    same = [(kinds[:, 1:] == kinds[:, :-1]).mean(axis=1) for kinds in (ours, np.array(decks))]  # [episodes] each
    error = np.hypot(*(rates.std() for rates in same)) / np.sqrt(1000)
    assert same[0].mean() == pytest.approx(same[1].mean(), abs=4 * error)
    exact = (4 * len(decks[0]) / 52 - 1) / (len(decks[0]) - 1)
    assert same[0].mean() == pytest.approx(exact, abs=4 * error)


def test_the_two_decks_of_count_recall_are_shuffled_apart():
    env = BatchedEnv(CountRecall(1, "suits"), 4000)
    env.reset(seed=0)
    hidden = env.hidden_state()
    same = (hidden[:, :52] == hidden[:, 52:104]).mean(axis=1)  # [B]
    assert same.mean() == pytest.approx(0.25, abs=4 * same.std() / np.sqrt(4000))


@pytest.mark.parametrize("num_decks", [1, 2, 3])
def test_the_stated_optimum_of_higher_lower_is_the_hypergeometric_sum(num_decks):
    n, of_a_rank = 52 * num_decks, 4 * num_decks
    log_factorial = np.array([math.lgamma(k + 1) for k in range(n + 1)])

    def log_choose(total, k):
        return log_factorial[total] - log_factorial[k] - log_factorial[total - k]

    expected = 0.0
    for rank in range(13):
        above, below, equal = of_a_rank * (12 - rank), of_a_rank * rank, of_a_rank - 1
        higher, lower = np.mgrid[: above + 1, : below + 1]
        ways = log_choose(above, higher) + log_choose(below, lower)
        for left in range(1, n):
            rest = left - higher - lower
            possible = (rest >= 0) & (rest <= equal)
            log_chance = ways[possible] + log_choose(equal, rest[possible]) - log_choose(n - 1, left)
            expected += (np.exp(log_chance) * np.abs(higher - lower)[possible]).sum() / left / 13 / n
    assert HigherLower(num_decks).optimal_return == pytest.approx(expected, abs=1e-12)


def test_the_best_memoryless_counts_are_those_that_are_right_most_often():
    (same, other), chance = memoryless_counts(52, 2)
    env = BatchedEnv(CountRecall(1, "colors"), 4000)
    env.reset(seed=0)
    hidden = env.hidden_state()
    is_same, counts = [], []
    for t in range(51):
        shown, asked = hidden[:, t], hidden[:, 52 + t]
        counts.append((hidden[:, : t + 1] == asked[:, None]).sum(axis=1))
        is_same.append(shown == asked)
    is_same, counts = np.concatenate(is_same), np.concatenate(counts)
    frequencies = [np.bincount(counts[is_same == kind], minlength=27) / len(counts) for kind in (True, False)]
    assert frequencies[0].max() + frequencies[1].max() == pytest.approx(chance, abs=0.003)
    assert frequencies[0][same] == pytest.approx(frequencies[0].max(), abs=0.003)
    assert frequencies[1][other] == pytest.approx(frequencies[1].max(), abs=0.003)


def test_a_game_of_higher_lower_by_hand():
    world = HigherLower()
    state = np.array([[0, 5, 5, 2, *[12] * 48, 0]], dtype=np.int16).T
    rewards = []
    for action in (0, 1, 0):
        state, reward, _ = world.transition(state, np.array([action]), np.empty((0, 1)))
        rewards.append(reward[0] * 52)
    assert rewards == pytest.approx([1, 0, -1])
    assert world.observe(state).tolist() == [2]
    assert world.text(state[:, 0]).startswith("A663|K")


def test_a_game_of_count_recall_by_hand():
    world = CountRecall(1, "suits")
    state = world.initial(
        np.tile(np.linspace(0, 1, 52, endpoint=False), 2)[:, None]
    )  # suits 0 1 2 3 0 1 .. in both decks
    for action, expected, seen in [(1, 1, [1, 1]), (0, -1, [2, 2]), (1, 1, [3, 3]), (1, 1, [0, 0]), (2, 1, [1, 1])]:
        state, reward, _ = world.transition(state, np.array([action]), np.empty((0, 1)))
        assert reward[0] * 51 == pytest.approx(expected)
        assert world.observe(state).tolist() == [seen]
    assert world.text(state[:, 0]) == "dealt d, how many d? s:2 d:2 c:1 h:1"


def test_a_game_of_concentration_by_hand():
    world = Concentration(1, "ranks")
    state = world.initial(np.linspace(0, 1, 52, endpoint=False)[:, None])  # unshuffled: places 0 .. 3 are aces
    pays, fails = 2 / 52, -1 / world.time_limit
    for action, expected in [(0, 0), (1, pays), (0, fails), (2, 0), (2, 2 * fails), (2, 0), (0, 2 * fails), (4, 0)]:
        state, reward, terminated = world.transition(state, np.array([action]), np.empty((0, 1)))
        assert reward[0] == pytest.approx(expected)
        assert not terminated
    assert world.observe(state)[0, :6].tolist() == [0, 0, 13, 13, 1, 13]
    assert world.text(state[:, 0]).splitlines()[0].startswith(" A  A (A)(A) 2 (2)(2)(2)(3)")
    red_of_ace, red_of_back = world.picture(state[:, 0])[9, [9, 9 + 2 * 19], 0]  # tiles of 19 pixels
    assert red_of_ace == red_of_back == 40


@pytest.mark.parametrize(("arguments", "length"), [((1, "colors"), 104), ((2, "colors"), 208), ((3, "ranks"), 312)])
def test_the_time_limit_of_concentration_is_two_steps_per_card(arguments, length):
    assert Concentration(*arguments).time_limit == length


def test_bad_arguments_are_refused():
    for world in (CountRecall, Concentration):
        with pytest.raises(ValueError, match=r"deck_type must be one of .*'ranks'.*not 'faces'"):
            world(1, "faces")
    with pytest.raises(ValueError, match="num_decks must be an integer"):
        HigherLower(1.5)
