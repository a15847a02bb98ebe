"""A report holds what there is, says when there is nothing, and has a line for every trial."""

import csv

import pytest

from recurrent_rl.sequence.benchmark.entrants import entrant_of
from recurrent_rl.sequence.benchmark.report import report, write_trials
from recurrent_rl.sequence.benchmark.results import Results
from recurrent_rl.sequence.benchmark.suite import Suite, tuning
from recurrent_rl.sequence.benchmark.trial import run_trial
from recurrent_rl.sequence.benchmark.works import Work
from recurrent_rl.sequence.tasks import MADE_UP
from recurrent_rl.sequence.training import TrainConfig
from tests.sequence.benchmark.results import found

WORK = Work(task=MADE_UP["mnist1d"], config=TrainConfig(steps=2, batch_size=4), seeds=2)


def test_an_empty_folder_is_refused_with_what_to_do(tmp_path):
    with pytest.raises(ValueError, match="no results of mnist1d yet: run the suite first"):
        report(Suite(works={"mnist1d": WORK}, folder=tmp_path), tmp_path / "report")


def test_what_is_there_is_shown_and_models_half_tuned_are_not(tmp_path):
    suite, results = Suite(works={"mnist1d": WORK}, models=["bag", "gru"], folder=tmp_path), Results(tmp_path)
    for trial in (*tuning(WORK, entrant_of("bag")), tuning(WORK, entrant_of("gru"))[0]):
        results.add(run_trial(trial, WORK, tmp_path / "unfinished"))
    results.add(run_trial(suite.final("mnist1d", entrant_of("bag"))[0], WORK, tmp_path / "unfinished"))
    text = report(suite, tmp_path / "report")
    assert "| bag |" in text
    assert "| gru |" not in text
    assert (tmp_path / "report" / "mnist1d.png").exists()
    assert (tmp_path / "report" / "tables.md").read_text() == text + "\n"
    with (tmp_path / "report" / "trials.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["model"] for row in rows] == ["bag"] * 6 + ["gru", "bag"]
    assert not any(name.startswith("curve") for name in rows[0])


def test_nested_figures_have_columns_of_their_own(tmp_path):
    write_trials(found()["gru"], tmp_path / "trials.csv")
    with (tmp_path / "trials.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert rows[0]["test.accuracy"] == "90.0"
    assert rows[0]["setting.dropout"] == "0.2"
