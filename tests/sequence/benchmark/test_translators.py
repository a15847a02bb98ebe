"""Translators learn to spell out what they read, and are judged by what they write."""

import pytest
import torch

from recurrent_rl.sequence.benchmark.entrant import Setting, Training
from recurrent_rl.sequence.benchmark.entrants import entrants_for
from recurrent_rl.sequence.benchmark.translators import ATTENTION, TRANSLATORS, above_inputs, written
from recurrent_rl.sequence.benchmark.works import WORKS
from recurrent_rl.sequence.data import stand_in
from recurrent_rl.sequence.data.pronunciations import LETTER_SYMBOLS
from recurrent_rl.sequence.models import count_parameters
from recurrent_rl.sequence.training import TrainConfig

TASK = WORKS["spelling-to-sound"].task()


def test_they_alone_are_asked_to_translate():
    assert {entrant.name for entrant in entrants_for(TASK, ["all"])} == {one.name for one in TRANSLATORS}
    assert not any(one.suits(work.task()) for one in TRANSLATORS for name, work in WORKS.items() if name != TASK.name)


@pytest.mark.parametrize("entrant", TRANSLATORS, ids=lambda entrant: entrant.name)
def test_all_have_as_many_parameters_within_3_percent(entrant):
    counts = [count_parameters(above_inputs(one.network(TASK, one.matched(TASK)))) for one in (entrant, ATTENTION)]
    assert abs(counts[0] - counts[1]) <= 0.03 * counts[1]
    network = entrant.network(TASK, 8)
    assert count_parameters(network) - count_parameters(above_inputs(network)) == LETTER_SYMBOLS * 64


@pytest.mark.parametrize("entrant", TRANSLATORS, ids=lambda entrant: entrant.name)
def test_they_learn_to_write_and_are_right_more_often_than_by_chance(entrant, tmp_path):
    splits = stand_in("spelling-to-sound")
    config = TrainConfig(steps=200, evaluate_every=100, batch_size=32)
    training = Training(config=config, checkpoint=tmp_path / "it.pt")
    learned = entrant.learn(TASK, splits, Setting(learning_rate=0.01), training)
    scores = learned.more(splits.test)
    assert scores.keys() == {"word_error", "phone_error", "word_error_beam", "phone_error_beam"}
    assert max(scores["phone_error"], scores["phone_error_beam"]) < 40  # untrained above 90


def test_an_untrained_network_writes_what_is_wrong():
    torch.manual_seed(0)
    network = ATTENTION.network(TASK, 8)
    assert written(network, TASK.problem, 20, stand_in("spelling-to-sound").test)["word_error"] > 90
