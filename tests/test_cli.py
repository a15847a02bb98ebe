"""The commands of the README, as a user types them."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from pomdp_envs.extras import is_installed
from recurrent_rl.cli import main
from recurrent_rl.memory import GRU, LSTM, Stack
from recurrent_rl.runs.config import RunConfig
from recurrent_rl.runs.folder import RunFolder
from recurrent_rl.runs.memories import MEMORIES

SMALL = ["--env", "pomdp_envs/CartPoleNoVel-v0", "--n-envs", "4", "--n-steps", "32"]


def run(*arguments):
    with pytest.raises(SystemExit) as stopped:
        main(list(arguments))
    return stopped.value.code


def weights(folder):
    from recurrent_rl.checkpoint import read_archive

    return read_archive(folder / "checkpoints" / "latest.zip")[1]["policy"]


@pytest.mark.parametrize("algo", ["ppo", "a2c"])
def test_train_makes_one_folder_and_evaluate_scores_it(tmp_path, capsys, algo):
    folder = tmp_path / "run"
    assert run("train", *SMALL, "--algo", algo, "--steps", "512", "--run", str(folder), "--eval-every", "256") == 0
    names = {path.name for path in folder.iterdir()}
    assert {"config.json", "metrics.csv", "checkpoints", "learning_curve.png"} <= names
    assert any(name.startswith("events.out.tfevents") for name in names)
    assert json.loads((folder / "config.json").read_text())["memory"] == "gru"
    assert (folder / "learning_curve.png").read_bytes().startswith(b"\x89PNG")
    rows = RunFolder(folder).rows()
    assert [row["time/total_timesteps"] for row in rows][-1] == 512
    assert any("eval/mean_reward" in row for row in rows)
    assert any("train/grad_norm" in row for row in rows)
    assert run("evaluate", str(folder), "--episodes", "5") == 0
    assert "over 5 episodes" in capsys.readouterr().out


def test_tuple_observations_train_and_evaluate(tmp_path, capsys):
    folder = tmp_path / "run"
    arguments = ["--env", "pomdp_envs/AutoencodeEasy-v0", *SMALL[2:], "--steps", "256", "--run", str(folder)]
    assert run("train", *arguments, "--normalize") == 0
    assert run("evaluate", str(folder), "--episodes", "2") == 0
    assert "over 2 episodes" in capsys.readouterr().out


@pytest.mark.skipif(is_installed("mujoco"), reason="the extra is there")
def test_a_missing_extra_is_named_in_one_line(tmp_path, capsys):
    assert run("train", "--env", "pomdp_envs/HopperNoVel-v0", "--run", str(tmp_path / "run")) == 2
    assert 'pip install "recurrent-rl[mujoco]"' in capsys.readouterr().err.splitlines()[0]


@pytest.mark.parametrize(("number", "normalize"), [(signal.SIGINT, "--no-normalize"), (signal.SIGTERM, "--normalize")])
def test_a_signal_saves_a_checkpoint_that_resumes_to_the_same_weights(tmp_path, number, normalize):
    steps = ["--steps", str(4 * 32 * 40)]
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    assert run("train", *SMALL, *steps, normalize, "--run", str(whole)) == 0
    command = [sys.executable, "-m", "recurrent_rl.cli", "train", *SMALL, *steps, normalize, "--run", str(broken)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"})
    metrics = broken / "metrics.csv"
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and not (metrics.exists() and metrics.stat().st_size):
        time.sleep(0.05)
    process.send_signal(number)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 128 + number
    assert f"--resume {broken}" in output
    assert run("train", "--resume", str(broken)) == 0
    for name, value in weights(whole).items():
        assert torch.equal(value, weights(broken)[name]), name
    steps_logged = [row["time/total_timesteps"] for row in RunFolder(broken).rows() if "time/fps" in row]
    assert steps_logged == sorted(set(steps_logged))


def test_resuming_a_finished_run_says_so(tmp_path, capsys):
    folder = tmp_path / "run"
    run("train", *SMALL, "--steps", "128", "--run", str(folder))
    assert run("train", "--resume", str(folder)) == 0
    assert "has its 128 steps already" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["train", "--env", "pomdp_envs/CartPoleNoVell-v0"], "Did you mean pomdp_envs/CartPoleNoVel-v0"),
        (["train", *SMALL, "--bptt-horizon", "5"], "bptt_horizon=5 does not divide n_steps=32"),
        (["train", "--threads", "0"], "threads=0 must be at least 1"),
        (["train", "--device", "gpu"], "device=gpu must be auto, cpu, cuda or cuda:N"),
        (["train", "--n-epochs", "0"], "n_epochs=0 must be at least 1"),
        (["train", "--n-envs", "0"], "n_envs=0 must be at least 1"),
        (["train", "--steps", "0"], "steps=0 must be at least 1"),
        (["train", "--eval-episodes", "0"], "eval_episodes=0 must be at least 1"),
        (["train", "--policy", "CnnRecurrentPolicy"], "policy=CnnRecurrentPolicy reads images"),
        (["train", "--resume", "nowhere"], "nowhere is not a run"),
        (["evaluate", "nowhere"], "nowhere is not a run"),
        (["train", "--resume", "nowhere", "--algo", "a2c"], "uses the run's own configuration"),
        (["train", "--resume", "nowhere", "--run", "there"], "uses the run's own configuration"),
    ],
)
def test_an_error_is_one_line_that_says_what_to_change(tmp_path, monkeypatch, capsys, arguments, message):
    monkeypatch.chdir(tmp_path)
    assert run(*arguments) == 2
    error = capsys.readouterr().err
    assert message in error
    assert "Traceback" not in error
    assert error.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_memory_is_refused_with_the_known_ones(capsys):
    assert run("train", "--memory", "elephant") == 2
    error = capsys.readouterr().err
    assert "gru" in error
    assert "lstm" in error


@pytest.mark.parametrize("name", [name for name in MEMORIES if name != "gru"])
def test_every_memory_trains_by_name_with_its_own_fields(tmp_path, name):
    folder = tmp_path / "run"
    assert run("train", *SMALL, "--memory", name, "--steps", "64", "--n-epochs", "1", "--run", str(folder)) == 0
    assert RunConfig.read(folder / "config.json").memory_spec() == MEMORIES[name]()


def test_fields_of_the_memory_and_arguments_of_the_environment_are_options(tmp_path, capsys):
    folder = tmp_path / "run"
    memory = ["--memory", "stack", "--memory.layers", "gru", "lstm"]
    world = ["--env", "pomdp_envs/TMaze-v0", "--env-kwargs", "corridor_length=3"]
    assert run("train", *SMALL[2:], *world, *memory, "--steps", "64", "--run", str(folder)) == 0
    config = RunConfig.read(folder / "config.json")
    assert config.memory_spec() == Stack([GRU(), LSTM()])
    assert config.env_kwargs == {"corridor_length": 3}
    assert run("train", "--memory=lstm", "--memory.hidden-size", "0") == 2
    assert "hidden_size" in capsys.readouterr().err
    assert run("train", "--env-kwargs", "corridor_length") == 2
    assert "--env-kwargs takes NAME=VALUE" in capsys.readouterr().err


def test_of_two_memories_the_last_counts(tmp_path):
    folder = tmp_path / "run"
    assert run("train", *SMALL, "--memory", "gru", "--memory", "mingru", "--steps", "64", "--run", str(folder)) == 0
    assert RunConfig.read(folder / "config.json").memory == "mingru"


def test_a_run_is_not_overwritten(tmp_path, capsys):
    folder = tmp_path / "run"
    run("train", *SMALL, "--steps", "128", "--run", str(folder))
    assert run("train", *SMALL, "--run", str(folder)) == 2
    assert f"--resume {folder}" in capsys.readouterr().err


def test_help_comes_from_the_dataclasses(capsys):
    assert run("train", "--help") == 0
    text = capsys.readouterr().out
    assert "Environment id" in text
    assert "memoryless control" in text
    assert "_Parsed" not in text


def test_help_shows_one_command_a_line(capsys):
    assert run("--help") == 0
    lines = [line.strip() for line in capsys.readouterr().out.splitlines()]
    assert [line for line in lines if line.startswith("recurrent-rl ")] == [
        "recurrent-rl train --env pomdp_envs/CartPoleNoVel-v0 --algo ppo --memory gru",
        "recurrent-rl train --resume RUN",
        "recurrent-rl evaluate RUN",
        "recurrent-rl export RUN --to numpy onnx",
        "recurrent-rl sequence run --task speech --models gru hmm",
    ]


def test_a_run_that_has_no_checkpoint_says_what_to_do(tmp_path, capsys):
    folder = RunFolder.new(RunConfig(), tmp_path / "run")
    assert run("evaluate", str(folder.path)) == 2
    assert capsys.readouterr().err == (
        f"recurrent-rl: {folder.path} has no checkpoint yet; make one with: recurrent-rl train --resume {folder.path}\n"
    )


@pytest.mark.parametrize(("field", "value"), [("n_envs", "four"), ("memory", "elephant")])
def test_a_damaged_configuration_is_refused_by_file_and_field(tmp_path, capsys, field, value):
    folder = RunFolder.new(RunConfig(), tmp_path / "run")
    folder.config.write_text(json.dumps({field: value}))
    for command in (["evaluate", str(folder.path)], ["train", "--resume", str(folder.path)]):
        assert run(*command) == 2
        error = capsys.readouterr().err
        assert error.startswith(f"recurrent-rl: {folder.config} cannot be read: {field}={value!r} must be")
        assert error.count("\n") == 1


def test_module_runs_from_any_folder(tmp_path):
    found = subprocess.run(
        [sys.executable, "-m", "recurrent_rl.cli", "--help"], cwd=tmp_path, capture_output=True, text=True
    )
    assert found.returncode == 0
    assert "train" in found.stdout
    assert Path(sys.executable).with_name("recurrent-rl").exists()
