"""Runs that stop for any reason go on, as they were asked to, from files that belong together."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from stable_baselines3.common.evaluation import evaluate_policy
from stable_baselines3.common.vec_env import VecNormalize

from recurrent_rl.algorithms import NonFiniteError, RecurrentPPO
from recurrent_rl.checkpoint import read_archive
from recurrent_rl.runs import load_run
from recurrent_rl.runs import train as training
from recurrent_rl.runs.callback import RunCallback
from recurrent_rl.runs.config import RunConfig
from recurrent_rl.runs.evaluate import evaluate
from recurrent_rl.runs.folder import RunFolder
from recurrent_rl.runs.options import Options
from recurrent_rl.runs.train import EVALUATION_SEED, resume, train
from recurrent_rl.vector import as_vec_env

SMALL = RunConfig(steps=128, n_envs=2, n_steps=32, n_epochs=2, memory_fields={"hidden_size": 4})


class Tracker:
    """In the place of WandbWriter; remembers the instances."""

    made: list["Tracker"]

    def __init__(self, settings, folder, resume_id, project):
        self.run_id, self.resume_id, self.project, self.finished = "id", resume_id, project, False
        type(self).made.append(self)

    def write(self, key_values, key_excluded, step=0):
        pass

    def finish(self, curve, checkpoint):
        assert curve.exists()
        assert checkpoint.exists()
        self.finished = True

    def close(self):
        pass


@pytest.fixture
def trackers(monkeypatch):
    monkeypatch.setattr(training, "WandbWriter", Tracker)
    monkeypatch.setattr(Tracker, "made", [], raising=False)
    return Tracker.made


def stop_at(monkeypatch, steps):
    """Stop as a signal does, after so many environment steps."""
    before = RunCallback._on_step
    monkeypatch.setattr(RunCallback, "_on_step", lambda self: self.num_timesteps < steps and before(self))


def edit(path, **fields):
    path.write_text(json.dumps({**json.loads(path.read_text()), **fields}))


@pytest.mark.parametrize("algo", ["ppo", "a2c"])
def test_a_run_that_met_nan_resumes_to_the_weights_of_one_that_did_not(
    tmp_path, monkeypatch, breaking, trackers, capsys, algo
):
    config = replace(SMALL, env="RunsBreaks-v0", algo=algo, steps=320)
    broken, whole = RunFolder(tmp_path / "broken"), RunFolder(tmp_path / "whole")
    with pytest.raises(NonFiniteError):
        train(config, broken.path, Options(track="wandb"))
    assert f"train --resume {broken.path}" in capsys.readouterr().out
    assert read_archive(broken.latest)[0]["snapshot"]["counters"]["num_timesteps"] == 192
    assert broken.curve.exists()
    assert [tracker.finished for tracker in trackers] == [True]
    monkeypatch.setattr(breaking, "broken", False)
    evaluate(broken.path, 2, deterministic=True)
    assert resume(broken.path, Options()) == 0
    assert train(config, whole.path, Options()) == 0
    there, here = (read_archive(folder.latest)[1]["policy"] for folder in (whole, broken))
    for name, value in there.items():
        assert torch.equal(value, here[name]), name


def test_lost_weights_are_not_saved(tmp_path):
    config = replace(SMALL, learning_rate=1e30, normalize=False)
    with pytest.raises(FloatingPointError, match="weights are lost"):
        train(config, tmp_path / "run", Options())
    assert not RunFolder(tmp_path / "run").latest.exists()


@pytest.mark.parametrize("bad", [{"bptt_horizon": 5}, {"policy": "CnnRecurrentPolicy"}, {"env": "Nowhere-v0"}])
def test_a_refused_run_leaves_no_folder_and_does_not_block_the_corrected_one(tmp_path, bad):
    with pytest.raises(ValueError):
        train(replace(SMALL, **bad), tmp_path / "run", Options())
    assert not (tmp_path / "run").exists()
    assert train(replace(SMALL, steps=64), tmp_path / "run", Options()) == 0


@pytest.mark.parametrize(
    ("name", "policy"),
    [
        ("Image", "CnnRecurrentPolicy"),
        ("Discrete", "MlpRecurrentPolicy"),
        ("MultiBinary", "MlpRecurrentPolicy"),
        ("Mixed", "MultiInputRecurrentPolicy"),
    ],
)
def test_all_observations_train_evaluate_and_score_with_the_trained_statistics(tmp_path, name, policy):
    config = replace(SMALL, env=f"Runs{name}-v0", policy=policy, steps=64, n_epochs=1)
    folder = RunFolder(tmp_path / "run")
    assert train(config, folder.path, Options(eval_every=32, eval_episodes=2)) == 0
    assert any("eval/mean_reward" in row for row in folder.rows())
    mean, _ = evaluate(folder.path, 2, deterministic=True)
    assert 0 <= mean <= 9  # raw rewards, not normalised ones


def test_a_run_is_loaded_with_the_normaliser_that_it_was_trained_with(tmp_path):
    folder = RunFolder(tmp_path / "run")
    train(replace(SMALL, steps=64), folder.path, Options())
    model, env = load_run(str(folder.path))
    assert isinstance(env, VecNormalize)
    assert not env.training
    assert env.obs_rms.count > 64
    scores = evaluate_policy(model, env, 3, return_episode_rewards=True)[0]
    torch.manual_seed(EVALUATION_SEED)
    assert np.mean(scores) == evaluate(folder.path, 3, deterministic=True)[0]
    with pytest.warns(UserWarning, match="trained under VecNormalize, and the environment given here has none"):
        RecurrentPPO.load(folder.latest, env=as_vec_env("pomdp_envs/CartPoleNoVel-v0", n_envs=2))


def test_an_edited_configuration_is_refused_on_resume_and_evaluation(tmp_path):
    folder = RunFolder(tmp_path / "run")
    train(replace(SMALL, steps=64), folder.path, Options())
    before = folder.config.read_text()
    for name, value in {
        "memory": "lstm",
        "memory_fields": {"hidden_size": 8},
        "critic": "separate",
        "algo": "a2c",
    }.items():
        edit(folder.config, **{name: value})
        for go_on in (lambda: resume(folder.path, Options()), lambda: evaluate(folder.path, 2, deterministic=True)):
            with pytest.raises(ValueError, match="was edited: its") as refused:
                go_on()
            assert str(folder.config) in str(refused.value)
        folder.config.write_text(before)
    edit(folder.config, steps=128)  # this one is meant
    assert resume(folder.path, Options()) == 0


def test_a_resume_keeps_the_options_and_evaluates_at_the_steps_of_a_whole_run(tmp_path, monkeypatch, trackers):
    options = Options(eval_every=80, eval_episodes=2, track="wandb", project="mine")
    config = replace(SMALL, steps=320)
    broken, whole = RunFolder(tmp_path / "broken"), RunFolder(tmp_path / "whole")
    train(config, whole.path, options)
    with monkeypatch.context() as stopping:
        stop_at(stopping, 140)
        train(config, broken.path, options)
    assert resume(broken.path, Options(checkpoint_every=64)) == 0
    assert Options.read(broken.options) == replace(options, checkpoint_every=64)
    assert trackers[-1].project == "mine"
    assert trackers[-1].resume_id == "id"
    evaluated = [
        [row["time/total_timesteps"] for row in folder.rows() if "eval/mean_reward" in row]
        for folder in (whole, broken)
    ]
    assert evaluated == [[80.0, 160.0, 240.0, 320.0]] * 2


def test_a_run_of_an_older_version_without_options_resumes(tmp_path):
    folder = RunFolder(tmp_path / "run")
    train(replace(SMALL, steps=64), folder.path, Options())
    folder.options.unlink()
    edit(folder.config, steps=128)
    assert resume(folder.path, Options()) == 0


def test_a_damaged_last_row_does_not_break_a_resume(tmp_path):
    folder = RunFolder(tmp_path / "run")
    train(replace(SMALL, steps=64), folder.path, Options())
    with folder.metrics.open("ab") as file:
        file.write(b"9\x00,half")
    edit(folder.config, steps=128)
    assert resume(folder.path, Options()) == 0
    assert folder.rows()[-1]["time/total_timesteps"] == 128


def test_a_run_without_a_checkpoint_says_how_to_get_one_and_resumes_from_its_beginning(tmp_path, capsys):
    folder = RunFolder.new(SMALL, tmp_path / "run")
    with pytest.raises(
        ValueError, match=f"no checkpoint yet; make one with: recurrent-rl train --resume {folder.path}"
    ):
        evaluate(folder.path, 2, deterministic=True)
    assert resume(folder.path, Options()) == 0
    assert "starts from its beginning" in capsys.readouterr().out
    assert folder.latest.exists()


def test_an_evaluation_of_no_episodes_is_refused(tmp_path):
    with pytest.raises(ValueError, match="episodes=0 must be at least 1"):
        evaluate(tmp_path, 0, deterministic=True)


def test_evaluation_episodes_follow_the_seed_that_is_given(tmp_path):
    config = replace(SMALL, env="RunsDrawn-v0", steps=64)
    train(config, tmp_path / "run", Options())
    first, again, other = (evaluate(tmp_path / "run", 20, deterministic=False, seed=seed) for seed in (1, 1, 2))
    assert first == again
    assert first != other
