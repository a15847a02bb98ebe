"""The agent keeps its own state and cannot leak; its module needs numpy alone."""

import ast
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from gymnasium import spaces

from recurrent_rl.export import load_agent, numpy_agent, to_numpy
from recurrent_rl.export.exportable import exportable
from recurrent_rl.export.numpy_agent import load
from recurrent_rl.export.parity import sample
from recurrent_rl.memory import LMU, Attention, FrameWindow, GTrXL
from recurrent_rl.vector.tuples import space_without_tuples
from tests.export.conftest import CASES, FOUR, IMAGE, make


@pytest.fixture
def agent(policy):
    return exportable(policy).agent()


def rows(count: int, seed: int = 0) -> np.ndarray:
    return sample(FOUR, count, np.random.default_rng(seed))


def test_the_first_call_starts_episodes_whatever_is_said(agent):
    agent.act(rows(3), starts=[False] * 3)
    first = agent.parameters["logits"]
    agent.act(rows(3, 1))
    agent.reset()
    agent.act(rows(3), starts=[False] * 3)
    np.testing.assert_array_equal(agent.parameters["logits"], first)


def test_another_number_of_columns_needs_a_reset(agent):
    agent.act(rows(3))
    with pytest.raises(ValueError, match="call reset"):
        agent.act(rows(2))
    with pytest.raises(ValueError, match="call reset"):
        agent.act(rows(1)[0])
    agent.reset()
    agent.act(rows(2))


@pytest.mark.parametrize("columns", [[1], 1, np.array([False, True, False])])
def test_reset_of_a_column_leaves_the_others_as_they_are(agent, columns):
    agent.act(rows(3))
    other = agent.twin()
    other.act(rows(3))
    agent.reset(columns)
    agent.act(rows(3, 1))
    other.act(rows(3, 1))
    same = np.all(agent.parameters["logits"] == other.parameters["logits"], axis=1)
    np.testing.assert_array_equal(same, [True, False, True])
    fresh = agent.twin()
    fresh.act(rows(3, 1))
    np.testing.assert_allclose(fresh.parameters["logits"][1], agent.parameters["logits"][1], rtol=1e-6)


def test_one_observation_and_one_row_are_the_same(agent):
    one, many = agent.twin(), agent.twin()
    for step in range(5):
        found, wanted = one.act(rows(1, step)[0]), many.act(rows(1, step))
        assert (found.shape, wanted.shape) == ((), (1,))
        assert found == wanted[0]


def test_starts_need_one_entry_for_each_row(agent):
    agent.act(rows(3))
    with pytest.raises(ValueError, match="2 entries for 3"):
        agent.act(rows(3), starts=[True, False])


def test_a_wrong_shape_is_told(agent):
    with pytest.raises(ValueError, match=r"shape \(3, 5\)"):
        agent.act(np.zeros((3, 5), dtype=np.float32))


def test_float64_observations_are_taken(agent):
    twin = agent.twin()
    np.testing.assert_array_equal(agent.act(rows(2).astype(np.float64)), twin.act(rows(2)))


@pytest.mark.parametrize("case", [name for name in CASES if "out" in name or name == "bits" or "squashed" in name])
def test_drawn_actions_are_distributed_as_the_policys(case):
    policy = CASES[case]()
    with torch.no_grad():
        for weight in policy.action_net.parameters():
            weight.mul_(0.02)  # so that no choice is certain
    agent = exportable(policy).agent()
    agent.seed(0)
    count = 20_000
    observation = np.repeat(sample(policy.observation_space, 1, np.random.default_rng(0)), count, axis=0)
    found = agent.act(observation, deterministic=False).reshape(count, -1)
    torch.manual_seed(0)
    policy.reset_noise(count)
    wanted, _ = policy.predict(observation, deterministic=False)
    wanted = wanted.reshape(count, -1)
    error = 5 * np.hypot(found.std(0), wanted.std(0)) / count**0.5
    assert np.all(np.abs(found.mean(0) - wanted.mean(0)) <= error + 1e-9)
    np.testing.assert_allclose(found.std(0), wanted.std(0), rtol=0.05)
    assert policy.action_space.contains(agent.act(observation, deterministic=False)[0])


