"""One way to load all kinds of files, and a sentence for every bad one."""

import json
import pickle
import zipfile

import cloudpickle
import numpy as np
import pytest
import torch
from gymnasium import spaces
from stable_baselines3.common.vec_env import DummyVecEnv, VecFrameStack

from recurrent_rl import RecurrentPPO
from recurrent_rl.checkpoint import CheckpointError
from recurrent_rl.export import (
    AgentFileError,
    exportable,
    load_agent,
    packages,
    to_numpy,
    to_onnx,
    to_safetensors,
    to_torch_export,
)
from recurrent_rl.export.numpy_agent import read
from recurrent_rl.memory import GRU
from recurrent_rl.vector import VecNormalize
from tests.export.conftest import FOUR, IMAGE, Counting, make


class Planted:
    """A pickle that writes a file when it is read."""

    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        return open, (self.path, "w")


@pytest.fixture(scope="module")
def model():
    torch.set_num_threads(1)
    env = DummyVecEnv([Counting, Counting])
    torch.manual_seed(0)
    return RecurrentPPO("MlpRecurrentPolicy", VecNormalize(env), memory=GRU(hidden_size=8), n_steps=16).learn(64)


@pytest.fixture(scope="module")
def files(model, tmp_path_factory):
    folder = tmp_path_factory.mktemp("files")
    model.save(folder / "checkpoint.zip")
    return [
        folder / "checkpoint.zip", to_numpy(model, folder / "a"), to_onnx(model, folder / "a"),
        to_torch_export(model, folder / "a"), to_safetensors(model, folder / "a"),
    ]  # fmt: skip


def test_all_files_of_a_model_play_alike_and_normalise_by_themselves(model, files):
    random, normaliser = np.random.default_rng(0), model.get_vec_normalize_env()
    agents = [load_agent(path, FOUR, spaces.Discrete(2), trust=True) for path in files]
    state = None
    for step in range(100):
        observation = random.normal(size=(3, 4)).astype(np.float32)
        starts = random.random(3) < (1.0 if step == 0 else 0.1)
        seen = normaliser.normalize_obs(observation)
        wanted, state = model.predict(seen, state, starts, deterministic=True)
        for agent in agents:
            np.testing.assert_array_equal(agent.act(observation, starts), wanted)


def test_other_spaces_are_refused(files):
    for path in files[:3]:
        with pytest.raises(AgentFileError, match="the environment has"):
            load_agent(path, spaces.Box(-1, 1, (5,)))
        with pytest.raises(AgentFileError, match="the environment has"):
            load_agent(path, action_space=spaces.Discrete(3))


def test_a_program_of_torch_export_is_opened_for_those_alone_who_trust_it(files):
    with pytest.raises(AgentFileError, match="trust=True"):
        load_agent(files[3])


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9])
def test_a_file_cut_short_is_refused(files, tmp_path, share):
    for path in files:
        cut = tmp_path / f"cut{path.suffix}"
        cut.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
        with pytest.raises((AgentFileError, CheckpointError)):
            load_agent(cut, trust=True)


