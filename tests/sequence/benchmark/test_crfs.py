"""Networks under a conditional random field: of one size with the others, and their scores are those of Viterbi's tags."""

import numpy as np
import pytest

from recurrent_rl.sequence.benchmark import trial
from recurrent_rl.sequence.benchmark.crfs import CRF_NETWORKS
from recurrent_rl.sequence.benchmark.entrant import Setting, Training
from recurrent_rl.sequence.benchmark.networks import GRU_NETWORK, above_inputs
from recurrent_rl.sequence.benchmark.works import WORKS
from recurrent_rl.sequence.data import stand_in
from recurrent_rl.sequence.data.entities import entity_scores
from recurrent_rl.sequence.models import count_parameters
from recurrent_rl.sequence.training import TrainConfig, predict

TASK = WORKS["tweet-entities"].task()


def test_they_are_asked_for_named_entities_alone():
    for entrant in CRF_NETWORKS:
        assert [name for name, work in WORKS.items() if entrant.suits(work.task())] == ["tweet-entities"]


@pytest.mark.parametrize("entrant", CRF_NETWORKS, ids=lambda entrant: entrant.name)
def test_they_have_as_many_parameters_as_the_gru_under_a_plain_head(entrant):
    sizes = entrant.matched(TASK, 39, 0.0)
    budget = count_parameters(above_inputs(GRU_NETWORK.network(TASK, GRU_NETWORK.matched(TASK, 39, 0.0))))
    assert abs(count_parameters(above_inputs(entrant.network(TASK, sizes))) - budget) <= 0.03 * budget
    assert entrant.network(TASK, sizes).head.table.shape == (23, 21)


@pytest.mark.parametrize("entrant", CRF_NETWORKS, ids=lambda entrant: entrant.name)
def test_they_learn_and_the_tests_scores_are_of_the_tags_that_are_predicted(entrant, tmp_path):
    splits = stand_in("tweet-entities")
    config = TrainConfig(steps=60, evaluate_every=30, batch_size=16)
    learned = entrant.learn(
        TASK, splits, Setting(learning_rate=0.01), Training(config=config, checkpoint=tmp_path / "it.pt")
    )
    scores = trial.tested(learned, TASK, splits)["test"]
    rows = learned.predict(splits.test)
    assert all(set(np.unique(row)) <= {0.0, 1.0} and (row.sum(1) == 1).all() for row in rows)
    found = entity_scores([row.argmax(1) for row in rows], list(splits.test.targets))
    assert scores["f1"] == found["f1"] > 20
    problem = entrant.problem(TASK)
    numbers = predict(learned.network, problem, splits.test)
    assert scores["nats"] == pytest.approx(problem.scores(numbers, splits.test)["nats"])
    assert learned.validation > 20
