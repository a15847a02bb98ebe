"""A report holds what there is, says when there is nothing, and has a line for every trial."""

import csv
from dataclasses import asdict, replace

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
FINAL = {"parameters": 1000, "cpu_seconds": 10.0, "test": {"accuracy": 90.0}, "longer": {}, "curve": {}}


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


def add_tuned(suite, name, model, final):
    """Add results of all tuning trials of a model, and of its final runs."""
    results, entrant = Results(suite.folder), entrant_of(model)
    for trial in tuning(suite.works[name], entrant):
        results.add({**asdict(trial), "validation": 50.0, "validation_loss": 0.5})
    for trial in suite.final(name, entrant):
        results.add({**asdict(trial), **final})


def test_several_tasks_begin_with_an_overview(tmp_path):
    works = {"mnist1d": WORK, "parity": replace(WORK, task=MADE_UP["parity"])}
    suite = Suite(works=works, models=["bag"], folder=tmp_path)
    add_tuned(suite, "mnist1d", "bag", FINAL)
    add_tuned(suite, "parity", "bag", {**FINAL, "longer": {"40": {"accuracy": 50.0}}})
    text = report(suite, tmp_path / "report")
    assert text.startswith("### Overview\n\n| model | mnist1d, accuracy | parity, accuracy |")
    for picture in ("overview.png", "mnist1d.png", "parity.png"):
        assert f"]({picture})" in text
        assert (tmp_path / "report" / picture).exists()


def test_what_diverged_altogether_is_named(tmp_path):
    suite = Suite(works={"mnist1d": WORK}, models=["bag", "gru"], folder=tmp_path)
    add_tuned(suite, "mnist1d", "bag", FINAL)
    add_tuned(suite, "mnist1d", "gru", {"error": "The loss is nan at step 1."})
    text = report(suite, tmp_path / "report")
    assert "| gru |" not in text
    assert "Every seed diverged: gru." in text


def test_results_that_the_plan_does_not_have_do_not_count(tmp_path):
    suite, results = Suite(works={"mnist1d": WORK}, models=["bag"], folder=tmp_path), Results(tmp_path)
    add_tuned(suite, "mnist1d", "bag", FINAL)
    for trial in suite.final("mnist1d", entrant_of("bag")):
        results.add({**asdict(trial), **FINAL, "steps": 1, "test": {"accuracy": 0.0}})
        results.add({**asdict(trial), **FINAL, "seed": 7, "test": {"accuracy": 0.0}})
    [row] = [line for line in report(suite, tmp_path / "report").splitlines() if line.startswith("| bag |")]
    assert row.startswith("| bag | 90 | 90 to 90 |")
    assert len((tmp_path / "report" / "trials.csv").read_text().splitlines()) == 1 + 6 + 6


def test_nested_figures_have_columns_of_their_own(tmp_path):
    write_trials(found()["gru"], tmp_path / "trials.csv")
    with (tmp_path / "trials.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert rows[0]["test.accuracy"] == "90.0"
    assert rows[0]["setting.dropout"] == "0.2"