def test_draws_are_the_same_after_the_same_seed(agent):
    drawn = []
    for _ in range(2):
        agent.reset()
        agent.seed(3)
        drawn.append([agent.act(rows(4, step), deterministic=False) for step in range(20)])
    np.testing.assert_array_equal(*drawn)


def test_the_module_imports_numpy_and_the_standard_library_alone():
    tree = ast.parse(Path(numpy_agent.__file__).read_text())
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add((node.module or "").partition(".")[0])
    assert names - set(sys.stdlib_module_names) == {"numpy"}


def test_a_copy_of_the_module_plays_without_torch(policy, tmp_path):
    path = to_numpy(policy, tmp_path / "agent")
    (tmp_path / "numpy_agent.py").write_text(Path(numpy_agent.__file__).read_text())
    script = (
        "import sys, json, numpy as np, numpy_agent\n"
        f"agent = numpy_agent.load({str(path)!r})\n"
        "found = [int(agent.act(np.full(4, t / 10))) for t in range(20)]\n"
        "assert 'torch' not in sys.modules\nprint(json.dumps(found))\n"
    )
    said = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True)
    agent = exportable(policy).agent()
    assert json.loads(said.stdout) == [int(agent.act(np.full(4, t / 10))) for t in range(20)]


def test_an_unknown_operation_and_a_newer_format_are_refused(policy, tmp_path):
    path = to_numpy(policy, tmp_path / "agent")
    header, arrays = numpy_agent.read(path)
    for change, words in (
        ({"format": "recurrent_rl numpy 2"}, "newer"),
        ({"format": "other 1"}, "other"),
        ({}, "os.system"),
    ):
        changed = {**header, **change}
        if not change:
            changed["program"] = {**header["program"], "steps": [["os.system", [0], 1]]}
        encoded = np.frombuffer(json.dumps(changed).encode(), dtype=np.uint8)
        np.savez(tmp_path / "changed.npz", header=encoded, **arrays)
        with pytest.raises(numpy_agent.AgentFileError, match=words):
            numpy_agent.load(tmp_path / "changed.npz")


def test_spaces_of_the_header_are_json(policy, tmp_path):
    header, _ = numpy_agent.read(to_numpy(make(action=spaces.Box(-1, 1, (2,))), tmp_path / "agent"))
    assert header["action_space"] == {
        "kind": "Box", "shape": [2], "dtype": "float32", "low": -1.0, "high": 1.0, "squashed": False,
    }  # fmt: skip


def test_pictures_come_with_colours_first_or_last():
    agent = exportable(CASES["images"]()).agent()
    pictures = sample(IMAGE, 2, np.random.default_rng(0))
    agent.act(pictures)
    wanted = agent.parameters["logits"]
    for last in (np.moveaxis(pictures, 1, -1), np.moveaxis(pictures, 1, -1)[0]):
        agent.reset()
        agent.act(last)
        np.testing.assert_allclose(agent.parameters["logits"], wanted[: len(agent.parameters["logits"])], rtol=1e-5)


def test_an_export_is_frozen_and_leaves_the_model_as_it_is(policy):
    policy.set_training_mode(True)
    frozen = exportable(policy)
    agent, other = frozen.agent(), frozen.agent()
    agent.act(rows(3))
    assert policy.training
    with torch.no_grad():
        policy.action_net.weight.mul_(2.0)
    other.act(rows(3))
    np.testing.assert_array_equal(agent.parameters["logits"], other.parameters["logits"])


def test_real_numbers_are_no_pictures_and_no_choices():
    agent = exportable(CASES["images"]()).agent()
    with pytest.raises(ValueError, match="real numbers"):
        agent.act(np.random.default_rng(0).random(IMAGE.shape))
    agent = exportable(make(spaces.Discrete(5))).agent()
    with pytest.raises(ValueError, match="real numbers"):
        agent.act(1.9)
    for wrong in (5, -1):
        with pytest.raises(ValueError, match="0 to 4"):
            agent.act(wrong)
    agent.act(np.int32(4))


def test_a_missing_part_is_told():
    agent = exportable(make(spaces.Dict({"a": FOUR, "b": FOUR}))).agent()
    with pytest.raises(ValueError, match="'b'"):
        agent.act({"a": np.zeros(4)})


