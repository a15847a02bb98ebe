"""A suite tunes on validation, reads the test data in its final runs alone, and goes on where it stopped."""

import json
import os

import pytest

from recurrent_rl.sequence.benchmark import suite as module
from recurrent_rl.sequence.benchmark.entrants import ENTRANTS, Sizes
from recurrent_rl.sequence.benchmark.suite import Suite
from recurrent_rl.sequence.benchmark.trial import BUDGET_MODEL, entrant_of, make_network, matched_sizes
from recurrent_rl.sequence.benchmark.works import WORKS, Work
from recurrent_rl.sequence.models import count_parameters
from recurrent_rl.sequence.tasks import MADE_UP
from recurrent_rl.sequence.training import TrainConfig


@pytest.fixture
def short(monkeypatch):
    """Trials of four steps, run in this process."""
    config = TrainConfig(steps=4, batch_size=4, evaluate_every=2)
    monkeypatch.setattr(module, "WORKS", {"mnist1d": Work(task=MADE_UP["mnist1d"], config=config)})

    def run_here(self, task, trials, what):
        for trial in trials:
            if not self.path(trial).exists():
                module._run_one(trial, module.WORKS[task], self.folder / task)

    monkeypatch.setattr(Suite, "_run", run_here)


@pytest.mark.parametrize("entrant", ENTRANTS, ids=lambda entrant: entrant.name)
@pytest.mark.parametrize(("task", "longest"), [("mnist1d", 40), ("recall", 64), ("adding-600", 600)])
def test_all_models_have_as_many_parameters_within_3_percent(entrant, task, longest):
    one = WORKS[task].task()
    if one.problem.causal and not entrant.causal:
        pytest.skip("looks ahead")
    sizes = matched_sizes(one, entrant, longest, 0.0)
    budget = count_parameters(make_network(one, entrant_of(BUDGET_MODEL), Sizes(width=96, longest=longest)))
    assert abs(count_parameters(make_network(one, entrant, sizes)) - budget) <= 0.03 * budget


def test_seeds_follow_the_best_setting_and_only_they_read_the_test_data(short, tmp_path):
    one = Suite(tasks=["mnist1d"], models=["bag"], folder=tmp_path)
    one.run()
    tuned = [result for result in one.results() if result["tuning"]]
    final = [result for result in one.results() if not result["tuning"]]
    assert len(tuned) == 6
    assert sorted(result["seed"] for result in final) == [0, 1, 2, 3, 4]
    assert not any("test" in result for result in tuned)
    best = max(tuned, key=lambda result: result["validation"])["setting"]
    assert {json.dumps(result["setting"]) for result in final} == {json.dumps(best)}
    assert all(0 <= result["test"]["accuracy"] <= 100 for result in final)


def test_what_has_a_result_is_not_run_again(short, tmp_path):
    one = Suite(tasks=["mnist1d"], models=["bag"], folder=tmp_path)
    one.run()
    before = {path: os.stat(path).st_mtime_ns for path in tmp_path.rglob("*.json")}
    one.run()
    assert before == {path: os.stat(path).st_mtime_ns for path in tmp_path.rglob("*.json")}


def test_seeds_before_tuning_say_what_is_missing(short, tmp_path):
    with pytest.raises(ValueError, match="run the suite"):
        Suite(tasks=["mnist1d"], folder=tmp_path).final("mnist1d", "bag")


def test_an_unknown_model_lists_those_that_there_are():
    with pytest.raises(ValueError, match="deep-gru"):
        entrant_of("perceptron")