def test_a_file_with_damaged_insides_is_refused(files, tmp_path):
    """The directory of an archive stands at its end: these are cut in the middle, so that each loader gets to see them."""
    for path in (files[0], files[1], files[3]):
        bad = tmp_path / f"bad{path.suffix}"
        with zipfile.ZipFile(path) as old, zipfile.ZipFile(bad, "w") as new:
            for entry in old.infolist():
                content = old.read(entry)
                new.writestr(entry.filename, content if entry.file_size < 40 else content[: len(content) // 2])
        with pytest.raises((AgentFileError, CheckpointError)):
            load_agent(bad, trust=True)


def test_a_file_cannot_have_a_class_built_that_is_no_policy(files, tmp_path):
    """A logger that opens a file for writing would empty it."""
    from safetensors import safe_open
    from safetensors.torch import save_file

    victim = tmp_path / "victim"
    victim.write_text("precious")
    with safe_open(str(files[4]), framework="pt") as file:
        header = json.loads(file.metadata()["recurrent_rl"])
        weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    logger = {"$class": "stable_baselines3.common.logger:HumanOutputFormat"}
    for policy in (
        {"class": logger, "spaces": [str(victim)], "arguments": {}, "normaliser": None},
        {**header["policy"], "class": {"$class": "torch.nn.modules.linear:Linear"}},
        {**header["policy"], "arguments": {**header["policy"]["arguments"], "activation_fn": logger}},
        {**header["policy"], "arguments": {"features_extractor_kwargs": {"deep": [{"$pickle": ["x", ""]}]}}},
    ):
        save_file(
            weights, str(tmp_path / "bad.safetensors"), {"recurrent_rl": json.dumps({**header, "policy": policy})}
        )
        with pytest.raises(AgentFileError, match="no policy that can be built"):
            load_agent(tmp_path / "bad.safetensors")
    for name, data in (("policy", {"policy_class": logger}), ("arguments", {"activation_fn": logger})):
        make().save(str(tmp_path / "policy.zip"))
        with zipfile.ZipFile(tmp_path / "policy.zip") as old, zipfile.ZipFile(tmp_path / "bad.zip", "w") as new:
            document = json.loads(old.read("data.json"))
            (document["data"] if name == "policy" else document["data"]["arguments"]).update(data)
            for entry in old.namelist():
                new.writestr(entry, json.dumps(document) if entry == "data.json" else old.read(entry))
        with pytest.raises(CheckpointError):
            load_agent(tmp_path / "bad.zip")
    assert victim.read_text() == "precious"


@pytest.mark.parametrize("suffix", [".npz", ".onnx", ".zip", ".safetensors", ".pt2", ""])
def test_a_pickle_in_disguise_is_refused_and_not_run(tmp_path, suffix):
    written = tmp_path / "written"
    bad = tmp_path / f"bad{suffix}"
    bad.write_bytes(pickle.dumps(Planted(written)))
    with pytest.raises((AgentFileError, CheckpointError)):
        load_agent(bad)
    assert not written.exists()


def test_a_pickle_inside_an_archive_is_refused_and_not_run(model, tmp_path):
    written = tmp_path / "written"
    header, arrays = read(to_numpy(model, tmp_path / "a"))
    name = next(iter(arrays))
    arrays[name] = np.array([Planted(written)], dtype=object)
    np.savez(tmp_path / "bad.npz", header=np.frombuffer(json.dumps(header).encode(), dtype=np.uint8), **arrays)
    with pytest.raises(AgentFileError, match="allow_pickle=False"):
        load_agent(tmp_path / "bad.npz")
    model.save(tmp_path / "checkpoint.zip")
    with zipfile.ZipFile(tmp_path / "checkpoint.zip") as old, zipfile.ZipFile(tmp_path / "bad.zip", "w") as new:
        for entry in old.namelist():
            new.writestr(entry, pickle.dumps(Planted(written)) if entry == "policy.pt" else old.read(entry))
    with pytest.raises(CheckpointError):
        load_agent(tmp_path / "bad.zip")
    assert not written.exists()


def test_a_missing_file_is_told(tmp_path):
    for name in ("none.npz", "none.onnx", "none.zip"):
        with pytest.raises(FileNotFoundError):
            load_agent(tmp_path / name)


def test_pictures_of_an_environment_with_colours_last_are_the_policys(tmp_path):
    path = to_numpy(make(IMAGE), tmp_path / "agent")
    load_agent(path, spaces.Box(0, 255, (36, 36, 3), np.uint8))
    with pytest.raises(AgentFileError, match="the environment has"):
        load_agent(path, spaces.Box(0, 255, (40, 40, 3), np.uint8))


def test_an_unbroken_training_does_not_change_an_exported_agent(model):
    agent = exportable(model).agent()
    observation = np.zeros(4, dtype=np.float32)
    agent.act(observation)
    before = agent.parameters["logits"]
    model.learn(32)
    agent.reset()
    agent.act(observation)
    np.testing.assert_array_equal(agent.parameters["logits"], before)


DAMAGES = [
    {"initial": 3}, {"parts": [{}]}, {"observation_space": 3}, {"action_space": {}}, {"parameters": None},
    {"initial": [{"shape": [10**12, 10**12], "dtype": "float32", "values": None}]},
]  # fmt: skip


@pytest.mark.parametrize("damage", DAMAGES, ids=str)
def test_a_header_that_describes_no_agent_is_told(files, tmp_path, damage):
    import onnx
    from safetensors import safe_open
    from safetensors.torch import save_file

    header, arrays = read(files[1])
    text = json.dumps({**header, **damage})
    np.savez(tmp_path / "a.npz", header=np.frombuffer(text.encode(), dtype=np.uint8), **arrays)
    graph = onnx.load(str(files[2]))
    (entry,) = [entry for entry in graph.metadata_props if entry.key == "recurrent_rl"]
    entry.value = json.dumps({**json.loads(entry.value), **damage})
    onnx.save(graph, str(tmp_path / "a.onnx"))
    with safe_open(str(files[4]), framework="pt") as file:
        header = json.loads(file.metadata()["recurrent_rl"])
        weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    save_file(weights, str(tmp_path / "a.safetensors"), {"recurrent_rl": json.dumps({**header, **damage})})
    for suffix in (".npz", ".onnx", ".safetensors"):
        if damage == {"parameters": None} and suffix != ".npz":
            continue  # a name for what comes out is asked for at the first step alone
        with pytest.raises(AgentFileError):
            load_agent(tmp_path / f"a{suffix}")


def test_a_program_of_other_arguments_and_a_deep_header_are_told(files, tmp_path):
    header, arrays = read(files[1])
    header["program"]["steps"][0][1] = []
    for text in (json.dumps(header), "[" * 100_000):
        np.savez(tmp_path / "a.npz", header=np.frombuffer(text.encode(), dtype=np.uint8), **arrays)
        with pytest.raises(AgentFileError):
            load_agent(tmp_path / "a.npz")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda data: data.pop("n_envs"), "lacks .*n_envs"),
        (lambda data: data["snapshot"].clear(), "lacks .*counters"),
        (lambda data: data["arguments"].update(wisdom=1), "wisdom.*newer"),
        (lambda data: data["extra"].update(predict=1), "replace .*predict"),
    ],
)
def test_a_checkpoint_that_was_edited_is_told(files, tmp_path, change, words):
    with zipfile.ZipFile(files[0]) as old, zipfile.ZipFile(tmp_path / "bad.zip", "w") as new:
        document = json.loads(old.read("data.json"))
        change(document["data"])
        for entry in old.namelist():
            new.writestr(entry, json.dumps(document) if entry == "data.json" else old.read(entry))
    with pytest.raises(CheckpointError, match=words):
        load_agent(tmp_path / "bad.zip")