def test_a_long_episode_plays_as_predict_does(tmp_path):
    """400 steps with one reset: buffers wrap, counters grow."""
    for memory in (Attention(window=16), LMU(), GTrXL(), FrameWindow()):
        policy = make(memory=memory)
        agent, state, random = numpy_agent.load(to_numpy(policy, tmp_path / "agent")), None, np.random.default_rng(2)
        for step in range(400):
            observation, starts = sample(FOUR, 1, random), np.array([step in (0, 250)])
            wanted, state = policy.predict(observation, state, starts, deterministic=True)
            np.testing.assert_array_equal(agent.act(observation, starts), wanted)


def test_what_was_played_in_place_of_an_answer_is_the_previous_action(agent):
    agent.act(rows(2))
    agent.played([2, 0])
    np.testing.assert_array_equal(agent.previous_action, [2, 0])


def test_damaged_headers_are_told(policy, tmp_path):
    header, arrays = numpy_agent.read(to_numpy(policy, tmp_path / "agent"))
    for change in (
        {"program": {}},
        {"program": {**header["program"], "steps": [["tanh", [10**6], 0]], "slots": 1}},
        {"initial": 3},
    ):
        encoded = np.frombuffer(json.dumps({**header, **change}).encode(), dtype=np.uint8)
        np.savez(tmp_path / "changed.npz", header=encoded, **arrays)
        with pytest.raises(numpy_agent.AgentFileError, match="damaged"):
            numpy_agent.load(tmp_path / "changed.npz")
    lacking = {name: value for name, value in header.items() if name != "parts"}
    np.savez(tmp_path / "changed.npz", header=np.frombuffer(json.dumps(lacking).encode(), dtype=np.uint8), **arrays)
    with pytest.raises(numpy_agent.AgentFileError, match="lacks"):
        numpy_agent.load(tmp_path / "changed.npz")


def test_starts_of_another_number_are_told_at_the_first_call_too(agent):
    with pytest.raises(ValueError, match="starts has 2 entries for 3"):
        agent.act(np.zeros((3, 4)), starts=[True, False])


def test_a_column_that_is_not_there_is_told(agent):
    agent.act(np.zeros((3, 4)))
    with pytest.raises(ValueError, match="There are 3 columns"):
        agent.reset([5])


@pytest.mark.parametrize("given", [(np.zeros(4), {}), {"a": np.zeros(4)}, "left"])
def test_what_is_no_observation_is_told(agent, given):
    with pytest.raises(ValueError, match="no array of numbers"):
        agent.act(given)


def test_numbers_that_a_type_does_not_hold_are_told():
    agent = exportable(make(IMAGE)).agent()
    with pytest.raises(ValueError, match="from 300 to 300, which uint8 does not hold"):
        agent.act(np.full((3, 36, 36), 300))


@pytest.mark.parametrize("deterministic", [True, False])
@pytest.mark.parametrize("squashed", [{}, {"use_sde": True, "squash_output": True}])
def test_actions_lie_in_a_box_of_float64(tmp_path, deterministic, squashed):
    space = spaces.Box(-0.1, 0.1, (2,), np.float64)
    policy = make(FOUR, space, **squashed)
    for agent in (exportable(policy).agent(), load(to_numpy(policy, tmp_path / "agent"))):
        for _ in range(20):
            assert space.contains(agent.act(np.full(4, 100.0), deterministic=deterministic))


@pytest.mark.parametrize("kind", [torch.nn.SELU, torch.nn.Mish, torch.nn.ReLU6, torch.nn.Hardtanh])
def test_more_activations_are_known(kind, tmp_path):
    to_numpy(make(activation_fn=kind), tmp_path / "agent")  # which compares


def test_a_tuple_is_read_as_the_policy_reads_it(tmp_path):
    given = spaces.Tuple([FOUR, spaces.Discrete(3)])
    path = to_numpy(make(space_without_tuples(given)), tmp_path / "agent")
    agent, other = load_agent(path, given), load_agent(path)
    pair = (np.full(4, 0.5, dtype=np.float32), np.int64(2))
    np.testing.assert_array_equal(agent.act(pair), other.act({"0": pair[0], "1": pair[1]}))
