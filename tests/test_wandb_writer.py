"""Tracking works offline, and its failure warns and never stops training."""

import json
import struct
import time

import pytest
import wandb
from wandb.proto import wandb_internal_pb2

from recurrent_rl import wandb_writer
from recurrent_rl.runs.config import RunConfig
from recurrent_rl.runs.folder import RunFolder
from recurrent_rl.runs.options import Options
from recurrent_rl.runs.train import train

CONFIG = RunConfig(steps=512, n_envs=4, n_steps=32, memory_fields={"hidden_size": 8})


def chunks_of(data):
    """Records of wandb's file: a 7-byte header, then LevelDB's log form (blocks of 32 KiB, each piece with a header)."""
    block, position, pending = 32768, 7, b""
    while position + 7 <= len(data):
        room = block - position % block
        if room < 7:
            position += room
            continue
        _, length, kind = struct.unpack_from("<IHB", data, position)
        if position + 7 + length > len(data):
            break  # not written yet
        piece = data[position + 7 : position + 7 + length]
        position += 7 + length
        pending = piece if kind in (1, 2) else pending + piece  # 1 whole, 2 first, 3 middle, 4 last
        if kind in (1, 4):
            yield pending


def read_offline_run(folder):
    """Everything that was written, from wandb's own file; its process may write it a little after the run's end."""
    (path,) = folder.glob("wandb/offline-run-*/run-*.wandb")
    deadline = time.monotonic() + 30
    records = records_of(path)
    while not any(record.HasField("exit") for record in records) and time.monotonic() < deadline:
        time.sleep(0.05)
        records = records_of(path)
    return records


def records_of(path):
    records = []
    for data in chunks_of(path.read_bytes()):
        record = wandb_internal_pb2.Record()
        record.ParseFromString(data)
        records.append(record)
    return records


def test_an_offline_run_holds_config_metrics_curve_and_checkpoint(tmp_path, monkeypatch):
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("WANDB_SILENT", "true")
    assert train(CONFIG, tmp_path / "run", Options(track="wandb", eval_every=256, eval_episodes=2)) == 0
    records = read_offline_run(tmp_path / "run")
    config = {
        item.key or item.nested_key[0]: json.loads(item.value_json)
        for record in records
        if record.HasField("run")
        for item in record.run.config.update
    }
    assert config["memory"] == "gru"
    assert config["steps"] == 512
    assert "commit" in config
    keys = {
        item.key or "/".join(item.nested_key)
        for record in records
        if record.HasField("history")
        for item in record.history.item
    }
    for name in (
        "rollout/ep_rew_mean",
        "train/first_ratio_error",
        "train/kl_max",
        "train/grad_norm",
        "memory/state_drift",
        "time/collection_fps",
        "time/update_fps",
        "eval/mean_reward",
        "learning_curve/_type",
    ):
        assert name in keys, (name, sorted(keys))
    artifacts = [record.artifact for record in records if record.HasField("artifact")]
    artifacts += [record.request.log_artifact.artifact for record in records if record.HasField("request")]
    assert any(entry.path == "latest.zip" for artifact in artifacts for entry in artifact.manifest.contents)


@pytest.mark.parametrize("when", ["init", "log", "finish"])
def test_a_tracking_failure_warns_and_training_goes_on(tmp_path, monkeypatch, when):
    class Broken:
        id = "broken"

        def define_metric(self, *_, **__):
            pass

        def log(self, *_):
            if when == "log":
                raise RuntimeError("no network")

        def log_artifact(self, *_):
            pass

        def finish(self):
            raise RuntimeError("no network")

    def init(**_):
        if when == "init":
            raise RuntimeError("no network")
        return Broken()

    monkeypatch.setattr(wandb, "init", init)
    with pytest.warns(UserWarning, match="tracking failed and is off; training goes on"):
        assert train(CONFIG, tmp_path / "run", Options(track="wandb")) == 0
    assert RunFolder(tmp_path / "run").latest.exists()


def test_documented_groups_are_the_ones_that_are_defined():
    for group in wandb_writer.GROUPS:
        assert f"{group}/" in (wandb_writer.__doc__ or "")