def test_a_newer_checkpoint_is_told_as_such(files, tmp_path):
    with zipfile.ZipFile(files[0]) as old, zipfile.ZipFile(tmp_path / "new.zip", "w") as new:
        document = {**json.loads(old.read("data.json")), "format": "recurrent_rl checkpoint 2"}
        new.writestr("data.json", json.dumps(document))
    with pytest.raises(CheckpointError, match="take a newer version"):
        load_agent(tmp_path / "new.zip")


def test_agents_of_numpy_onnx_and_checkpoints_go_to_other_processes(files):
    observation = np.full(4, 0.3)
    for path in (files[0], files[1], files[2], files[4]):
        agent = load_agent(path)
        sent = cloudpickle.loads(cloudpickle.dumps(agent))
        np.testing.assert_array_equal(sent.act(observation), agent.act(observation))
        np.testing.assert_array_equal(sent.parameters["logits"], agent.parameters["logits"])


@pytest.mark.parametrize("name", ["onnxruntime", "safetensors"])
def test_a_package_that_is_missing_is_told(files, name, monkeypatch):
    monkeypatch.setattr(packages, "find_spec", lambda asked: None if asked == name else True)
    with pytest.raises(ImportError, match=rf'{name}: pip install "recurrent-rl\[export\]"'):
        load_agent(files[2] if name == "onnxruntime" else files[4])


def test_a_normaliser_below_what_changes_the_shape_is_told():
    env = VecFrameStack(VecNormalize(DummyVecEnv([Counting])), 3)
    with pytest.raises(ValueError, match="put VecNormalize above"):
        exportable(RecurrentPPO("MlpRecurrentPolicy", env, memory=GRU(hidden_size=8), n_steps=16))
