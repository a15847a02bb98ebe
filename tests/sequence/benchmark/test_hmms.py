"""Hidden Markov models take part in what they can do, and learn it."""

from pathlib import Path

import numpy as np
import pytest

from recurrent_rl.sequence.batch import Examples
from recurrent_rl.sequence.benchmark import hmms
from recurrent_rl.sequence.benchmark.entrant import Setting, Training
from recurrent_rl.sequence.benchmark.hmms import HIDDEN_MARKOV
from recurrent_rl.sequence.benchmark.works import WORKS
from recurrent_rl.sequence.chords import note_frequencies
from recurrent_rl.sequence.data import from_arrays, stand_in
from recurrent_rl.sequence.hmm import Ergodic, LeftRight
from recurrent_rl.sequence.problems import NextStep
from recurrent_rl.sequence.task import Splits, Task
from recurrent_rl.sequence.training import TrainConfig

TRAINING = Training(config=TrainConfig(), checkpoint=Path("unused"))
SUITED = {"japanese-vowels", "spoken-digits", "ecg5000", "mnist1d", "mnist1d-shuffled", "parity", "brown-tags"}
SUITED |= {"brown-characters", "electricity", "reuters-r8", "movie-reviews", "movie-reviews-long", "tweet-entities"}
SUITED |= {"chorales", "splice", "physiotherapy"}
COUNTED = {"brown-tags", "tweet-entities"}


def learned(name, states):
    task, splits = WORKS[name].task(), stand_in(name)
    found = HIDDEN_MARKOV.learn(task, splits, Setting(states=states), TRAINING)
    return task.problem.scores(found.predict(splits.test), splits.test), found


def test_tasks_that_suit():
    assert {name for name, work in WORKS.items() if HIDDEN_MARKOV.suits(work.task())} == SUITED


@pytest.mark.parametrize("name", sorted(SUITED))
def test_settings_are_six_or_three_or_one_where_nothing_is_to_choose(name):
    task = WORKS[name].task()
    settings = HIDDEN_MARKOV.settings(task)
    assert len(set(settings)) == len(settings) == (1 if name in COUNTED else 6 if task.full else 3)


def test_curves_are_classified():
    scores, found = learned("japanese-vowels", 3)
    assert scores["accuracy"] > 80
    assert found.parameters == 9 * (3 + 9 + 2 * 3 * 12 + 1) + 2 * 9


def test_words_are_tagged_with_certainty_from_counts():
    scores, found = learned("brown-tags", None)
    assert scores["accuracy"] > 80
    assert found.parameters > 100
    rows = found.predict(stand_in("brown-tags").test)[0]
    assert rows.sum(-1).tolist() == [1.0] * len(rows)


def test_the_next_symbol_of_a_period_is_foretold():
    rows = [np.tile([0, 1, 2, 1], 30)[start : start + 80] for start in range(12)]
    examples = Examples(rows)
    task = Task(
        "period", "own", NextStep(3), "bits", False, lambda seed: Splits(examples, examples, examples), symbols=3
    )
    found = HIDDEN_MARKOV.learn(task, task.load(0), Setting(states=8), TRAINING)
    assert found.validation < 0.2
    assert [row.shape for row in found.predict(examples)] == [(79, 3)] * 12


def test_chords_that_repeat_are_foretold_better_than_by_their_frequencies():
    task, splits = WORKS["chorales"].task(), stand_in("chorales")
    found = HIDDEN_MARKOV.learn(task, splits, Setting(states=16), TRAINING)
    scores = task.problem.scores(found.predict(splits.test), splits.test)
    assert scores["nats"] < note_frequencies(splits.train, splits.test)


def test_a_forecast_beats_the_overall_mean(monkeypatch):
    monkeypatch.setattr(hmms, "SPACING", 4)
    task, splits = WORKS["electricity"].task(), stand_in("electricity")
    found = HIDDEN_MARKOV.learn(task, splits, Setting(states=16), TRAINING)
    rows = found.predict(splits.test)
    quantiles = np.stack(rows).reshape(-1, 48, 9)
    assert (np.diff(quantiles, axis=-1) >= 0).all()
    wanted = np.stack(list(splits.test.targets))
    middle = np.abs(quantiles[..., 4] - wanted).mean()
    assert middle < np.abs(wanted.mean() - wanted).mean()


def test_symbols_of_ones_own_are_classified():
    rng = np.random.default_rng(0)
    rows = [rng.choice(4, size=20, p=[0.4, 0.4, 0.1, 0.1] if label else [0.1, 0.1, 0.4, 0.4]) for label in [0, 1] * 30]
    data = from_arrays(rows, [0, 1] * 30)
    found = HIDDEN_MARKOV.learn(data.task(), data.splits, Setting(states=2), TRAINING)
    assert found.validation > 90


def test_certain_tags_tell_no_nats():
    scores, found = learned("tweet-entities", None)
    assert scores["f1"] > 0
    assert np.isnan(found.validation_loss)
    assert np.isnan(found.more(stand_in("tweet-entities").test)["nats"])
    assert learned("brown-characters", 4)[1].more(stand_in("brown-characters").test) == {}


def test_the_states_of_a_gene_come_in_order():
    task, splits = WORKS["splice"].task(), stand_in("splice")
    ordered = hmms._chain(task, 5).topology
    assert ordered == LeftRight()
    assert hmms._chain(WORKS["reuters-r8"].task(), 5).topology == Ergodic()
    found = HIDDEN_MARKOV.learn(task, splits, Setting(states=5), TRAINING)
    assert found.validation > 60
